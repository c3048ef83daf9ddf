"""What charts share: the `<svg>` itself, axes with their numbers, and the legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mltrain.problems import shortened
from mltrain.report.page.charts.scale import Scale, tick_texts
from mltrain.report.page.html import Content, Html, element, joined, short

WIDTH, HEIGHT = 420, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 30, 42
# Of a letter at the size of `charts.css`, on the average: SVG has no way to ask.
_LETTER = 6.2
# Of a mark in the legend, with the room around it.
_KEY = 39


@dataclass(frozen=True)
class Chart:
    """A chart that is drawn.

    Attributes:
        name: of its file in `plots/`, without ending.
        svg: the `<svg>`.
        caption: the sentence under it.
    """

    name: str
    svg: Html
    caption: str


@dataclass(frozen=True)
class Frame:
    """Two axes.

    Attributes:
        x: to the right.
        y: up.
        x_name: written below.
        y_name: written beside.
        width: of the chart, in its own pixels.
        height: of the chart.
        legend: name and class of each kind of mark.
    """

    x: Scale
    y: Scale
    x_name: str
    y_name: str
    width: float = WIDTH
    height: float = HEIGHT
    legend: Sequence[tuple[str, str]] = field(default=())

    @cached_property  # every mark asks for it
    def left(self) -> float:
        """Where the area of the marks begins: behind the numbers, and the name beside them."""
        longest = max(map(len, tick_texts(self.y.ticks())), default=0)
        return max(_LEFT, 26 + _LETTER * longest)

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.width - _RIGHT

    @property
    def top(self) -> float:
        """Its upper end."""
        return _TOP if self.legend else 12

    @property
    def bottom(self) -> float:
        """Its lower end."""
        return self.height - _BOTTOM

    def across(self, value: float) -> float:
        """Return where `value` is from the left."""
        return self.left + self.x.share(value) * (self.right - self.left)

    def down(self, value: float) -> float:
        """Return where `value` is from above."""
        return self.bottom - self.y.share(value) * (self.bottom - self.top)

    def draw(self, description: str, *marks: Content, whole_x: bool = False) -> Html:
        """Return the chart with `marks` in it.

        Args:
            description: what is to be seen, for those who cannot see it.
            marks: elements of SVG.
            whole_x: write only whole numbers below.
        """
        return svg(self.width, self.height, description, self._axes(whole_x), *marks, self._legend())

    def _axes(self, whole_x: bool) -> Html:
        parts: list[Html] = []
        across = [tick for tick in self.x.ticks() if not whole_x or tick == int(tick)]
        for tick, written in zip(across, tick_texts(tuple(across)), strict=True):
            place = self.across(tick)
            parts.append(line(place, self.top, place, self.bottom, "grid"))
            parts.append(label(place, self.bottom + 16, written, "tick middle"))
        down = self.y.ticks()
        for tick, written in zip(down, tick_texts(down), strict=True):
            place = self.down(tick)
            parts.append(line(self.left, place, self.right, place, "grid"))
            parts.append(label(self.left - 6, place + 4, written, "tick end"))
        parts.append(line(self.left, self.bottom, self.right, self.bottom, "axis"))
        middle = (self.top + self.bottom) / 2
        turned = f"rotate(-90 11 {short(middle)})"
        parts.append(label((self.left + self.right) / 2, self.height - 6, shortened(self.x_name, 56), "name middle"))
        parts.append(label(11, middle, shortened(self.y_name, 34), "name middle", transform=turned))
        return joined(parts)

    def _legend(self) -> Html:
        parts: list[Html] = []
        place = self.left
        letters = int((self.right - self.left - _KEY * len(self.legend)) / _LETTER)
        fits = sum(len(name) for name, _ in self.legend) <= letters
        for name, look in self.legend:
            shown = name if fits else shortened(name, max(3, letters // len(self.legend)))
            if look.startswith("dot"):
                parts.append(element("circle", cx=place + 9, cy=14, r=4, class_=look))
            else:
                parts.append(line(place, 14, place + 20, 14, look))
            parts.append(label(place + 25, 18, shown, "key"))
            place += _KEY + _LETTER * len(shown)
        return joined(parts)


def svg(width: float, height: float, description: str, *content: Content) -> Html:
    """Return an `<svg>` of that many pixels that grows with the page."""
    return element(
        "svg",
        *content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {short(width)} {short(height)}",
        role="img",
        aria_label=description,
        class_="chart",
    )


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> Html:
    """Return a straight line; `look` is its class."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=look)


def label(x: float, y: float, written: str, look: str, transform: str | None = None) -> Html:
    """Return a text; `look` is its class, which says where it is anchored."""
    return element("text", written, x=x, y=y, class_=look, transform=transform)


def as_file(drawn: Html) -> bytes:
    """Return an `<svg>` as the content of a file of its own, with the style that the page gives it."""
    style = element("style", Html(chart_style()))
    begin = drawn.index(">") + 1
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn[:begin]}{style}{drawn[begin:]}\n'.encode()


def chart_style() -> str:
    """Return the style of all charts."""
    return Path(__file__).with_name("charts.css").read_text(encoding="utf-8")
