"""Points: a row each."""

from __future__ import annotations

from collections.abc import Sequence

from mltrain.report.page.charts.frame import Frame
from mltrain.report.page.charts.scale import drawable
from mltrain.report.page.html import Html, element, short

# More make the page heavy, and no reader sees them apart: 40 bytes each.
MOST = 1200


def evenly(n: int, most: int = MOST) -> Sequence[int]:
    """Return at most `most` of the numbers below `n`, evenly spaced."""
    return range(n) if n <= most else [at * n // most for at in range(most)]


def drawn(frame: Frame, x: Sequence[float], y: Sequence[float], look: str) -> Html:
    """Return a dot for each point; as one path, which is a quarter of the size.

    A dot is a line of no length with round ends.
    """
    shown = [(a, b) for a, b in zip(x, y, strict=True) if drawable(a) and drawable(b)]
    path = "".join(f"M{short(frame.across(a))} {short(frame.down(b))}h0" for a, b in shown)
    return element("path", d=path, class_=f"points {look}{' dense' if len(x) > 300 else ''}") if path else Html("")
