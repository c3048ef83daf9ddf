"""Which learning rate the losses of a range test speak for. Plain numbers.

The rules are those of fastai's `lr_find` (Howard and others, fastai 2, `callback/schedule.py`), on losses that are
smoothed as by its recorder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_SMOOTHING = 0.98
_DIVERGED = 4.0
# The first updates say more of the smoothing than of the learning rate, and the last ones of the divergence.
_SHARE_OF_FIRST, _LAST = 10, 5


def smoothed(losses: Sequence[float]) -> list[float]:
    """Return the running mean after each loss: exponential, and without the bias of its beginning."""
    mean, found = 0.0, []
    for count, loss in enumerate(losses, start=1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        found.append(mean / (1 - _SMOOTHING**count))
    return found


def has_diverged(means: Sequence[float]) -> bool:
    """Return whether the last of the running means is so large that larger learning rates need no try."""
    return means[-1] > _DIVERGED * min(means)


def of_interest(steps: int, count: int) -> range:
    """Return which of `count` measured points decide, of a test that had so many `steps` before it."""
    return range(steps // _SHARE_OF_FIRST, max(count - _LAST, 0))


def chosen(rule: str, rates: Sequence[float], means: Sequence[float]) -> float | None:
    """Return the learning rate that a rule chooses; None where the loss does not fall.

    Args:
        rule: "valley" or "steepest".
        rates: ascending.
        means: the smoothed losses of them.
    """
    if len(means) < 3 or min(means) >= means[0]:
        return None
    return rates[_valley(means) if rule == "valley" else _steepest(rates, means)]


def _steepest(rates: Sequence[float], means: Sequence[float]) -> int:
    slopes = [
        (means[place + 1] - means[place]) / (math.log(rates[place + 1]) - math.log(rates[place]))
        for place in range(len(means) - 1)
    ]
    return min(range(len(slopes)), key=slopes.__getitem__)


def _valley(means: Sequence[float]) -> int:
    """Return the middle of the longest falling subsequence, a third from each of its ends."""
    longest = [1] * len(means)
    begin = end = 0
    for later in range(1, len(means)):
        for earlier in range(later):
            if means[later] < means[earlier] and longest[later] < longest[earlier] + 1:
                longest[later] = longest[earlier] + 1
            if longest[end] < longest[later]:
                end = later
                begin = end - longest[end]
    third = (end - begin) / 3
    return max(0, begin + int(third) + int(third / 2))
