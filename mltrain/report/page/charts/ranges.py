"""Values with their intervals, a line each: a dot, and whiskers to both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltrain.problems import shortened
from mltrain.report.page.charts.frame import WIDTH, label, line, svg
from mltrain.report.page.charts.scale import Scale, around, drawable, tick_texts
from mltrain.report.page.html import Html, element

_ROW, _NAMES, _RIGHT, _TOP, _BOTTOM = 20, 136, 26, 6, 38


@dataclass(frozen=True)
class Range:
    """A value.

    Attributes:
        name: before it.
        value: where its bar ends.
        low, high: the ends of its interval; equal to the value where there is none.
        told: whether its interval excludes zero; other bars are paler.
    """

    name: str
    value: float
    low: float
    high: float
    told: bool


def ranges(description: str, each: Sequence[Range], axis: str) -> Html:
    """Return bars from zero with whiskers, below each other.

    Args:
        description: what is to be seen, for those who cannot see it.
        each: from above; what cannot be drawn is left out.
        axis: the name of the numbers.
    """
    shown = [one for one in each if all(map(drawable, (one.low, one.value, one.high)))]
    scale = around([0.0, *(end for one in shown for end in (one.low, one.high))], margin=0.03)
    bottom = _TOP + _ROW * len(shown)
    marks: list[Html] = []
    ticks = scale.ticks(4)
    for tick, written in zip(ticks, tick_texts(ticks), strict=True):
        place = _across(scale, tick)
        marks += [line(place, _TOP, place, bottom, "grid"), label(place, bottom + 16, written, "tick middle")]
    zero = _across(scale, 0.0)
    for number, one in enumerate(shown):
        middle = _TOP + (number + 0.5) * _ROW
        low, value, high = (_across(scale, end) for end in (one.low, one.value, one.high))
        marks += [
            label(_NAMES - 8, middle + 4, shortened(one.name, 21), "tick end"),
            element(
                "rect",
                x=min(zero, value),
                y=middle - 5,
                width=abs(value - zero),
                height=10,
                class_="bar" if one.told else "track",
            ),
            line(low, middle, high, middle, "whisker"),
            line(low, middle - 3, low, middle + 3, "whisker"),
            line(high, middle - 3, high, middle + 3, "whisker"),
        ]
    marks += [line(zero, _TOP, zero, bottom, "axis"), label((_NAMES + WIDTH) / 2, bottom + 33, axis, "name middle")]
    return svg(WIDTH, bottom + _BOTTOM, description, marks)


def _across(scale: Scale, value: float) -> float:
    return _NAMES + scale.share(value) * (WIDTH - _RIGHT - _NAMES)
