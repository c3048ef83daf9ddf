"""How the dates of a file are written, where the dates themselves show it: mltrain takes no guess while it reads."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.files.date_format import MONTHS
from mltrain.data.table import Table

_MONTHS = 12
_MARK = "[ ./-]"
# A time may follow each of them.
_REST = r"(?:[T ,].*)?$"
_OF_NUMBERS = rf"^(?P<a>\d{{1,4}})(?P<x>{_MARK})(?P<b>\d{{1,2}})(?P<y>{_MARK})(?P<c>\d{{4}}|\d{{1,2}}){_REST}"
_NAME = f"(?i:{'|'.join(MONTHS)})[a-z]*"
_WITH_NAMES = {
    rf"^\d{{1,2}}{mark}{_NAME}{mark}{digits}{_REST}": f"DD{mark}MMM{mark}{year}"
    for mark in "- /"
    for digits, year in ((r"\d{4}", "YYYY"), (r"\d{2}", "YY"))
} | {rf"^{_NAME}\.? \d{{1,2}}, \d{{4}}{_REST}": "MMM DD, YYYY"}


def date_form(table: Table) -> str | None:
    """Return how the dates of all columns are written that are not ISO 8601; None where that is not certain."""
    forms = set()
    for values in table.columns.values():
        if isinstance(values, pa.Array) and pa.types.is_string(values.type):
            known = pc.unique(pc.drop_null(values))
            if len(known):
                forms.add(_form_with_names(known) or _form_of_numbers(known))
    forms.discard("")
    return forms.pop() if len(forms) == 1 else None


def _form_with_names(texts: pa.Array) -> str:
    """Return the form of dates with the names of months; an empty text where these are none."""
    fitting = (form for pattern, form in _WITH_NAMES.items() if _all(texts, pattern))
    return next(fitting, "")


def _form_of_numbers(texts: pa.Array) -> str | None:
    """Return the form of dates of numbers: None where they do not show which of them is the month, and an empty text
    where these are no dates."""
    if not _all(texts, _OF_NUMBERS):
        return ""
    parts = pc.extract_regex(texts, _OF_NUMBERS)
    first, second, third = (pc.struct_field(parts, name) for name in "abc")
    marks = pc.unique(pa.concat_arrays([pc.struct_field(parts, "x"), pc.struct_field(parts, "y")]))
    years = {len(text) for text in third.to_pylist()}
    if len(marks) > 1:
        return None
    mark = marks[0].as_py()
    if {len(text) for text in first.to_pylist()} == {4}:
        return f"YYYY{mark}MM{mark}DD"
    if years not in ({2}, {4}) or pc.max(pc.utf8_length(first)).as_py() > 2:
        return None
    year = "YYYY" if years == {4} else "YY"
    numbers = [set(pc.unique(part.cast(pa.int64())).to_pylist()) for part in (first, second)]
    if not all(0 < number <= 31 for part in numbers for number in part):
        return None
    if _is_day_beside(*numbers):
        return f"DD{mark}MM{mark}{year}"
    return f"MM{mark}DD{mark}{year}" if _is_day_beside(numbers[1], numbers[0]) else None


def _is_day_beside(days: set[int], months: set[int]) -> bool:
    """Return whether numbers are days and not months: one is above 12, or it is always the first of all months."""
    if max(months) > _MONTHS:
        return False
    return max(days) > _MONTHS or (days == {1} and len(months) == _MONTHS)


def _all(texts: pa.Array, pattern: str) -> bool:
    # The first one tells of nearly all columns that they are something else.
    return all(bool(pc.all(pc.match_substring_regex(some, pattern)).as_py()) for some in (texts[:1], texts))
