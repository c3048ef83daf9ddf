"""A curve as small as a word."""

from __future__ import annotations

from collections.abc import Sequence

from mltrain.report.page.charts.lines import thinned
from mltrain.report.page.charts.scale import around, drawable
from mltrain.report.page.html import Html, element, short
from mltrain.report.text import number

_WIDTH, _HEIGHT, _EDGE = 120, 28, 3


def sparkline(name: str, values: Sequence[float]) -> Html:
    """Return the values of `name`, one per epoch, as a line that ends in a dot. NaN and infinity leave a gap."""
    shown = f"{name} over {len(values)} epochs, from {number(values[0])} to {number(values[-1])}" if values else name
    scale = around(values)
    points = [
        (_EDGE + epoch / max(1, len(values) - 1) * (_WIDTH - 2 * _EDGE), value) for epoch, value in enumerate(values)
    ]
    path, dot, begins = "", None, True
    for x, value in thinned(points, _WIDTH // 2):
        if drawable(value):
            y = _HEIGHT - _EDGE - scale.share(value) * (_HEIGHT - 2 * _EDGE)
            path += f"{'M' if begins else 'L'}{short(x)} {short(y)}"
            dot = element("circle", cx=x, cy=y, r=2.5, class_="dot one")
        begins = not drawable(value)
    return element(
        "svg",
        element("title", shown),
        element("path", d=path, class_="line one") if path else None,
        dot,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=shown,
        class_="chart spark",
    )
