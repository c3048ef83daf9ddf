"""A raw column as texts, in the spelling that is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, is_text
from mltrain.data.files.column_types import without_zone

_WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))(?:\.0*)?")


def texts_of(column: RawColumn) -> pa.Array:
    """Return a column as text (rows,), empty where missing. Whole numbers lose their decimal point.

    Raises:
        DataError: it holds arrays.
    """
    values = column.values
    if isinstance(values, np.ndarray):
        raise column.failure(f"expected single values, but it holds {column.holds()} (declare it as image or array)")
    if pa.types.is_floating(values.type):
        numbers = values.to_numpy(zero_copy_only=False)
        # A missing value makes pandas and others store whole numbers as floating-point ones: 3.0 is the category 3.
        known = numbers[~np.isnan(numbers)]
        if (np.abs(known) < 2**53).all() and (known == np.floor(known)).all():
            values = pc.cast(pa.array(numbers, from_pandas=True), pa.int64())
    if is_text(values.type):
        values = _without_points(values)
    return pc.fill_null(pc.cast(without_zone(values), pa.string()), "")


def _without_points(values: pa.Array) -> pa.Array:
    """Return texts that are all whole numbers, some as 3.0, as 3; other texts as they are."""
    if not len(values) or not (values.buffers()[2] and b"." in bytes(values.buffers()[2])):
        return values
    known = pc.drop_null(pc.unique(values)).to_pylist()
    if not any(text.endswith((".0", ".")) for text in known) or not all(map(_WHOLE.fullmatch, filter(None, known))):
        return values
    return pc.replace_substring_regex(values, r"\.0*$", "")


def spelled_as(texts: pa.Array, known: Sequence[str]) -> pa.Array:
    """Return texts (rows,) in which a category has the spelling that is known: 3.0 is 3 where 3 is known, and the other
    way round; True is true; 1234 is 01234 where all that is known are codes of five digits, as programs that read
    codes as numbers write them. Texts that are known, or are not a spelling of what is known, stay as they are.
    """
    different = pc.unique(texts)
    unknown = different.filter(pc.invert(pc.is_in(different, value_set=pa.array([*known, ""], pa.string()))))
    if not len(unknown):
        return texts
    by_plain = dict.fromkeys(_plain(text) for text in known)
    for text in known:
        by_plain[_plain(text)] = None if by_plain[_plain(text)] is not None else text  # of two spellings none is meant
    width = _width_of_codes(known)
    found = {
        text: by_plain.get(_plain(text)) or (by_plain.get(_plain(text).zfill(width)) if width else None)
        for text in unknown.to_pylist()
    }
    meant = {text: spelling for text, spelling in found.items() if spelling}
    if not meant:
        return texts
    place = pc.index_in(texts, value_set=pa.array(list(meant), pa.string()))
    return pc.coalesce(pa.array(list(meant.values()), pa.string()).take(place), texts)


def _width_of_codes(known: Sequence[str]) -> int:
    """Return how many digits all codes have, of which one begins with 0; 0 where they are not such codes."""
    codes = [text for text in known if text]
    width = len(codes[0]) if codes else 0
    alike = all(len(code) == width and code.isascii() and code.isdigit() for code in codes)
    return width if alike and any(code.startswith("0") for code in codes) else 0


def _plain(text: str) -> str:
    whole = _WHOLE.fullmatch(text)
    if whole:
        return "0" if whole[1] == "-0" else whole[1]
    return text.lower() if text.lower() in ("true", "false") else text
