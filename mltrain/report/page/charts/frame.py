"""What charts share: the `<svg>` itself, axes with their numbers, and the legend."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mltrain.problems import printable, shortened
from mltrain.report.page.charts.scale import Scale, tick_texts
from mltrain.report.page.html import Content, Html, element, joined, short

WIDTH, HEIGHT = 420, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 30, 42
# The width of a letter at the size of `charts.css`, on average: SVG has no way to measure it.
_LETTER, _WIDE_LETTER = 6.2, 11.5
_NARROW = frozenset("fijlrtI.,:;'|!()[] ")
# The width of a mark in the legend with the room around it, and the height of a line of the legend.
_KEY, _KEY_LINE = 39, 17
_LONGEST_KEY = 100


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
        height: of the chart, without the second and later lines of the legend.
        legend: name and class of each kind of mark; written in as many lines as it needs.
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
        return _TOP + self._more if self.legend else 12

    @property
    def bottom(self) -> float:
        """Its lower end."""
        return self.height + self._more - _BOTTOM

    @cached_property
    def _keys(self) -> tuple[tuple[tuple[str, str, float], ...], ...]:
        """The lines of the legend: name, class and place from the left of each mark."""
        return tuple(self._key_lines())

    @property
    def _more(self) -> float:
        """The room that the second and later lines of the legend need."""
        return _KEY_LINE * max(len(self._keys) - 1, 0)

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
        return svg(self.width, self.height + self._more, description, self._axes(whole_x), *marks, self._legend())

    def _axes(self, whole_x: bool) -> Html:
        parts: list[Html] = []
        across = [tick for tick in self.x.ticks() if not whole_x or tick == int(tick)]
        for tick, written in zip(across, self.x.texts(tuple(across)), strict=True):
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
        parts.append(
            label((self.left + self.right) / 2, self.bottom + _BOTTOM - 6, shortened(self.x_name, 56), "name middle")
        )
        parts.append(label(11, middle, shortened(self.y_name, 34), "name middle", transform=turned))
        return joined(parts)

    def _legend(self) -> Html:
        parts: list[Html] = []
        for number, keys in enumerate(self._keys):
            down = 14 + _KEY_LINE * number
            for name, look, place in keys:
                if look.startswith("dot"):
                    parts.append(element("circle", cx=place + 9, cy=down, r=4, class_=look))
                else:
                    parts.append(line(place, down, place + 20, down, look))
                parts.append(label(place + 25, down + 4, name, "key"))
        return joined(parts)

    def _key_lines(self) -> Iterator[tuple[tuple[str, str, float], ...]]:
        keys: list[tuple[str, str, float]] = []
        place = self.left
        for name, look in self.legend:
            shown = _fitting(name, self.right - self.left - 25)
            if keys and place + 25 + text_width(shown) > self.right:
                yield tuple(keys)
                keys, place = [], self.left
            keys.append((shown, look, place))
            place += _KEY + text_width(shown)
        if keys:
            yield tuple(keys)


def text_width(written: str) -> float:
    """Return about how many pixels a text is wide."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" or letter in "mwMW@%" for letter in written)
    narrow = sum(letter in _NARROW for letter in written)
    return _LETTER * (len(written) - wide) - 2.4 * narrow + _WIDE_LETTER * wide


def _fitting(name: str, width: float) -> str:
    """Return a name, cut only where it is wider than a whole line."""
    longest = min(len(printable(name)), _LONGEST_KEY)
    while longest > 3 and text_width(shortened(name, longest)) > width:
        longest -= 1
    return shortened(name, longest)


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
