"""Rows that count differently: their effective number, means, medians, and the interval of a share.

Rows of weights w say as much as `(sum of w)^2 / sum of w^2` rows of one weight: Kish, Survey Sampling, 1965. Rows of
weight 0 count as no rows.
"""

from __future__ import annotations

import math

import numpy as np

from mltrain.evaluation.interval_forms import Interval, Z, holding, student_t, wilson

# By what factor weights change the variance of a share is known from the rarer of hits and misses; see `share`.
PRIOR_ROWS_OF_SHARE = 5.0


def effective(weights: np.ndarray) -> float:
    """Return how many rows of one weight say as much as rows of these weights (n,)."""
    largest = float(weights.max(initial=0.0))
    if not largest:
        return 0.0
    shares = weights / largest  # the square of a weight may be no float
    return float(shares.sum() ** 2 / (shares**2).sum())


def effective_units(weights: np.ndarray, groups: np.ndarray | None) -> float:
    """Return the effective number of rows, or of groups (n,), whole numbers from 0, whose rows are drawn together."""
    return effective(weights if groups is None else np.bincount(groups, weights))


def unbiased(weights: np.ndarray) -> np.ndarray:
    """Return what each deviation from a weighted mean is multiplied by (n,), so that the sum of the squares is an
    unbiased variance of the mean."""
    rows = effective(weights)
    return weights / weights.sum() * math.sqrt(rows / (rows - 1) if rows > 1 else 1.0)


def median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted median, as scikit-learn's `median_absolute_error`: the mean of two values where exactly half
    of the weight is below: Hyndman and Fan, Sample quantiles in statistical packages, 1996, definition 2."""
    counting = weights > 0
    order = np.argsort(values[counting], kind="stable")
    values, below = values[counting][order], np.cumsum(weights[counting][order])
    half, rounding = below[-1] / 2, 1e-12 * below[-1]
    place = int(np.searchsorted(below, half - rounding))
    if below[place] > half + rounding:
        return float(values[place])
    return float((values[place] + values[min(place + 1, len(values) - 1)]) / 2)


def median_interval(values: np.ndarray, weights: np.ndarray, half_share: float) -> Interval:
    """Return the weighted quantiles that lie the share `half_share` below and above the median."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    shares = np.array([max(0.5 - half_share, 0), min(0.5 + half_share, 1)])
    places = np.searchsorted(below, shares * below[-1]).clip(0, len(values) - 1)
    low, high = values[order][places]
    return holding(median(values, weights), low, high)


def share(right: np.ndarray, weights: np.ndarray) -> Interval | None:
    """Return the interval of the weighted share of rows that are right (n,) bool: Wilson's, of an effective number of
    rows; None where no row counts.

    Kish's number takes it that a weight says nothing of whether its row is right. Where heavy rows are wrong more
    often, the variance is larger, so the number of rows is corrected by the ratio of both variances, as Korn and
    Graubard do, Confidence intervals for proportions with small expected number of positive counts estimated from
    survey data, 1998. That ratio has an error of its own, which is large where hits or misses are few: it is averaged
    with 1 as if seen in `PRIOR_ROWS_OF_SHARE` rows; and as far as the weights differ, Student's t stands for the normal
    quantile. Without the last step the interval of 60 rows, of which heavy ones are wrong more often, covers 93 %.
    """
    rows = effective(weights)
    if not rows:
        return None
    weights = weights / weights.sum()
    value = min(float(weights[right].sum()), 1.0)
    if right[weights > 0].all():
        value = 1.0
    usual = value * (1 - value) / rows
    found = float(((weights * (right - value)) ** 2).sum())
    rarer = rows * min(value, 1 - value)
    ratio = found / usual if usual > 0 else 1.0
    ratio = (rarer * ratio + PRIOR_ROWS_OF_SHARE) / (rarer + PRIOR_ROWS_OF_SHARE)
    unlike = 1 - min(rows / np.count_nonzero(weights), 1.0)
    rows /= ratio * (1 + unlike * ((student_t(max(rarer, 4.0)) / Z) ** 2 - 1))
    return wilson(value * rows, rows)


def f1_share(found: Interval | None) -> Interval | None:
    """Return the interval of F1 = 2q / (1 + q) from that of the share q of true positives among the rows that are or
    are called positive."""
    return None if found is None else Interval(*(2 * q / (1 + q) for q in (found.low, found.high)))


def sign_test(right_a: np.ndarray, right_b: np.ndarray, weights: np.ndarray, groups: np.ndarray | None) -> float:
    """Return the two-sided p-value that one is right on more weight than the other: of the rows, or groups, on which
    they differ, each could as well speak for the other side.

    Fisher, The Design of Experiments, 1935, section 21: all ways to choose the sides where those are at most 2^16, else
    the normal distribution of their sum.
    """
    gains = weights * (right_a.astype(np.float64) - right_b)
    gains = gains if groups is None else np.bincount(groups, gains)
    sizes, found = np.abs(gains[gains != 0]), abs(float(gains.sum()))
    if not len(sizes):
        return 1.0
    if len(sizes) > 16:
        return math.erfc(found / math.sqrt(2 * float((sizes**2).sum())))
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return float(np.mean(np.abs(sums) >= found * (1 - 1e-12)))
