"""What any model must beat: the commonest class or the mean, and a regression that is linear in the same inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mltrain.evaluation.linear_fit import LinearFit, fit_logistic, fit_poisson, fit_ridge
from mltrain.forecast_rows import ForecastRows
from mltrain.outputs import KINDS
from mltrain.task import DataInfo, Input

# A fit is bounded to a few tenths of a second: a sample of so many rows says of a straight line nearly what all say.
MOST_ROWS = 20_000
MOST_INPUTS = 1_000
MOST_NUMBERS = 5_000_000
# Rows × inputs × scores, which an iteration of the logistic regression multiplies four times.
MOST_PRODUCTS = 20_000_000
ROWS_PER_CLASS = 10


# Encoded rows (n, …), by the name of the input.
Inputs: TypeAlias = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Baseline:
    """A predictor without choices, fitted on training rows.

    Attributes:
        name: in results.
        words: in sentences.
        rows: training rows that it was fitted on.
        predict: from encoded inputs (n, …) by name to predictions as those of the model: probabilities of the positive
            class (n,), of the classes (n, classes), or values in the units of the target (n,).
        converged: whether the fit came to its end.
    """

    name: str
    words: str
    rows: int
    predict: Callable[[Inputs], np.ndarray]
    converged: bool = True


@dataclass(frozen=True)
class NaiveBaseline:
    """A value of the target that is known when a forecast is made.

    Attributes:
        name: in results.
        words: in sentences.
        guess: from what is known of forecasts to predictions (n,) in the units of the target.
        rows: training rows that it was fitted on: none.
    """

    name: str
    words: str
    guess: Callable[[ForecastRows], np.ndarray]
    rows: int = 0


def naive_baselines(forecasts: ForecastRows | None) -> tuple[NaiveBaseline, ...]:
    """Return what every forecast must beat: the last value, and with a season that of one season before.

    Args:
        forecasts: of the training rows; None where they are none.
    """
    if forecasts is None:
        return ()
    naive = NaiveBaseline("naive", "the last value", lambda rows: rows.naive)
    if forecasts.seasonal is None:
        return (naive,)
    words = "the value one season earlier"
    return naive, NaiveBaseline("seasonal_naive", words, lambda rows: np.asarray(rows.seasonal))


def constant_baseline(info: DataInfo, truth: np.ndarray) -> Baseline:
    """Return the shares of the classes in training, whose decision is the commonest class, or the mean.

    Args:
        info: what is known of the data.
        truth: of all training rows (n,), or (n, targets).
    """
    kind = KINDS[info.task]
    if info.output.columns:
        means = truth.mean(axis=0)
        of_each = "the means" if kind.of_numbers else "the most frequent value of each label"
        words = f"always predicting {of_each}"
        return Baseline(kind.constant, words, len(truth), lambda inputs: np.tile(means, (_count(inputs), 1)))
    if kind.of_numbers:
        mean = float(truth.mean())
        words = "always predicting the mean"
        return Baseline(kind.constant, words, len(truth), lambda inputs: np.full(_count(inputs), mean))
    shares = np.bincount(truth, minlength=len(info.output.classes)) / len(truth)
    commonest = f"always predicting '{info.output.classes[int(shares.argmax())]}'"
    if info.task == "binary":
        return Baseline(kind.constant, commonest, len(truth), lambda inputs: np.full(_count(inputs), shares[1]))
    return Baseline(kind.constant, commonest, len(truth), lambda inputs: np.tile(shares, (_count(inputs), 1)))


def linear_baseline(
    info: DataInfo, inputs: Inputs, truth: np.ndarray, seed: int, whole: bool = False
) -> Baseline | str:
    """Return a logistic, ridge or Poisson regression, or why there is none. Of several inputs it takes those of a
    table, and says so.

    Args:
        info: what is known of the data.
        inputs: of all training rows.
        truth: of the same (n,) or (n, targets), in the units of the target.
        seed: of the sample, where there are more rows than are taken.
        whole: whether of several inputs all are taken that hold numbers, as windows of a series and what is beside
            them.
    """
    single = len(info.inputs) == 1
    taken = [each for each in info.inputs if single or each.columns or (whole and each.dtype == "float32")]
    if not taken:
        return "no input is a table"
    if any(each.dtype != "float32" for each in taken):
        return "the inputs are index numbers, and their size has no meaning"
    flat = _flat(inputs, taken)
    count = flat.shape[1]
    if count > MOST_INPUTS:
        return f"an example has {count:,} inputs, and the quick fit takes at most {MOST_INPUTS:,}"
    rows = min(len(flat), MOST_ROWS, MOST_NUMBERS // count, MOST_PRODUCTS // (count * info.output.units))
    if rows < min(len(flat), ROWS_PER_CLASS * info.output.units):
        return f"{info.output.units:,} classes and {count:,} inputs per example are too many for the quick fit"
    if rows < len(flat):
        chosen = np.sort(np.random.default_rng(seed).choice(len(flat), rows, replace=False))
        flat, truth = flat[chosen], truth[chosen]
    classes = 2 if info.output.columns else len(info.output.classes)
    name = KINDS[info.task].linear
    regression = _REGRESSIONS[name]
    fits = [regression.fit(flat, each, classes) for each in _columns(truth)]

    def predict(inputs: Inputs) -> np.ndarray:
        flat = _flat(inputs, taken)
        found = [regression.predict(fit, flat) for fit in fits]
        return np.stack(found, axis=1) if info.output.columns else found[0]

    without = "without the embeddings" if whole else "on the columns of the table alone"
    some = f" {without}" if len(taken) < len(info.inputs) else ""
    return Baseline(name, f"{regression.words}{some}", rows, predict, all(fit.converged for fit in fits))


@dataclass(frozen=True)
class _Regression:
    """A regression that is linear in the inputs, but for a function of its one or more scores.

    Attributes:
        words: in sentences.
        fit: from inputs (n, features), one target (n,) and the number of its classes.
        predict: from a fit and inputs (n, features) to predictions.
    """

    words: str
    fit: Callable[[np.ndarray, np.ndarray, int], LinearFit]
    predict: Callable[[LinearFit, np.ndarray], np.ndarray]


_REGRESSIONS: dict[str, _Regression] = {
    "logistic": _Regression("logistic regression", fit_logistic, LinearFit.probabilities),
    "ridge": _Regression(
        "ridge regression",
        lambda inputs, target, classes: fit_ridge(inputs, target),
        lambda fit, inputs: fit.scores(inputs)[:, 0],
    ),
    "poisson": _Regression(
        "Poisson regression",
        lambda inputs, target, classes: fit_poisson(inputs, target),
        LinearFit.expectations,
    ),
}


def _count(inputs: Inputs) -> int:
    return len(next(iter(inputs.values())))


def _flat(inputs: Inputs, taken: Sequence[Input]) -> np.ndarray:
    """Return some inputs beside each other, (n, numbers)."""
    flat = [inputs[each.name].reshape(_count(inputs), -1) for each in taken]
    return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)


def _columns(truth: np.ndarray) -> list[np.ndarray]:
    """Return each target (n,)."""
    return [truth] if truth.ndim == 1 else [*truth.T]
