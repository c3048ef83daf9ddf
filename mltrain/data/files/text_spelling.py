"""Numbers and dates as they are written in some countries, spelled in the one way that is read everywhere."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.files.column_types import ColumnPlace, first_row, quoted
from mltrain.data.files.date_format import MONTHS, date_pattern

_PLAIN = r"^[+-]?\d*\.\d+([eE][+-]?\d+)?$"


def plain_spelling(
    texts: pa.Array, where: ColumnPlace, decimal: str, thousands: str | None, *, declared: bool
) -> pa.Array:
    """Return the texts with numbers as `1234.5`; other texts stay as they are.

    Args:
        texts: of a column.
        where: names the column and its rows.
        decimal: the decimal point of the file.
        thousands: what stands between thousands, None for nothing.
        declared: whether the column was declared to hold numbers.

    Raises:
        DataError: among such numbers one has the decimal point of other files.
    """
    point, separator = re.escape(decimal), re.escape(thousands or "")
    # No number of thousands begins with 0: in 0,134 the comma is the decimal point.
    whole = rf"([1-9]\d{{0,2}}({separator}\d{{3}})+|\d+)" if thousands else r"\d+"
    numbers = pc.match_substring_regex(texts, rf"^[+-]?({whole}({point}\d*)?|{point}\d+)([eE][+-]?\d+)?$")
    found = pc.sum(numbers).as_py() or 0
    if not found:
        return texts
    if decimal != ".":
        others = pc.and_(pc.match_substring_regex(texts, _PLAIN), pc.invert(numbers))
        strange = pc.sum(others).as_py() or 0
        if strange and (declared or 2 * (found + strange) > len(texts) - texts.null_count):
            row = first_row(pc.fill_null(others, False))
            raise where.error(row, f"{quoted(texts[row])} is not a number where the decimal point is {decimal!r}")
    plain = pc.replace_substring(texts, thousands, "") if thousands else texts
    return pc.if_else(numbers, pc.replace_substring(plain, decimal, ".") if decimal != "." else plain, texts)


def iso_dates(texts: pa.Array, form: str) -> pa.Array:
    """Return the texts with dates of a form as ISO 8601; other texts stay as they are."""
    parts = pc.extract_regex(texts, date_pattern(form))
    if parts.null_count == len(parts):
        return texts
    names = [field.name for field in parts.type]

    def part(name: str) -> pa.Array:
        return pc.struct_field(parts, name)

    year = part("year") if "year" in names else _whole_year(part("short"))
    month = _number_of_month(part("name")) if "name" in names else pc.utf8_lpad(part("month"), 2, "0")
    date = pc.binary_join_element_wise(year, month, pc.utf8_lpad(part("day"), 2, "0"), "-")
    minute, second, fraction = part("minute"), part("second"), part("fraction")
    clock = pc.binary_join_element_wise(_hours(part("hour"), part("half")), minute, ":")
    clock = pc.if_else(pc.equal(second, ""), clock, pc.binary_join_element_wise(clock, second, ":"))
    clock = pc.if_else(pc.equal(fraction, ""), clock, pc.binary_join_element_wise(clock, fraction, "."))
    zone = pc.replace_substring_regex(pc.utf8_trim_whitespace(part("zone")), "^(UTC|GMT)$", "Z")
    whole = pc.binary_join_element_wise(date, pc.binary_join_element_wise(clock, zone, ""), "T")
    iso = pc.if_else(pc.equal(minute, ""), date, whole)
    return pc.if_else(pc.is_valid(parts), iso, texts)


def _whole_year(short: pa.Array) -> pa.Array:
    # As POSIX and Python have it: 69 to 99 are of the last century.
    old = pc.greater_equal(short, "69")
    return pc.binary_join_element_wise(pc.if_else(old, "19", "20"), short, "")


def _number_of_month(names: pa.Array) -> pa.Array:
    place = pc.index_in(pc.utf8_lower(names), pa.array(MONTHS))
    return pa.array([f"{number:02d}" for number in range(1, 13)]).take(place)


def _hours(hours: pa.Array, half: pa.Array) -> pa.Array:
    numbers = pc.if_else(pc.equal(hours, ""), "0", hours).cast(pa.int64())
    half = pc.utf8_lower(half)
    on_the_dial = pc.if_else(pc.equal(numbers, 12), 0, numbers)
    numbers = pc.if_else(pc.equal(half, "am"), on_the_dial, numbers)
    numbers = pc.if_else(pc.equal(half, "pm"), pc.add(on_the_dial, 12), numbers)
    return pc.utf8_lpad(numbers.cast(pa.string()), 2, "0")
