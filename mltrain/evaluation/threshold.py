"""The threshold above which a probability means the positive class, chosen for an aim on rows that were held out.

Every threshold that decides differently is tried: the midpoints between neighbouring scores, one below all and one
above all. A score on the threshold itself is not above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltrain.evaluation.threshold_aim import ThresholdAim

USUAL = 0.5


@dataclass(frozen=True)
class ThresholdChoice:
    """What was chosen, and what it gives on the rows that it was chosen on.

    Attributes:
        threshold: above which a row is predicted as the positive class.
        value: of what the aim is about; for `cost` the mean cost of a row.
        usual: the same at 0.5.
        reached: whether the condition of the aim is met, as `at_precision`; else `threshold` comes nearest to it.
        nearest: the highest value of the condition's own quantity.
    """

    threshold: float
    value: float
    usual: float
    reached: bool
    nearest: float


@dataclass(frozen=True)
class _Counts:
    """What thresholds decide on the rows; each array is (thresholds,) int64, or float64 sums of weights."""

    true_positives: np.ndarray
    false_positives: np.ndarray
    positives: float
    negatives: float

    @property
    def f1(self) -> np.ndarray:
        return _ratio(2 * self.true_positives, self.true_positives + self.false_positives + self.positives)

    @property
    def precision(self) -> np.ndarray:
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> np.ndarray:
        return self.true_positives / self.positives

    @property
    def balanced_accuracy(self) -> np.ndarray:
        # One fraction of whole numbers, so that thresholds of the same worth are equal to the last bit.
        right = self.true_positives * self.negatives + (self.negatives - self.false_positives) * self.positives
        return right / (2 * self.positives * self.negatives)

    def cost(self, false_positive: float, false_negative: float) -> np.ndarray:
        """Return the mean cost of a row."""
        missed = self.positives - self.true_positives
        rows = self.positives + self.negatives
        return (false_positive * self.false_positives + false_negative * missed) / rows


def choose_threshold(
    aim: ThresholdAim, target: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> ThresholdChoice:
    """Return the best threshold for an aim; of equally good ones the nearest to 0.5.

    Args:
        aim: what it is chosen for.
        target: class indices (n,), 0 or 1, of both classes.
        scores: probabilities of the positive class (n,), finite.
        weights: (n,) how much each row counts; None where all count the same.

    Raises:
        ValueError: the rows are of one class, or a score is NaN or infinite.
    """
    member, scores = target.reshape(-1).astype(np.int64), scores.reshape(-1).astype(np.float64)
    if weights is not None:
        member, scores, weights = member[weights > 0], scores[weights > 0], weights[weights > 0]
    positives = int(member.sum())
    if not 0 < positives < len(member):
        raise ValueError("all rows are of one class")
    if not np.isfinite(scores).all():
        raise ValueError("a score is NaN or infinite")
    values, inverse, rows = np.unique(scores, return_inverse=True, return_counts=True)
    found: np.ndarray = np.bincount(inverse, weights=member, minlength=len(values)).astype(np.int64)
    if weights is not None:
        found, rows = (np.bincount(inverse, each, len(values)) for each in (weights * member, weights))
    thresholds, first = _candidates(values)
    counts = _counts(found, rows, first)
    value = _value(aim, counts)
    condition, wanted = _condition(aim, counts)
    met = condition >= wanted
    if met.any():
        sign = -1 if aim.aim == "cost" else 1
        best = _best(thresholds, np.where(met, sign * value, -np.inf), condition)
    else:
        best = _best(thresholds, condition, value)
    usual = _counts(found, rows, np.searchsorted(values, [USUAL], side="right"))
    return ThresholdChoice(
        threshold=float(thresholds[best]),
        value=float(value[best]),
        usual=float(_value(aim, usual)[0]),
        reached=bool(met.any()),
        nearest=float(condition.max()),
    )


def _condition(aim: ThresholdAim, counts: _Counts) -> tuple[np.ndarray, float]:
    """Return what must reach how much; what has no condition reaches it everywhere."""
    if aim.aim == "recall":
        return counts.precision, aim.at_precision or 0.0
    if aim.aim == "precision":
        return counts.recall, aim.at_recall or 0.0
    return np.ones(len(counts.true_positives)), 1.0


def _value(aim: ThresholdAim, counts: _Counts) -> np.ndarray:
    if aim.aim == "cost":
        return counts.cost(aim.false_positive or 0.0, aim.false_negative or 0.0)
    value: np.ndarray = getattr(counts, aim.aim)
    return value


def _candidates(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the thresholds in [0, 1] that decide differently on scores `values`, ascending, and how many of these are
    below each."""
    middle = values[:-1] / 2 + values[1:] / 2
    # Between two neighbouring floats there is no other: the middle is rounded to one of them.
    middle = np.where(middle < values[1:], middle, values[:-1])
    thresholds = np.concatenate([[values[0] / 2], middle, [values[-1] / 2 + 0.5]])
    first = np.arange(len(values) + 1)
    if not values[0] > thresholds[0]:  # a score of 0 is above no threshold
        thresholds, first = thresholds[1:], first[1:]
    return thresholds, first


def _counts(found: np.ndarray, rows: np.ndarray, first: np.ndarray) -> _Counts:
    """Return the counts of thresholds above which the scores from number `first` on lie."""
    above = np.concatenate([np.cumsum(rows[::-1])[::-1], [0]])[first]
    positives_above = np.concatenate([np.cumsum(found[::-1])[::-1], [0]])[first]
    positives = found.sum().item()
    return _Counts(positives_above, above - positives_above, positives, rows.sum().item() - positives)


def _best(thresholds: np.ndarray, *worth: np.ndarray) -> int:
    """Return the position of the largest `worth`, of equals that of the largest next one, at last the nearest to
    0.5."""
    left = np.arange(len(thresholds))
    for each in (*worth, -np.abs(thresholds - USUAL)):
        left = left[each[left] == each[left].max()]
    return int(left[0])


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, and 0 for 0 / 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole != 0)
