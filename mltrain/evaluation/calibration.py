"""Do probabilities mean what they say? Reliability in bins, the expected calibration error, temperature scaling.

For binary the score of a row is the probability of the positive class, and what is compared with it whether the row is
of that class; for several classes the score is that of the predicted class, and what is compared whether that is right
(Guo et al., On calibration of modern neural networks, ICML 2017).

The bins hold equally many rows: with bins of equal width most rows of a good model share the last one, and the error is
biased more (Roelofs et al., Mitigating bias in calibration error estimation, AISTATS 2022). Rows of one score are in
one bin, so the order of the rows does not matter.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from mltrain.evaluation.weighting import effective
from mltrain.run.split_result import Bin, CalibrationError
from mltrain.run.split_result import Calibration as CalibrationResult
from mltrain.task import Task

# Fewer rows in a bin, and its share says hardly anything.
BIN_ROWS = 10
# Beyond these a temperature says that the validation rows do not bound it, as when every row is right.
HOTTEST = 20.0
# Of the chi-square distribution with one degree of freedom, at 5 %.
_SIGNIFICANT = 3.841458820694124


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows of neighbouring scores.

    Attributes:
        low: their lowest score.
        high: their highest score.
        n: how many rows.
        mean: of their scores.
        share: of them that are what the score is the probability of.
    """

    low: float
    high: float
    n: int
    mean: float
    share: float


@dataclass(frozen=True)
class Calibration:
    """How far probabilities are from shares.

    Attributes:
        ece: expected calibration error, the mean of |share - mean| over the bins, weighted with their rows.
        perfect: what `ece` would be on average with so many rows if the probabilities were right: it is never 0.
        bins: by ascending score.
    """

    ece: float
    perfect: float
    bins: tuple[ReliabilityBin, ...]

    def result(self) -> CalibrationResult:
        """Return what metrics.json has of it."""
        error = CalibrationError(value=self.ece, perfect=self.perfect)
        return CalibrationResult(ece=error, bins=tuple(Bin(**asdict(each)) for each in self.bins))


@dataclass(frozen=True)
class Temperature:
    """What the logits are divided by.

    Attributes:
        value: None where no temperature is best.
        before: log loss of the rows that it is fitted on, without it.
        after: with it.
        significant: whether the gain is more than chance gives, by a likelihood ratio test at 5 %.
    """

    value: float | None
    before: float
    after: float
    significant: bool


def calibration(
    task: Task, target: np.ndarray, predictions: np.ndarray, bins: int, weights: np.ndarray | None = None
) -> Calibration:
    """Return how well finite probabilities of a split are calibrated.

    Args:
        task: binary or multiclass.
        target: class indices (n,), n >= 1.
        predictions: (n,) for binary, (n, classes) for multiclass.
        bins: at most so many, fewer where they would hold fewer than `BIN_ROWS` rows.
        weights: (n,) how much each row counts; None where all count the same.
    """
    if weights is not None:
        return _weighted_calibration(task, target, predictions, bins, weights)
    score, right = _scores(task, target, predictions)
    values, inverse, rows = np.unique(score, return_inverse=True, return_counts=True)
    bins = max(1, min(bins, len(score) // BIN_ROWS))
    # Each value goes where its middle row lies.
    place = ((np.cumsum(rows) - rows / 2) * bins / len(score)).astype(np.int64)
    _, start = np.unique(place, return_index=True)
    end = np.append(start[1:], len(values)) - 1
    n = np.add.reduceat(rows, start)
    mean = np.add.reduceat(values * rows, start) / n
    share = np.add.reduceat(np.bincount(inverse, weights=right, minlength=len(values)), start) / n
    # The share of n right probabilities is normal around their mean, |normal| has the mean sqrt(2 / pi) deviations.
    deviation = np.sqrt(np.add.reduceat(values * (1 - values) * rows, start).clip(min=0)) / n
    columns = (each.tolist() for each in (values[start], values[end], n, mean, share))
    found = tuple(ReliabilityBin(*row) for row in zip(*columns, strict=True))
    weight = n / len(score)
    ece, perfect = ((weight * each).sum() for each in (np.abs(share - mean), deviation))
    return Calibration(float(ece), float(perfect * math.sqrt(2 / math.pi)), found)


def _scores(task: Task, target: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability that is judged of each row (n,), and whether what it is of came true."""
    if task == "binary":
        return predictions.reshape(-1).astype(np.float64), target.reshape(-1) == 1
    return predictions.max(axis=1).astype(np.float64), predictions.argmax(axis=1) == target.reshape(-1)


def _weighted_calibration(
    task: Task, target: np.ndarray, predictions: np.ndarray, bins: int, weights: np.ndarray
) -> Calibration:
    """Return the calibration of rows with weights: the bins hold equal weight, and `n` counts the rows in them."""
    counting = weights > 0
    target, predictions, weights = target[counting], predictions[counting], weights[counting] / weights.max()
    score, right = _scores(task, target, predictions)
    values, inverse, rows = np.unique(score, return_inverse=True, return_counts=True)
    size, squares, hits = (np.bincount(inverse, each) for each in (weights, weights**2, weights * right))
    bins = max(1, min(bins, int(effective(weights)) // BIN_ROWS))
    place = ((np.cumsum(size) - size / 2) * bins / size.sum()).astype(np.int64)
    _, start = np.unique(place, return_index=True)
    end = np.append(start[1:], len(values)) - 1
    whole = np.add.reduceat(size, start)
    mean, share = (np.add.reduceat(each, start) / whole for each in (values * size, hits))
    deviation = np.sqrt(np.add.reduceat(values * (1 - values) * squares, start).clip(min=0)) / whole
    n = np.add.reduceat(rows, start)
    columns = (each.tolist() for each in (values[start], values[end], n, mean, share))
    found = tuple(ReliabilityBin(*row) for row in zip(*columns, strict=True))
    ece, perfect = ((whole / size.sum() * each).sum() for each in (np.abs(share - mean), deviation))
    return Calibration(float(ece), float(perfect * math.sqrt(2 / math.pi)), found)


def tempered(task: Task, predictions: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities whose logits are divided by `temperature`, float64 in the shape of `predictions`: in
    float32 neighbouring ones would become equal, and their order be lost."""
    logits = _logits(task, predictions) / temperature
    if task == "binary":
        return _sigmoid(logits).reshape(predictions.shape)
    return _softmax(logits)


def fit_temperature(
    task: Task, target: np.ndarray, predictions: np.ndarray, weights: np.ndarray | None = None
) -> Temperature:
    """Return the temperature with the smallest log loss: convex in 1 / temperature, by Newton's method kept in bounds.

    Args:
        task: binary or multiclass.
        target: class indices (n,), n >= 1.
        predictions: finite probabilities, (n,) or (n, 1) for binary, (n, classes) for multiclass.
        weights: (n,) how much each row counts; None where all count the same.
    """
    logits, target = _logits(task, predictions), target.reshape(-1).astype(np.int64)
    before = _log_loss(logits, target, weights)
    low, high = 1 / HOTTEST, HOTTEST
    if _slope(logits, target, low, weights)[0] >= 0 or _slope(logits, target, high, weights)[0] <= 0:
        return Temperature(None, before, before, False)
    factor = 1.0
    for _ in range(100):
        slope, curvature = _slope(logits, target, factor, weights)
        low, high = (low, factor) if slope > 0 else (factor, high)
        step = factor - slope / curvature if curvature > 0 else low
        if not low < step < high:
            step = (low + high) / 2
        if abs(step - factor) <= 1e-12 * factor:
            break
        factor = step
    after = _log_loss(logits * factor, target, weights)
    rows = len(target) if weights is None else effective(weights)
    return Temperature(1 / factor, before, after, 2 * rows * (before - after) > _SIGNIFICANT)


def _logits(task: Task, predictions: np.ndarray) -> np.ndarray:
    """Return what gives `predictions` through sigmoid (n,) or softmax (n, classes); where they are exactly 0 or 1 the
    nearest probability that their dtype can hold."""
    limits = np.finfo(predictions.dtype)
    probability = predictions.astype(np.float64)
    if task == "binary":
        probability = probability.reshape(-1).clip(limits.tiny, 1 - limits.epsneg)
        return np.log(probability) - np.log1p(-probability)
    return np.log(probability.clip(limits.tiny, 1))


def _mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    return float(np.mean(values) if weights is None else np.average(values, weights=weights))


def _slope(logits: np.ndarray, target: np.ndarray, factor: float, weights: np.ndarray | None) -> tuple[float, float]:
    """Return the first and second derivative of the mean log loss by the factor of the logits."""
    if logits.ndim == 1:
        probability = _sigmoid(logits * factor)
        slope = _mean((probability - target) * logits, weights)
        return slope, _mean(probability * (1 - probability) * logits**2, weights)
    probability = _softmax(logits * factor)
    mean = (probability * logits).sum(axis=1)
    variance = (probability * (logits - mean[:, None]) ** 2).sum(axis=1)
    return _mean(mean - logits[np.arange(len(target)), target], weights), _mean(variance, weights)


def _log_loss(logits: np.ndarray, target: np.ndarray, weights: np.ndarray | None) -> float:
    if logits.ndim == 1:
        return _mean(np.logaddexp(0, np.where(target == 1, -logits, logits)), weights)
    highest = logits.max(axis=1)
    whole = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    return _mean(whole - logits[np.arange(len(target)), target], weights)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(logits))  # exp of a positive number overflows
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
