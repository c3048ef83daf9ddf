"""Parts of sentences: a number with its noun, such as "10,000 rows", lists of names that are cut, and a name that is
free."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def counted(count: int, noun: str) -> str:
    """Return a count and its noun in the right form.

    Args:
        count: how many.
        noun: in the singular, such as "row", "class" or "category".
    """
    if count == 1:
        return f"1 {noun}"
    if noun.endswith(("s", "x", "ch", "sh")) and not noun.endswith("epoch"):  # a ch that is spoken as a k
        return f"{count:,} {noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}s"


def listed(names: Sequence[str], most: int = 12) -> str:
    """Return names for a message, the first `most` of them."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def in_words(names: Sequence[str]) -> str:
    """Return "a", "a and b", or "a, b and c"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def in_full(number: float) -> str:
    """Return a number as a user writes it, with every digit: 3, 0.98, 1e-07. Read again, it is the same number."""
    return f"{number!r}".removesuffix(".0")


def free_name(name: str, taken: Collection[str]) -> str:
    """Return `name`, with as many underscores after it as make it none of `taken`."""
    while name in taken:
        name += "_"
    return name


def listed_shortly(sentences: Sequence[str], shown: int = 5) -> str:
    """Return the first of several sentences with commas between them, and how many more there are."""
    more = f", and {len(sentences) - shown} more" if len(sentences) > shown else ""
    return ", ".join(sentences[:shown]) + more
