"""McNemar's exact test: do two classifiers err differently often on the same rows?

Only the rows count on which one is right and the other is wrong. If both err equally often, each of those is a fair
coin: the p-value is that of a two-sided binomial test with 1/2 (McNemar, Psychometrika 12, 1947; exact form: Fay,
The R Journal 2/1, 2010). The chi-squared form is an approximation of it, and is not needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # NumPy costs 80 ms, and the test itself needs none
    import numpy as np


@dataclass(frozen=True)
class McNemar:
    """The rows on which two classifiers differ.

    Attributes:
        only_first: rows that only the first has right.
        only_second: rows that only the second has right.
        p_value: chance of at least so uneven a share if both err equally often.
    """

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> McNemar:
    """Test two classifiers on the same rows.

    Args:
        first_right: whether the first is right on each row, bool (n,).
        second_right: the same of the second, for the same rows in the same order.
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    return McNemar(only_first, only_second, exact_p_value(only_first, only_second))


def right_more_often(first: np.ndarray, second: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return in which groups the first is right on more rows than the second, and in which the second, bool (groups,).

    Rows of one group are right or wrong together, so that each is no coin of its own; the groups are, and with these
    two for `first_right` and `second_right` the test is the sign test of the groups.

    Args:
        first: whether the first is right on each row, bool (n,).
        second: the same of the second.
        groups: (n,) of any values: equal for rows that belong together.
    """
    import numpy as np

    numbers = np.unique(groups, return_inverse=True)[1].reshape(-1)
    more = np.bincount(numbers, first.astype(np.int64) - second.astype(np.int64))
    return more > 0, more < 0


def exact_p_value(only_first: int, only_second: int) -> float:
    """Return twice the chance of at most the smaller count in `only_first + only_second` tosses of a fair coin."""
    tosses, fewer = only_first + only_second, min(only_first, only_second)
    if only_first == only_second:
        return 1.0
    # From the largest term down, each from the one before: exact to about 1e-12 also where the terms underflow as
    # products of whole numbers.
    term = math.exp(
        math.lgamma(tosses + 1) - math.lgamma(fewer + 1) - math.lgamma(tosses - fewer + 1) - tosses * math.log(2)
    )
    tail = 0.0
    for heads in range(fewer, -1, -1):
        tail += term
        if term <= tail * 1e-18:
            break
        term *= heads / (tosses - heads + 1)
    return min(1.0, 2 * tail)
