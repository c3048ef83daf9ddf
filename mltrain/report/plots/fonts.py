"""Fonts for characters that Matplotlib's own font lacks, such as those of Chinese, Japanese and Korean names.

Nothing is looked for before a text needs it: most plots are drawn with Matplotlib's own font alone.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

OWN = "DejaVu Sans"
# Parts of the file names of fonts that have such characters, the best first.
_KNOWN = (
    *("notosanscjk", "notosansjp", "notosanssc", "notosanskr", "sourcehansans", "notoserifcjk"),
    *("wqy-zenhei", "wqy-microhei", "droidsansfallback", "ipaexg", "ipag", "takao", "vl-gothic", "nanumgothic"),
    *("unbatang", "undotum", "ukai", "uming", "notosans", "unifont", "arialunicode", "arial unicode", "freesans"),
    *("hiragino", "yugoth", "msgothic", "meiryo", "simhei", "msyh", "pingfang", "malgun", "applesdgothic"),
)
INSTALL = "install a font that has them, such as the package fonts-noto-cjk"
_missing: set[str] = set()


def drawable(text: str) -> str:
    """Return a text with `□` for each character that no installed font has; those are remembered for `missing`."""
    if text.isascii():
        return text
    own = _own_font()
    lacking = {char for char in text if not own.get_char_index(ord(char))}
    without = lacking - {char for _, font in _others(frozenset(lacking)) for char in lacking if _has(font, char)}
    _missing.update(without)
    return "".join("□" if char in without else char for char in text)


def families(texts: Iterable[str]) -> list[str]:
    """Return the names of the fonts that texts need: Matplotlib's own, and those for what it lacks."""
    own = _own_font()
    lacking = frozenset(
        char for text in texts if not text.isascii() for char in text if not own.get_char_index(ord(char))
    )
    return [OWN, *(name for name, _ in _others(lacking))]


def missing() -> str | None:
    """Return a sentence on characters that could not be drawn, each only once; None if there are no new ones."""
    if not _missing:
        return None
    shown = "".join(sorted(_missing)[:10])
    more = f" and {len(_missing) - 10} more" if len(_missing) > 10 else ""
    _missing.clear()
    return f"no installed font has the characters {shown}{more}, which are □ in the plots; {INSTALL}"


@functools.cache
def _others(lacking: frozenset[str]) -> tuple[tuple[str, Any], ...]:
    """Return name and font of as few fonts as have the characters; what no font has is left out."""
    found, left = [], set(lacking)
    for path in _candidates() if left else ():
        font = _opened(path)
        if font is not None and any(_has(font, char) for char in left):
            found.append((_named(path), font))
            left -= {char for char in left if _has(font, char)}
        if not left:
            break
    return tuple(found)


def _candidates() -> tuple[str, ...]:
    """Return the paths of installed fonts that may have the characters, the best first."""
    names = [(Path(path).name.lower().replace("-regular", ""), path) for path in sorted(installed())]
    ranked = [
        (place, "bold" in name, name, path)
        for name, path in names
        for place in [next((place for place, known in enumerate(_KNOWN) if name.startswith(known)), None)]
        if place is not None
    ]
    return tuple(path for *_, path in sorted(ranked))


def installed() -> list[str]:
    """Return the paths of all installed fonts: their names alone are read."""
    from matplotlib.font_manager import findSystemFonts

    return findSystemFonts()


@functools.cache
def _opened(path: str) -> Any:
    from matplotlib.font_manager import get_font

    try:
        return get_font(path)
    except (OSError, RuntimeError):  # a damaged file
        return None


@functools.cache
def _named(path: str) -> str:
    """Return the name by which Matplotlib knows the font; it is made known where it is new."""
    from matplotlib.font_manager import fontManager

    known = {entry.fname: entry.name for entry in fontManager.ttflist}
    if path not in known:
        fontManager.addfont(path)
        known = {entry.fname: entry.name for entry in fontManager.ttflist}
    return known[path]


def _has(font: Any, char: str) -> bool:
    return bool(font.get_char_index(ord(char)))


@functools.cache
def _own_font() -> Any:
    from matplotlib.font_manager import findfont, get_font

    # Matplotlib brings this font along, so plots are the same on every machine.
    return get_font(findfont(OWN))
