"""What a column of texts holds: booleans, numbers, dates, or texts.

The rules are few and strict. A column is of a kind when *every* value is. A column where most values are numbers (or
dates) and some are not is an error that names the first, never silently a category: it is a typo far more often than a
category, and as a category it would train without a word.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.missing_keys import USUAL
from mltrain.errors import DataError

Place = Callable[[int], str]

# Times without a zone, and times with one, which are kept in UTC: an hour of the one is not an hour of the other.
TIMESTAMP, ZONED = pa.timestamp("us"), pa.timestamp("us", "UTC")

# The kind of a column that is needed, but not as a feature, such as the key of a split: a text stays as it is.
AS_WRITTEN = "as written"

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
# Not numbers to us, but whoever wrote them meant numbers: they count when a column may be mostly numbers.
_MEANT_AS_NUMBER = r"^[+-]?(\d+(,\d+)+(\.\d+)?|(?i:inf|infinity|nan)|0[xX][0-9a-fA-F]+)$"
_DATE = r"^\d{4}-\d{2}(-\d{2}([T ]\d{2}(:\d{2}(:\d{2}(\.\d{1,9})?)?)?( ?(Z|UTC|GMT)|[+-]\d{2}(:?\d{2})?)?)?)?$"
_DATE_FORM = "date in the form 2024-05, 2024-05-31 or 2024-05-31T16:00:00"
# 03/04/2024, 3.4.24, 31-12-2024: which is the day and which the month is not for us to guess.
OTHER_DATE = r"^\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2})([T ,].*)?$|^\d{4}[/.]\d{1,2}[/.]\d{1,2}([T ,].*)?$"
# Digits with a leading zero are codes: 01234, 007, 001.1. So are 1E5 and 12E3 beside 10: programs write 1e+05.
_LEADING_ZERO = r"^0\d"
_BARE_EXPONENT = r"^\d+[eE]\d+$"
_CODE = r"^\d+([eE]\d+)?$"
_TRUE = ["true", "yes", "1"]
_FALSE = ["false", "no", "0"]


@dataclass(frozen=True)
class ColumnPlace:
    """Where a column is, so that an error can name the file, the row and the column.

    Attributes:
        column: its name.
        place: says where a row is.
        missing_key: whether the source has a key `missing` that can name more texts for "no value".
        options: whether what is advised are options of a command, not keys of a source.
        in_part: whether the rows are a part of a file, of which no count is a count of the file.
    """

    column: str
    place: Place
    missing_key: bool = False
    options: bool = False
    in_part: bool = False

    def error(self, row: int, message: str) -> DataError:
        """Return the error that something is wrong with this column in `row`."""
        return DataError(f"{self.place(row)}: column {self.column!r}: {message}")


@dataclass(frozen=True)
class OnlyThese(Mapping[str, str]):
    """The kinds of the columns that are needed; every other column is ignored.

    Attributes:
        kinds: by the name of the column; None means to find out.
    """

    kinds: Mapping[str, str | None]

    def __getitem__(self, name: str) -> str:
        kind = self.kinds.get(name, "ignore")
        if kind is None:
            raise KeyError(name)
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(self.kinds)

    def __len__(self) -> int:
        return len(self.kinds)


def parse_texts(texts: pa.Array, where: ColumnPlace, kind: str | None) -> pa.Array:
    """Return a column of texts as what it holds.

    Args:
        texts: the values; null is a missing value.
        where: names the column and its rows.
        kind: what the column was declared to be ("number", "category", "boolean", "datetime"), "ignore" where nobody
            needs it, `AS_WRITTEN`; None to find out.

    Returns:
        int64, float64, bool, `TIMESTAMP` or `ZONED`, else the texts unchanged. A column without any value is float64;
        an ignored one holds nothing but nulls.

    Raises:
        DataError: a value is not of the declared kind, or of the kind that most others are.
    """
    if kind == "ignore":
        return pa.nulls(len(texts))
    if kind in ("category", AS_WRITTEN):
        return texts
    if kind == "boolean":
        return _declared_booleans(texts, where)
    if kind == "number":
        return _numbers(texts, where, declared=True)
    if kind == "datetime":
        return parse_dates(texts, where, declared=True)
    if texts.null_count == len(texts):
        return pa.nulls(len(texts), pa.float64())
    if _are_booleans(texts):
        return pc.equal(pc.utf8_lower(texts), "true")
    for parse in (_numbers, parse_dates):
        parsed = parse(texts, where)
        if parsed is not None:
            return parsed
    return texts


def parse_dates(texts: pa.Array, where: ColumnPlace, declared: bool = False) -> pa.Array | None:
    """Return timestamps, or None when most of the texts are not dates. Times with a zone become `ZONED`.

    Raises:
        DataError: some texts are not dates although most are, or although the column was declared so.
    """
    are_dates = pc.match_substring_regex(texts, _DATE)
    if not declared and not _most(are_dates, texts):
        return None
    _check_all(are_dates, texts, where, _DATE_FORM, declared)
    texts = pc.replace_substring_regex(texts, r"(\.\d{6})\d+", r"\1")  # no feature is finer than a microsecond
    texts = pc.replace_substring_regex(texts, r" ?(Z|UTC|GMT)$", "Z")
    is_month = pc.equal(pc.utf8_length(texts), len("2024-05"))
    texts = pc.if_else(is_month, pc.binary_join_element_wise(texts, "01", "-"), texts)
    for zone in (None, "UTC"):
        try:
            return texts.cast(pa.timestamp("us", zone))
        except pa.ArrowInvalid:
            continue
    raise _impossible_date(texts, where)


def without_zone(values: pa.Array) -> pa.Array:
    """Return times with a zone as they are in UTC, without it; anything else as it is."""
    return values.cast(TIMESTAMP) if values.type == ZONED else values


def plain_numbers(texts: pa.Array) -> pa.Array | None:
    """Return int64, or float64 where one has a fraction, or None when not every text is a number."""
    numbers = _cast(texts, pa.int64())
    # Arrow reads 0x1F as an integer, and below inf and nan as floats; to us they are texts.
    if numbers is not None and not pc.any(pc.match_substring(texts, "x", ignore_case=True)).as_py():
        return numbers
    numbers = _cast(texts, pa.float64())
    return numbers if numbers is not None and pc.all(pc.is_finite(numbers)).as_py() is not False else None


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
    if not len(known) or not pc.all(pc.match_substring_regex(known, _NUMBER)).as_py():
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


def may_be_rounded(numbers: pa.Array) -> bool:
    """Return whether a number is so large that whole ones beside it cannot be told apart as float64."""
    return bool(pc.any(pc.greater_equal(pc.abs(pc.cast(numbers, pa.float64(), safe=False)), 2.0**53)).as_py())


def first_row(mask: pa.Array) -> int:
    """Return the first row where `mask` is true; there must be one."""
    return int(pc.index(mask, value=True).as_py())


def quoted(value: object) -> str:
    """Return a value as a message shows it: without control characters, and cut short."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:37] + "…")


def _are_booleans(texts: pa.Array) -> bool:
    lengths = pc.min_max(pc.binary_length(texts)).as_py()
    if lengths["min"] < len("true") or lengths["max"] > len("false"):
        return False  # almost every column ends here, which saves two passes over its texts
    return bool(pc.all(pc.is_in(pc.utf8_lower(texts), pa.array(["true", "false", None]))).as_py())


def _declared_booleans(texts: pa.Array, where: ColumnPlace) -> pa.Array:
    lower = pc.utf8_lower(texts)
    known = pc.is_in(lower, pa.array(_TRUE + _FALSE))
    _check_all(known, texts, where, "boolean: true or false, yes or no, 1 or 0", declared=True)
    return pc.if_else(pc.is_valid(texts), pc.is_in(lower, pa.array(_TRUE)), pa.scalar(None, pa.bool_()))


def _numbers(texts: pa.Array, where: ColumnPlace, declared: bool = False) -> pa.Array | None:
    """Return int64 or float64, or None when most of the texts are not numbers."""
    numbers = plain_numbers(texts)
    if not declared and are_codes(texts, numbers):
        return None
    if numbers is not None:
        _check_exact(numbers, texts, where)
        return numbers
    are_numbers = pc.match_substring_regex(texts, _NUMBER)
    if not declared and not _most(pc.or_(are_numbers, pc.match_substring_regex(texts, _MEANT_AS_NUMBER)), texts):
        return None
    _check_all(are_numbers, texts, where, "number", declared)
    row = first_row(pc.invert(pc.is_finite(texts.cast(pa.float64()))))
    raise where.error(row, f"{quoted(texts[row])} is too large for a 64-bit float")


def _cast(texts: pa.Array, number_type: pa.DataType) -> pa.Array | None:
    try:
        texts.slice(0, 100).cast(number_type)  # Arrow does not stop at the first failure: 0.2 s for a million texts
        return texts.cast(number_type)
    except pa.ArrowInvalid:
        return None


def _check_exact(numbers: pa.Array, texts: pa.Array, where: ColumnPlace) -> None:
    """Refuse whole numbers that a float would round: they are identifiers, and two of them could become one."""
    if not pa.types.is_floating(numbers.type) or not may_be_rounded(numbers):
        return
    for row in pc.indices_nonzero(pc.greater_equal(pc.abs(numbers), 2.0**53)).to_pylist():
        text = texts[row].as_py()
        if text.lstrip("+-").isdigit() and int(text) != int(numbers[row].as_py()):
            raise where.error(
                row,
                f"{quoted(text)} would be rounded to {numbers[row].as_py():.0f}; "
                f"declare data.features.{where.column}: category, or ignore",
            )


def _most(mask: pa.Array, texts: pa.Array) -> bool:
    return (pc.sum(mask).as_py() or 0) * 2 > len(texts) - texts.null_count


def _check_all(mask: pa.Array, texts: pa.Array, where: ColumnPlace, what: str, declared: bool) -> None:
    """Raise the error for the first text that is not in `mask`, if there is one."""
    alike, present = pc.sum(mask).as_py() or 0, len(texts) - texts.null_count
    if alike == present:
        return
    row = first_row(pc.invert(mask))
    text = texts[row].as_py()
    remedies = ["Correct the row"]
    if what == "number" and "," in text:
        remedies = [f"Write it with a decimal point, or {_setting(where, _separators(text))}"]
    elif what == _DATE_FORM and re.match(OTHER_DATE, text):
        setting = _setting(where, ("date_format", "DD/MM/YYYY"))
        remedies = [f"{setting[0].upper()}{setting[1:]} (or how the dates are written)"]
    if not declared:
        remedies.append(f"declare data.features.{where.column}: category")
    if where.missing_key and not (what == _DATE_FORM and re.match(OTHER_DATE, text)):
        usual = text in USUAL
        if where.options:
            remedies.append("pass --usual-missing numbers" if usual else f"pass --missing {shlex.quote(text)}")
        else:
            remedies.append(
                "set data.source.usual_missing: numbers" if usual else f"add {quoted(text)} to data.source.missing"
            )
    counts = f" ({alike} of {present} values are)" if alike else f" (none of {present} values is)"
    raise where.error(row, f"{quoted(text)} is not a {what}{'' if where.in_part else counts}. {', or '.join(remedies)}")


def _separators(text: str) -> tuple[str, str]:
    """Return the key, and its value, by which a number with a comma can be read."""
    return ("thousands", "','") if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text) else ("decimal", "','")


def _setting(where: ColumnPlace, setting: tuple[str, str]) -> str:
    key, value = setting
    return f"pass --{key.replace('_', '-')} {value}" if where.options else f"set data.source.{key}: {value}"


def _impossible_date(texts: pa.Array, where: ColumnPlace) -> DataError:
    for row, text in enumerate(texts.to_pylist()):
        try:
            datetime.fromisoformat(text or "2000-01-01")
        except ValueError as error:
            return where.error(row, f"{quoted(text)} is not a date: {error}")
    zoned = pc.match_substring_regex(texts, r"T?\d{2}:?.*(Z|[+-]\d{2}(:?\d{2})?)$")
    row = first_row(pc.not_equal(zoned, zoned[0]) if zoned[0].is_valid else zoned)
    return where.error(row, f"{quoted(texts[row])}: some times of the column have a time zone and some have none")
