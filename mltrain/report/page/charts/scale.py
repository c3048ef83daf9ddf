"""From numbers to places along an axis, and the round numbers that are written there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_LOG_RATIO = 100  # positive numbers that far apart are shown on a logarithmic axis
# The difference of two numbers has to be one, too, and so has their ratio.
_LARGEST, _SMALLEST = 1e100, 1e-100


@dataclass(frozen=True)
class Scale:
    """An axis.

    Attributes:
        low: the lowest value.
        high: the highest value.
        log: whether equal distances are equal ratios; `low` is then positive.
    """

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Return how far along the axis `value` is: 0 at its start, 1 at its end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, about: int = 5) -> tuple[float, ...]:
        """Return round numbers on the axis: about as many as `about` says."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            powers = tuple(10.0**power for power in range(first, last + 1, max(1, (last - first) // about)))
            if len(powers) > 1:
                return powers
        step = _round_step((self.high - self.low) / about)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(count * step for count in range(first, last + 1))

    def texts(self, ticks: tuple[float, ...]) -> tuple[str, ...]:
        """Return ticks as they are written."""
        return tick_texts(ticks)


UNIT = Scale(0.0, 1.0)


def drawable(value: float) -> bool:
    """Return whether a number has a place on an axis: NaN, infinity and what is close to it have none."""
    return abs(value) <= _LARGEST


def around(values: Iterable[float], *, margin: float = 0.05, log: bool = False) -> Scale:
    """Return a scale on which all `values` are; what cannot be drawn does not count.

    Args:
        values: any number of them.
        margin: of the whole, left free at both ends.
        log: a logarithmic scale, if the values are positive and far enough apart.
    """
    drawn = [value for value in values if drawable(value)]
    low, high = (min(drawn), max(drawn)) if drawn else (0.0, 1.0)
    if log and low > _SMALLEST and high / low > _LOG_RATIO:
        room = (high / low) ** margin
        return Scale(low / room, high * room, log=True)
    size = max(abs(low), abs(high), _SMALLEST)
    # Numbers that differ in the last digits only are one number: no tick would fall between them.
    free = margin * (high - low if high - low > 1e-9 * size else size if low or high else 1.0)
    return Scale(low - free, high + free)


def tick_texts(ticks: tuple[float, ...]) -> tuple[str, ...]:
    """Return ticks as they are written, all with as many digits behind the point as they need to differ."""
    if len(ticks) < 2:
        return tuple(f"{tick:.3g}" for tick in ticks)
    steps = [abs(after - before) for before, after in pairwise(ticks)]
    if max(steps) > 2 * min(steps):  # powers of ten
        return tuple(f"{tick:g}" for tick in ticks)
    largest = max(map(abs, ticks))
    if not 1e-3 <= largest < 1e6:
        significant = max(3, 2 + math.ceil(math.log10(largest / steps[0])))
        return tuple(f"{0.0 if abs(tick) < steps[0] / 2 else tick:.{significant}g}" for tick in ticks)
    digits = next((digits for digits in range(9) if math.isclose(round(steps[0], digits), steps[0], rel_tol=1e-6)), 9)
    return tuple(f"{0.0 if abs(tick) < steps[0] / 2 else tick:,.{digits}f}" for tick in ticks)


def _round_step(step: float) -> float:
    if not step > 0 or not math.isfinite(step):
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= step * 0.999), 10 * power)
