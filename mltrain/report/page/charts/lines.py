"""Lines, as of curves over the epochs and ROC, and points, one for each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mltrain.report.page.charts.frame import Frame, label, line
from mltrain.report.page.charts.scale import drawable
from mltrain.report.page.html import Html, element, joined, short
from mltrain.report.text import number

LOOKS = ("one", "two", "three", "four", "five", "six")
LOOK_OF_SPLIT = {"train": "one", "validation": "two", "test": "three"}
# More are narrower than a pixel.
_POINTS = 400
# Few points are marked: a single one would be invisible.
_MARKED = 30
# More strips that show their values to a pointer make the page heavy: 150 bytes each.
_HINTS = 60
# More make the page heavy, and no reader sees them apart: 40 bytes each.
MOST_POINTS = 1200


@dataclass(frozen=True)
class Line:
    """A line.

    Attributes:
        name: in the legend.
        x: from left to right.
        y: one per x; NaN and infinity leave a gap.
        look: its class, one of `LOOKS`.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    look: str


def drawn(frame: Frame, lines: Sequence[Line], marked: bool = False) -> Html:
    """Return the lines; `marked` puts a dot on each of few points."""
    return joined([_path(frame, each) for each in lines], [_dots(frame, each) for each in lines if marked])


def upright(frame: Frame, value: float) -> Html:
    """Return a dotted line from below to above at `value`; in a legend its look is "mark"."""
    place = frame.across(value)
    return line(place, frame.top, place, frame.bottom, "mark")


def named_upright(frame: Frame, value: float, name: str) -> Html:
    """Return a line from below to above at `value`, with a name at its top."""
    place = frame.across(value)
    return joined(
        [
            line(place, frame.top, place, frame.bottom, "even"),
            label(place + 3, frame.top + 10, name, "name"),
        ]
    )


def diagonal(frame: Frame) -> Html:
    """Return the line of equal values on both axes."""
    low, high = max(frame.x.low, frame.y.low), min(frame.x.high, frame.y.high)
    if low >= high:
        return Html("")
    return line(frame.across(low), frame.down(low), frame.across(high), frame.down(high), "even")


def hints(frame: Frame, across: str, lines: Sequence[Line]) -> Html:
    """Return invisible vertical strips: a pointer on one shows the values there.

    Args:
        frame: of the chart.
        across: the name of what is to the right, such as `epoch`.
        lines: of one x axis.
    """
    x = max((each.x for each in lines), key=len, default=())
    step = -(-len(x) // _HINTS) if x else 1
    places = [place for place in range(0, len(x), step) if drawable(x[place])]
    middles = [frame.across(x[place]) for place in places]
    borders = [frame.left, *((a + b) / 2 for a, b in pairwise(middles)), frame.right]
    strips = []
    for place, left, right in zip(places, borders, borders[1:], strict=False):
        values = [f"{each.name} {number(each.y[place])}" for each in lines if place < len(each.y)]
        title = element("title", f"{across} {x[place]:g}: {', '.join(values)}")
        size = {"width": max(right - left, 0.5), "height": frame.bottom - frame.top}
        strips.append(element("rect", title, x=left, y=frame.top, **size, class_="hint"))
    return joined(strips)


def key(lines: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    """Return the legend of lines."""
    return tuple((each.name, f"line {each.look}") for each in lines)


def evenly(n: int, most: int = MOST_POINTS) -> Sequence[int]:
    """Return at most `most` of the numbers below `n`, evenly spaced."""
    return range(n) if n <= most else [at * n // most for at in range(most)]


def scattered(frame: Frame, x: Sequence[float], y: Sequence[float], look: str) -> Html:
    """Return a dot for each point; as one path, which is a quarter of the size.

    A dot is a line of no length with round ends.
    """
    shown = [(a, b) for a, b in zip(x, y, strict=True) if drawable(a) and drawable(b)]
    path = "".join(f"M{short(frame.across(a))} {short(frame.down(b))}h0" for a, b in shown)
    return element("path", d=path, class_=f"points {look}{' dense' if len(x) > 300 else ''}") if path else Html("")


def _path(frame: Frame, each: Line) -> Html:
    path = "".join(
        f"{'M' if begins else 'L'}{short(frame.across(x))} {short(frame.down(y))}" for begins, x, y in _points(each)
    )
    return element("path", d=path, class_=f"line {each.look}") if path else Html("")


def _dots(frame: Frame, each: Line) -> Html:
    if len(each.x) > _MARKED:
        return Html("")
    return joined(
        element("circle", cx=frame.across(x), cy=frame.down(y), r=2.6, class_=f"dot {each.look}")
        for _, x, y in _points(each)
    )


def _points(each: Line) -> Iterator[tuple[bool, float, float]]:
    """Yield the points that are drawn, and whether a new stretch begins with each."""
    begins = True
    for x, y in thinned(list(zip(each.x, each.y, strict=True))):
        shown = drawable(x) and drawable(y)
        if shown:
            yield begins, x, y
        begins = not shown


def thinned(points: Sequence[tuple[float, float]], most: int = _POINTS) -> Sequence[tuple[float, float]]:
    """Return at most about `most` points of a line: the lowest and highest of each stretch, so that peaks stay."""
    if len(points) <= most:
        return points
    stretch = -(-2 * len(points) // most)
    kept = [points[0]]
    for first in range(0, len(points), stretch):
        part = points[first : first + stretch]
        ends = sorted(
            {min(range(len(part)), key=lambda at: part[at][1]), max(range(len(part)), key=lambda at: part[at][1])}
        )
        kept += [part[at] for at in ends]
    return [*kept, points[-1]]
