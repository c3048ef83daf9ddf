"""The forms that a 95 % interval can have, each from a few numbers: shares, areas, medians, percentiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
PRIOR_ROWS_OF_AREA = 5.0


@dataclass(frozen=True)
class Interval:
    """Both ends of a 95 % interval; the value of the metric lies in it."""

    low: float
    high: float


def wilson(hits: float, rows: float) -> Interval | None:
    """Return Wilson's interval of a share; None of no rows."""
    if not rows:
        return None
    share, extra = hits / rows, Z**2 / rows
    middle, half = share + extra / 2, math.sqrt(extra * share * (1 - share) + extra**2 / 4)
    low, high = (middle - half) / (1 + extra), (middle + half) / (1 + extra)
    return holding(share, max(low, 0.0), min(high, 1.0))


def f1_interval(correct: float, others: float) -> Interval | None:
    """Return the interval of F1 = 2q / (1 + q), q = correct / (correct + others), others = false alarms and misses."""
    share = wilson(correct, correct + others)
    return None if share is None else Interval(*(2 * q / (1 + q) for q in (share.low, share.high)))


def roc_auc_interval(value: float, found: float, positives: float, negatives: float) -> Interval:
    """Return the interval of an area: all areas from which `value` is less than 1.96 of their own errors away.

    The error of an area falls as it nears 1, as in Newcombe, Confidence intervals for an effect size measure based on
    the Mann-Whitney statistic, part 2, 2006, method 5, which is for scores of two exponential distributions. Whatever
    the scores are, their variance by DeLong says by what factor to correct that; its own error is large where one class
    is rare, so it is averaged with 1 as if seen in `PRIOR_ROWS_OF_AREA` rows. DeLong's interval, also on the scale of
    log odds, covers 90 % for 15 positive rows and an area of 0.96, this 95 %; and an area of 1 has one, too.

    Args:
        value: the area.
        found: its variance by DeLong.
        positives, negatives: how many rows of each.
    """
    mean = (positives + negatives) / 2

    def expected(area: float) -> float:
        spread = 1 + (mean - 1) * ((1 - area) / (2 - area) + area / (1 + area))
        return area * (1 - area) * spread / (positives * negatives)

    rarer = min(positives, negatives)
    ratio = found / expected(value) if 0 < value < 1 else 1.0
    ratio = (rarer * ratio + PRIOR_ROWS_OF_AREA) / (rarer + PRIOR_ROWS_OF_AREA)

    def end(outside: float) -> float:
        inside = value
        for _ in range(50):  # bisection: what is inside stays inside
            middle = (inside + outside) / 2
            if (value - middle) ** 2 <= Z**2 * ratio * expected(middle):
                inside = middle
            else:
                outside = middle
        return inside

    return Interval(end(0.0), end(1.0))


def around(value: float, steps: float) -> Interval:
    """Return the interval from value - steps to value + steps."""
    return Interval(value - steps, value + steps)


def around_log(value: float, steps: float) -> Interval | None:
    """Return value ± steps, taken on the scale of its logarithm; None where that has no end there."""
    if not value or steps / value > 700:
        return None
    factor = math.exp(steps / value)
    return holding(value, value / factor, value * factor)


def around_log_odds(value: float, steps: float) -> Interval:
    """Return value ± steps for a value between 0 and 1, taken on the scale of its log odds."""
    odds, factor = value / (1 - value), math.exp(min(steps / (value * (1 - value)), 700))
    return holding(value, odds / (odds + factor), odds / (odds + 1 / factor))


def student_t(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t, to 0.002 from 4 degrees of freedom: Abramowitz and Stegun, 26.7.5."""
    z, v = Z, freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / v + second / v**2 + third / v**3 + fourth / v**4


def median_interval(values: np.ndarray, half_share: float) -> Interval:
    """Return the quantiles of values (n,) that lie the share `half_share` below and above their median."""
    low, high = np.quantile(values, [max(0.5 - half_share, 0), min(0.5 + half_share, 1)])
    return holding(float(np.median(values)), low, high)


def percentiles(drawn: np.ndarray, value: float) -> Interval:
    """Return the interval that holds 95 % of the draws (draws,)."""
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return holding(value, low, high)


def holding(value: float, low: float, high: float) -> Interval:
    """Return the interval, stretched to hold the value: of a metric on its border the draws all lie on one side."""
    return Interval(min(float(low), value), max(float(high), value))
