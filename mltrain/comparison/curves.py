"""Curves of several runs over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltrain.report.page.charts.frame import Chart, Frame
from mltrain.report.page.charts.lines import LOOKS, Line, drawn, hints
from mltrain.report.page.charts.scale import Scale, around, drawable
from mltrain.report.page.html import element
from mltrain.report.page.sections.training import file_name

_WIDTH = 560


@dataclass(frozen=True)
class Curve:
    """One metric of one run.

    Attributes:
        name: of the run.
        values: one an epoch; what is not finite is left out of the line.
        position: of the run among those that are compared, which decides on its look; several seeds share one.
    """

    name: str
    values: tuple[float, ...]
    position: int = 0


def look_of(position: int) -> str:
    """Return the look of the run at `position`: its own for the first six, one for all others."""
    return LOOKS[position] if position < len(LOOKS) else "rest"


def curves_chart(title: str, curves: Sequence[Curve]) -> Chart | None:
    """Return a chart with a line a run; None where no run has a value in any epoch.

    Args:
        title: what is drawn.
        curves: the first is drawn last, over the others.
    """
    values = [value for curve in curves for value in curve.values if drawable(value)]
    if not values:
        return None
    last = max(len(curve.values) for curve in curves)
    across = Scale(1, last) if last > 1 else Scale(0.5, 1.5)
    frame = Frame(across, around(values, log=True), "epoch", title, width=_WIDTH)
    lines = [element("g", element("title", curve.name), drawn(frame, [_line(curve)], marked=True)) for curve in curves]
    description = f"{title} of each run, over the epochs"
    scale = ", on a logarithmic scale" if frame.y.log else ""
    of_runs = [_line(curve) for curve in curves]
    drawing = frame.draw(description, reversed(lines), hints(frame, "epoch", of_runs), whole_x=True)
    return Chart(f"curve-{file_name(title)}", drawing, f"{title} after each epoch{scale}.")


def _line(curve: Curve) -> Line:
    return Line(curve.name, range(1, len(curve.values) + 1), curve.values, look_of(curve.position))
