"""The points of the curves that show what a threshold does, and how far a probability can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# More cannot be seen in a chart of that many pixels.
_POINTS = 300


@dataclass(frozen=True)
class Thresholds:
    """What each threshold would give: the class is the positive one above it.

    Attributes:
        threshold: (points,), ascending.
        precision: (points,); NaN where nothing is above.
        recall: (points,).
        f1: (points,).
    """

    threshold: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


@dataclass(frozen=True)
class Reliability:
    """How often what was said with a probability came true, in bins of equal width that have rows.

    Attributes:
        said: mean probability in each bin, (bins,).
        came_true: share of the rows of which it was true, (bins,).
        rows: in each bin, (bins,).
    """

    said: np.ndarray
    came_true: np.ndarray
    rows: np.ndarray


def roc_points(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the false and the true positive rate at every distinct score, thinned; from (0, 0) to (1, 1).

    Args:
        positive: (n,) bool; both values must be there.
        scores: (n,), larger for positive.
    """
    right, wrong = _steps(positive, scores)
    x, y = np.r_[0.0, wrong / wrong[-1]], np.r_[0.0, right / right[-1]]
    return _thinned(x, y, along=x + y)  # it only goes right and up


def precision_recall_points(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return recall and precision at every distinct score, thinned; arguments as for `roc_points`."""
    right, wrong = _steps(positive, scores)
    recall = right / right[-1]
    return _thinned(recall, right / (right + wrong), along=recall)


def threshold_points(positive: np.ndarray, scores: np.ndarray) -> Thresholds:
    """Return what each threshold from 0 to 1 would give; arguments as for `roc_points`."""
    threshold = np.linspace(0.0, 1.0, 201)
    above = len(scores) - np.searchsorted(np.sort(scores), threshold, side="right")
    right = positive.sum() - np.searchsorted(np.sort(scores[positive]), threshold, side="right")
    precision = np.divide(right, above, out=np.full(len(threshold), np.nan), where=above > 0)
    return Thresholds(threshold, precision, right / positive.sum(), 2 * right / (above + positive.sum()))


def reliability(probability: np.ndarray, true: np.ndarray, bins: int = 10) -> Reliability:
    """Return the bins of a reliability diagram (DeGroot and Fienberg, 1983).

    Args:
        probability: (n,), of what was said.
        true: (n,) bool, whether it was so.
        bins: of equal width.
    """
    of = np.minimum((probability * bins).astype(np.int64), bins - 1)
    rows = np.bincount(of, minlength=bins)
    filled = rows > 0
    said, came_true = (np.bincount(of, each, bins)[filled] / rows[filled] for each in (probability, true))
    return Reliability(said, came_true, rows[filled])


def _steps(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many positive and how many other rows have at least each distinct score, the largest first."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.r_[np.flatnonzero(np.diff(ordered)), len(ordered) - 1]
    right = np.cumsum(positive[order])[last]
    return right.astype(np.float64), (last + 1 - right).astype(np.float64)


def _thinned(x: np.ndarray, y: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points at even steps of `along`, which ascends: most scores may lie on few pixels."""
    if len(x) <= _POINTS:
        return x, y
    kept = np.searchsorted(along, np.linspace(along[0], along[-1], _POINTS))
    kept = np.unique(np.r_[0, np.minimum(kept, len(x) - 1), len(x) - 1])
    return x[kept], y[kept]
