"""HTML and SVG that cannot be broken from inside: every text is escaped, unless it is `Html` already.

A run may come from a stranger, and with it the names of classes, columns and layers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape, unescape

_EMPTY = frozenset({"br", "meta", "img", "input", "link", "wbr"})
_TAG = re.compile("<[^>]*>")
_DOT = re.compile(r"(?<=[^\W\d]\.)(?=[^\W\d])")
_SPACE = re.compile(r"(\s+)")
# A name of fewer characters fits into a cell.
_LONG = 18


class Html(str):
    """A text that is HTML already, because `element` or `joined` made it."""

    __slots__ = ()


Content = str | Html | Iterable["Content"] | None


def element(tag: str, /, *content: Content, **attributes: str | float | bool | None) -> Html:
    """Return `<tag …>content</tag>`.

    Args:
        tag: name of the element, such as `td`.
        content: text, which is escaped, or elements, also lists of them; None is nothing.
        attributes: by name, `_` for `-` and one at the end for nothing (`class_`, `aria_label`); True is an attribute
            without a value, None and False are no attribute, and numbers are written short.
    """
    given = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    inside = joined(*content)
    return Html(f"<{tag}{given}>" if tag in _EMPTY else f"<{tag}{given}>{inside}</{tag}>")


def joined(*content: Content) -> Html:
    """Return content behind one another; text in it is escaped."""
    return Html("".join(map(_written, content)))


def prose(sentence: str, breaks: bool = False) -> Html:
    """Return a sentence in which what is between two back-ticks is code: ``set `data.split` `` shows no back-tick.

    Args:
        sentence: the sentence.
        breaks: whether long names in it are `breakable`.
    """
    shown: Callable[[str], Content] = breakable if breaks else str
    *pairs, last = sentence.split("`")
    if len(pairs) % 2:  # one back-tick without a partner is a character like any other
        last = f"{pairs.pop()}`{last}"
    return joined(
        *(element("code", shown(part)) if place % 2 else shown(part) for place, part in enumerate(pairs)), shown(last)
    )


def breakable(words: str) -> Html:
    """Return a text in which a long name such as `optimizer.learning_rate` may be broken after a dot."""
    return joined(
        [
            [part if place == 0 else joined(element("wbr"), part) for place, part in enumerate(_DOT.split(word))]
            if len(word) >= _LONG
            else word
            for word in _SPACE.split(words)
        ]
    )


def plain_text(content: Content) -> str:
    """Return content without its elements: the words alone."""
    return " ".join(unescape(_TAG.sub("", joined(content))).split())


def text(value: str) -> str:
    """Return text with control characters and those that turn the direction of writing made visible."""
    if value.isprintable():
        return value
    return "".join(one if one.isprintable() or one in "\n\u00a0" else repr(one)[1:-1] for one in value)


def _written(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return escape(text(content))
    return "".join(map(_written, content))


def _attribute(key: str, value: str | float | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f' {name}=""'  # SVG files are XML, which has no attribute without a value
    return f' {name}="{escape(text(value if isinstance(value, str) else short(value)))}"'


def short(value: float) -> str:
    """Return a coordinate with one digit behind the point, which is a tenth of a pixel: `12.5`, `40`."""
    return f"{round(value, 1):g}"
