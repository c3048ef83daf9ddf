"""Curves of several runs over each other, as SVG that stands in a page: its colours are those of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from mltrain.report.text import number

_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 10, 30
# A line of the screen shows no more points than this.
_POINTS = 400
# Runs that have a colour of their own; the first is what the others are compared with.
COLOURS = 8


@dataclass(frozen=True)
class Curve:
    """One metric of one run.

    Attributes:
        name: of the run.
        values: one an epoch; what is not finite is left out of the line.
    """

    name: str
    values: tuple[float, ...]


def curves_svg(title: str, curves: Sequence[Curve]) -> str:
    """Return an `<svg>` with a line a run; its classes `c0` to `c7` and `rest` give the colours.

    Args:
        title: what is drawn, for those who cannot see it.
        curves: the first is drawn last, over the others.
    """
    finite = [value for curve in curves for value in curve.values if math.isfinite(value)]
    if not finite:
        return f"<p>{escape(title)} has no value in any epoch.</p>"
    low, high = min(finite), max(finite)
    if low / 2 == high / 2:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    epochs = max(len(curve.values) for curve in curves)
    frame = _Frame(low, high, max(2, epochs))
    lines = [frame.line(curve, position) for position, curve in enumerate(curves)]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)} of each run, over the epochs">'
        f"{frame.axes()}{''.join(reversed(lines))}</svg>"
    )


@dataclass(frozen=True)
class _Frame:
    low: float
    high: float
    epochs: int

    def x(self, epoch: int) -> float:
        return _LEFT + (epoch - 1) / (self.epochs - 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        # Halved first: the span of the largest floats is none.
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self) -> str:
        middle = self.low / 2 + self.high / 2
        parts = []
        for value in (self.low, middle, self.high):
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(number(value))}</text>')
        y = _HEIGHT - _BOTTOM + 18
        for epoch, anchor in ((1, "start"), (self.epochs, "end")):
            parts.append(f'<text x="{self.x(epoch):.1f}" y="{y}" text-anchor="{anchor}">epoch {epoch}</text>')
        return "".join(parts)

    def line(self, curve: Curve, position: int) -> str:
        kind = f"c{position}" if position < COLOURS else "rest"
        pieces = "".join(f'<polyline points="{points}"/>' for points in self._pieces(curve.values))
        return f'<g class="{kind}"><title>{escape(curve.name)}</title>{pieces}</g>'

    def _pieces(self, values: Sequence[float]) -> list[str]:
        """Return the points of each stretch without a gap; a lone point is drawn as a short stroke."""
        step = max(1, math.ceil(len(values) / _POINTS))
        pieces: list[list[str]] = [[]]
        for position in sorted({*range(0, len(values), step), *range(len(values))[-1:]}):
            value = values[position]
            if math.isfinite(value):
                pieces[-1].append(f"{self.x(position + 1):.1f},{self.y(value):.1f}")
            elif pieces[-1]:
                pieces.append([])
        return [" ".join(points * 2 if len(points) == 1 else points) for points in pieces if points]
