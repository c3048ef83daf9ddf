"""Texts that look like numbers or dates and are something else: codes with leading zeros, dates in other forms."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
# 03/04/2024, 3.4.24, 31-12-2024: which is the day and which the month is not for us to guess.
OTHER_DATE = r"^\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2})([T ,].*)?$|^\d{4}[/.]\d{1,2}[/.]\d{1,2}([T ,].*)?$"
# Digits with a leading zero are codes: 01234, 007, 001.1. So are 1E5 and 12E3 beside 10: programs write 1e+05.
_LEADING_ZERO = r"^0\d"
_BARE_EXPONENT = r"^\d+[eE]\d+$"
_CODE = r"^\d+([eE]\d+)?$"


def may_be_codes(texts: pa.Array) -> bool:
    """Return whether a text is one that may make the whole column one of codes; see `are_codes`."""
    return _any_leading_zero(texts) or (_has_exponent(texts) and _any(texts, _BARE_EXPONENT))


def are_codes(texts: pa.Array, numbers: pa.Array | None) -> bool:
    """Return whether texts that could be numbers are codes: as numbers, 01234 would lose its zero, and 1E1 would be 10.

    Args:
        texts: of a whole column.
        numbers: what they are as numbers; None where not all are.
    """
    if _any_leading_zero(texts):
        return True
    if numbers is None or not pa.types.is_floating(numbers.type) or not _has_exponent(texts):
        return False
    bare = pc.sum(pc.match_substring_regex(texts, _BARE_EXPONENT)).as_py() or 0
    present = len(texts) - texts.null_count
    return 0 < bare < present and (pc.sum(pc.match_substring_regex(texts, _CODE)).as_py() or 0) == present


def codes_example(texts: pa.Array) -> str | None:
    """Return a text of a column that kept it from being numbers, or None where another kind of text did."""
    known = pc.unique(pc.drop_null(texts))
    if not len(known) or not pc.all(pc.match_substring_regex(known, NUMBER)).as_py():
        return None
    odd = known.filter(pc.match_substring_regex(known, f"{_LEADING_ZERO}|{_BARE_EXPONENT}"))
    return odd[0].as_py() if len(odd) else None


def other_date(texts: pa.Array) -> str | None:
    """Return the first of texts that are all dates in a form that is not ISO 8601; None where they are not."""
    known = pc.unique(pc.drop_null(texts))
    return known[0].as_py() if len(known) and pc.all(pc.match_substring_regex(known, OTHER_DATE)).as_py() else None


def _any(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())


def _any_leading_zero(texts: pa.Array) -> bool:
    # Two bytes of each text, as a regular expression over all columns is a fifth of the time that a file takes.
    characters = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    offsets = np.frombuffer(texts.buffers()[1] or bytes(4), np.int32)[texts.offset : texts.offset + len(texts) + 1]
    starts = offsets[:-1][np.diff(offsets) > 1]
    starts = starts[characters[starts] == ord("0")] if len(starts) else starts
    second = characters[starts + 1] if len(starts) else characters[:0]
    # The text of a missing value may still be in the buffer, so the exact answer is that of the expression.
    return bool(((second >= ord("0")) & (second <= ord("9"))).any()) and _any(texts, _LEADING_ZERO)


def _has_exponent(texts: pa.Array) -> bool:
    data = bytes(texts.buffers()[2] or b"")
    return b"e" in data or b"E" in data
