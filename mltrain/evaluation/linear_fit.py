"""Logistic, ridge and Poisson regression in NumPy: what a straight line through the inputs is worth. No second of
scikit-learn's import, no option: the inputs are standardised with the rows of the fit, and the penalty is that of
scikit-learn's `Ridge` and `LogisticRegression`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mltrain.evaluation.threads import one_thread

ITERATIONS = 100
TOLERANCE = 1e-5
# Pairs of steps and gradients from which L-BFGS knows the curvature.
_MEMORY = 10
# Rows of which float64 scores are computed at a time.
_ROWS_AT_ONCE = 1 << 16

# From parameters to the value to be made small, and its gradient.
Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class LinearFit:
    """Scores that are linear in the inputs.

    Attributes:
        weights: (features, scores).
        bias: (scores,).
        iterations: that it took; 0 where the solution has a closed form.
        converged: whether the gradient came down to `TOLERANCE`.
    """

    weights: np.ndarray
    bias: np.ndarray
    iterations: int = 0
    converged: bool = True

    @one_thread()
    def scores(self, inputs: np.ndarray) -> np.ndarray:
        """Return the scores (n, scores) of inputs (n, features), float64."""
        parts = [
            inputs[first : first + _ROWS_AT_ONCE] @ self.weights + self.bias
            for first in range(0, len(inputs), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts)

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Return for one score the probability of class 1 (n,), for several those of the classes (n, classes)."""
        return _probabilities(self.scores(inputs))

    def expectations(self, inputs: np.ndarray) -> np.ndarray:
        """Return for one score the expected count (n,); infinite where it is larger than a float holds."""
        with np.errstate(over="ignore"):
            return np.exp(self.scores(inputs)[:, 0])


@one_thread()
def fit_logistic(inputs: np.ndarray, target: np.ndarray, classes: int) -> LinearFit:
    """Return the (multinomial) logistic regression with the smallest sum of the log losses + |weights|² / 2.

    For standardised inputs that is scikit-learn's `LogisticRegression()`; found by L-BFGS, one score for two classes.

    Args:
        inputs: (n, features), finite.
        target: class indices (n,).
        classes: how many there are; some may have no row.
    """
    standard, center, width = _standardised(inputs)
    rows, features = standard.shape
    scores = 1 if classes == 2 else classes
    wanted = target.reshape(-1, 1).astype(np.float64) if scores == 1 else np.eye(classes)[target.reshape(-1)]

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = parameters[:-scores].reshape(features, scores), parameters[-scores:]
        linear = standard @ weights + bias
        if scores == 1:
            loss = np.logaddexp(0, np.where(wanted == 1, -linear, linear)).sum()
        else:
            highest = linear.max(axis=1, keepdims=True)
            loss = (highest[:, 0] + np.log(np.exp(linear - highest).sum(axis=1))).sum() - (linear * wanted).sum()
        error = _probabilities(linear).reshape(rows, scores) - wanted
        gradient = np.concatenate([(standard.T @ error + weights).reshape(-1), error.sum(axis=0)])
        return (loss + (weights**2).sum() / 2) / rows, gradient / rows

    start = np.zeros((features + 1) * scores)
    # Of a class without a row the share is taken as that of half a row, or its bias would fall for ever.
    counts = np.bincount(target.reshape(-1), minlength=classes) + 0.5
    start[-scores:] = np.log(counts[1] / counts[0]) if scores == 1 else np.log(counts / counts.sum())
    parameters, iterations, converged = minimise(objective, start)
    fitted = _unscaled(parameters[:-scores].reshape(features, scores), parameters[-scores:], center, width)
    return replace(fitted, iterations=iterations, converged=converged)


@one_thread()
def fit_ridge(inputs: np.ndarray, target: np.ndarray) -> LinearFit:
    """Return the linear regression with the smallest sum of squared errors + |weights|²: for standardised inputs,
    scikit-learn's `Ridge()`.

    Args:
        inputs: (n, features), finite.
        target: (n,), in its own units.
    """
    standard, center, width = _standardised(inputs)
    mean = target.mean()
    gram = standard.T @ standard + np.eye(standard.shape[1])
    weights = np.linalg.solve(gram, standard.T @ (target.reshape(-1, 1) - mean))
    return _unscaled(weights, np.array([mean]), center, width)


@one_thread()
def fit_poisson(inputs: np.ndarray, target: np.ndarray) -> LinearFit:
    """Return the Poisson regression with the smallest sum of half the deviances + |weights|² / 2.

    The penalty is that of `fit_logistic`, for standardised inputs scikit-learn's `PoissonRegressor(alpha=1 / n)`. Its
    default weighs as much as all rows together, and would be too easy to beat.

    Args:
        inputs: (n, features), finite.
        target: counts (n,).
    """
    standard, center, width = _standardised(inputs)
    rows, features = standard.shape
    # The mean of half a row where all counts are 0, or the bias would fall for ever.
    mean = max(float(target.mean()), 0.5 / rows)

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = parameters[:features], parameters[features]
        linear = standard @ weights + bias
        with np.errstate(over="ignore", invalid="ignore"):  # of a step that is too long, which is then halved
            expected = np.exp(linear)
            loss = (expected - target * linear).sum() + (weights**2).sum() / 2
            error = expected - target
            gradient = np.append(standard.T @ error + weights, error.sum())
            return loss / (rows * mean), gradient / (rows * mean)

    start = np.append(np.zeros(features), np.log(mean))
    parameters, iterations, converged = minimise(objective, start)
    fitted = _unscaled(parameters[:features, None], parameters[features:], center, width)
    return replace(fitted, iterations=iterations, converged=converged)


@one_thread()
def minimise(objective: Objective, start: np.ndarray) -> tuple[np.ndarray, int, bool]:
    """Return where a smooth convex function is smallest, the iterations, and whether the gradient is below `TOLERANCE`.

    L-BFGS (Nocedal and Wright, Numerical optimization, 2006, algorithm 7.4) with a step that is halved until the value
    falls enough.
    """
    here = start
    steps: list[np.ndarray] = []
    changes: list[np.ndarray] = []
    value, gradient = objective(here)
    for iteration in range(ITERATIONS):
        if np.abs(gradient).max() <= TOLERANCE:
            return here, iteration, True
        direction = _direction(gradient, steps, changes)
        slope, length = float(gradient @ direction), 1.0 if steps else min(1.0, 1 / float(np.linalg.norm(gradient)))
        while True:
            step = length * direction
            next_value, next_gradient = objective(here + step)
            if next_value <= value + 1e-4 * length * slope:
                break
            length /= 2
            if length < 1e-10:  # the digits are used up
                return here, iteration, False
        change = next_gradient - gradient
        if step @ change > 1e-12 * float(change @ change):
            steps, changes = [*steps, step][-_MEMORY:], [*changes, change][-_MEMORY:]
        here, value, gradient = here + step, next_value, next_gradient
    return here, ITERATIONS, bool(np.abs(gradient).max() <= TOLERANCE)


def _direction(gradient: np.ndarray, steps: list[np.ndarray], changes: list[np.ndarray]) -> np.ndarray:
    """Return minus the inverse Hessian, as the last steps show it, times the gradient."""
    direction, kept = -gradient, []
    for step, change in zip(reversed(steps), reversed(changes), strict=True):
        share = (step @ direction) / (step @ change)
        kept.append(share)
        direction = direction - share * change
    if steps:
        direction = direction * ((steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1]))
    for step, change, share in zip(steps, changes, reversed(kept), strict=True):
        direction = direction + (share - (change @ direction) / (step @ change)) * step
    return direction


def _standardised(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inputs in float64 with mean 0 and deviation 1, and what was subtracted and divided by; 1 where they are
    constant."""
    exact = inputs.astype(np.float64)
    center, width = exact.mean(axis=0), exact.std(axis=0)
    rounding = len(exact) * float(np.finfo(np.float64).eps)
    # What differs by rounding alone is constant, as in scikit-learn's StandardScaler.
    width[(width**2 <= rounding * width**2 + (rounding * center) ** 2) | (exact.min(axis=0) == exact.max(axis=0))] = 1.0
    exact -= center
    exact /= width
    return exact, center, width


def _unscaled(weights: np.ndarray, bias: np.ndarray, center: np.ndarray, width: np.ndarray) -> LinearFit:
    """Return the fit on inputs as they are, from the one on standardised inputs."""
    weights = weights / width[:, None]
    return LinearFit(weights, bias - center @ weights)


def _probabilities(scores: np.ndarray) -> np.ndarray:
    if scores.shape[1] == 1:
        small = np.exp(-np.abs(scores[:, 0]))  # exp of a positive number overflows
        return np.where(scores[:, 0] >= 0, 1 / (1 + small), small / (1 + small))
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
