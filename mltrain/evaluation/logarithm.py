"""Whether a positive target with a long tail is better learned as its logarithm: two quick fits try both, and the
validation rows decide.

A model of the logarithms makes errors of some percent, whatever the size, and predicts rather the median than the
mean. By the squared error, which large values dominate, that is more often worse than better. So it must be clearly
better twice: with a regression that is linear in the inputs, and with the better in either form of that regression and
gradient boosting, which is nearer to a network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from mltrain.evaluation.boosting import Learned, Plan, fit_boosting
from mltrain.evaluation.linear_fit import fit_ridge

# The skewness of an exponential distribution is 2, of a normal one 0.
LONG_TAIL = 1.0
# Validation rows, or groups of them, below which nothing is clear.
FEWEST_UNITS = 50
# One-sided, 10 %, and twice.
_DEVIATIONS = 1.28
# An error that is lower by less is not worth another scale.
_WORTH = 0.97


# What is learned of a target: the values themselves, or their logarithms.
Form: TypeAlias = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Trial:
    """Errors on the validation rows, in the units of the target.

    Attributes:
        plain: the lowest error of the fits to the target as it is.
        logarithm: that of the fits to its logarithms.
        plain_fit: which fit has the first.
        logarithm_fit: which has the second.
        clear: whether the second is clearly lower.
    """

    plain: float
    logarithm: float
    plain_fit: str
    logarithm_fit: str
    clear: bool


@dataclass(frozen=True)
class _Losses:
    fit: str
    of_rows: np.ndarray

    @property
    def mean(self) -> float:
        return float(self.of_rows.mean())


@dataclass(frozen=True)
class TrialRows:
    """Rows for both fits.

    Attributes:
        encoded: for the regression, float32 (rows, features), finite.
        values: for the trees, float32 (rows, columns).
        truth: (rows,), above 0.
        groups: equal for rows that belong together (rows,); None where each is for itself.
    """

    encoded: np.ndarray
    values: np.ndarray
    truth: np.ndarray
    groups: np.ndarray | None = None


@dataclass(frozen=True)
class LogarithmTrial:
    """Fits with and without logarithms, and compares them.

    Attributes:
        train: the rows to fit.
        held_out: validation rows.
        categories: for each column of the trees whether its numbers are those of categories.
        rounds: of boosting, at most.
        error: by which the two are compared.
    """

    train: TrialRows
    held_out: TrialRows
    categories: tuple[bool, ...]
    rounds: int
    error: Literal["rmse", "mae"]

    def result(self) -> Trial:
        """Return the errors of the better fit in either form; of the regression alone where that decides already."""
        fits = [self._fitted("ridge regression", self._ridge)]
        found = self._compared(fits)
        if not found.clear:
            return found
        return self._compared([*fits, self._fitted("gradient boosting", self._trees)])

    def _ridge(self, of: Form) -> np.ndarray:
        return fit_ridge(self.train.encoded, of(self.train.truth)).scores(self.held_out.encoded)[:, 0]

    def _trees(self, of: Form) -> np.ndarray:
        train, stop = (Learned(each.values, of(each.truth)) for each in (self.train, self.held_out))
        plan = Plan(len(train.truth), self.rounds)
        return fit_boosting("regression", 0, train, stop, self.categories, plan, 0).predict(self.held_out.values)

    def _fitted(self, fit: str, predicted: Callable[[Form], np.ndarray]) -> tuple[_Losses, _Losses]:
        """Return the losses of a fit without and with logarithms, in the units of the target."""
        known = np.log(self.train.truth)
        low, high, deviation = known.min(), known.max(), known.std()
        logarithms = np.clip(predicted(np.log), low - deviation, high + deviation)  # as a run limits its predictions
        plain, other = (
            np.abs(each - self.held_out.truth) ** (2 if self.error == "rmse" else 1)
            for each in (predicted(np.asarray), np.exp(logarithms))
        )
        return _Losses(fit, plain), _Losses(fit, other)

    def _compared(self, fits: Sequence[tuple[_Losses, _Losses]]) -> Trial:
        plain, other = (min(each, key=lambda one: one.mean) for each in zip(*fits, strict=True))
        first, second = (math.sqrt(each.mean) if self.error == "rmse" else each.mean for each in (plain, other))
        clear = second <= _WORTH * first and self._is_sure(plain.of_rows - other.of_rows)
        return Trial(first, second, plain.fit, other.fit, clear)

    def _is_sure(self, gains: np.ndarray) -> bool:
        """Return whether the mean gain (rows,) is more than chance: a one-sided test, of groups where there are any."""
        if self.held_out.groups is not None:
            gains = np.bincount(np.unique(self.held_out.groups, return_inverse=True)[1], gains)
        if len(gains) < FEWEST_UNITS or not np.isfinite(gains).all():
            return False
        return float(gains.mean()) > _DEVIATIONS * float(gains.std(ddof=1)) / math.sqrt(len(gains))


def has_long_tail(truth: np.ndarray) -> bool:
    """Return whether values (rows,) are positive and have a long tail above, which their logarithms lack."""
    if not (truth > 0).all() or truth.min() == truth.max():
        return False
    skewness, of_logarithms = _skewness(truth), _skewness(np.log(truth))
    return skewness >= LONG_TAIL and abs(of_logarithms) < skewness / 2


def _skewness(values: np.ndarray) -> float:
    apart = values - values.mean()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = float((apart**3).mean() / values.std() ** 3)
    return found if math.isfinite(found) else 0.0
