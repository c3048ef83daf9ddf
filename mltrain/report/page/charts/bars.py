"""Bars to the right, a line each, with the name before and the number behind; and histograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltrain.problems import shortened
from mltrain.report.page.charts.frame import WIDTH, Frame, label, svg
from mltrain.report.page.charts.scale import Scale
from mltrain.report.page.html import Html, element, joined

_ROW, _NAMES, _NUMBERS = 22, 136, 104


@dataclass(frozen=True)
class Bar:
    """A bar.

    Attributes:
        name: before it.
        value: its length, at least 0.
        written: behind it.
    """

    name: str
    value: float
    written: str


def bars(description: str, each: Sequence[Bar]) -> Html:
    """Return the bars below each other, the longest as long as there is room."""
    longest = max((bar.value for bar in each), default=0.0) or 1.0
    room = WIDTH - _NAMES - _NUMBERS
    rows = []
    for number, bar in enumerate(each):
        top = 4 + number * _ROW
        length = max(room * bar.value / longest, 1.0 if bar.value else 0.0)
        rows += [
            label(_NAMES - 8, top + 12, shortened(bar.name, 21), "tick end"),
            element("rect", x=_NAMES, y=top, width=room, height=_ROW - 7, rx=2, class_="track"),
            element("rect", x=_NAMES, y=top, width=length, height=_ROW - 7, rx=2, class_="bar"),
            label(_NAMES + room + 8, top + 12, bar.written, "tick"),
        ]
    return svg(WIDTH, 8 + _ROW * len(each), description, rows)


def histogram(frame: Frame, edges: Sequence[float], counts: Sequence[int]) -> Html:
    """Return a column for each count between two of the `edges`, which are one more."""
    columns = []
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        left, right = frame.across(low), frame.across(high)
        top = frame.down(count)
        columns.append(
            element(
                "rect", x=left + 0.5, y=top, width=max(right - left - 1, 0.5), height=frame.bottom - top, class_="bar"
            )
        )
    return joined(columns)


def counts_scale(counts: Sequence[int]) -> Scale:
    """Return the upward axis of a histogram."""
    return Scale(0.0, 1.05 * max(counts, default=1) or 1.0)
