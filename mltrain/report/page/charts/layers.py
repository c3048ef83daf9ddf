"""The diagram of a model: its layers from the input to the output, with their shapes and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltrain.problems import shortened
from mltrain.report.page.charts.frame import WIDTH, label, line, svg
from mltrain.report.page.html import Html, element

_HEIGHT, _GAP, _LEFT = 34, 14, 60
# A taller diagram does not help: the table beside it says the rest.
MOST = 24


@dataclass(frozen=True)
class Box:
    """A layer in the diagram.

    Attributes:
        kind: its class, such as `Dense`.
        shape: of its output, such as `64`.
        parameters: how many it has.
    """

    kind: str
    shape: str
    parameters: int


def layers(description: str, boxes: Sequence[Box], share: int) -> Html:
    """Return the boxes below each other; a blue bar in each is its part of the `share` parameters of the model."""
    marks: list[Html] = []
    width = WIDTH - 2 * _LEFT
    for number, box in enumerate(boxes):
        top = 4 + number * (_HEIGHT + _GAP)
        if number:
            middle = WIDTH / 2
            marks.append(line(middle, top - _GAP, middle, top - 1, "axis"))
            marks.append(line(middle - 3.5, top - 5, middle, top - 1, "axis"))
            marks.append(line(middle + 3.5, top - 5, middle, top - 1, "axis"))
        look = "box weights" if box.parameters else "box"
        marks.append(element("rect", x=_LEFT, y=top, width=width, height=_HEIGHT, rx=6, class_=look))
        if box.parameters and share:
            length = max((width - 24) * box.parameters / share, 2)
            marks.append(
                element("rect", x=_LEFT + 12, y=top + _HEIGHT - 6, width=length, height=3, rx=1.5, class_="bar")
            )
        name = element("tspan", shortened(box.kind, 22), class_="strong")
        shape = element("tspan", box.shape, dx=8, class_="tick")
        marks.append(element("text", name, shape, x=_LEFT + 12, y=top + 20))
        if box.parameters:
            marks.append(label(_LEFT + width - 12, top + 20, f"{box.parameters:,}", "tick end"))
    return svg(WIDTH, 8 + len(boxes) * (_HEIGHT + _GAP) - _GAP, description, marks)
