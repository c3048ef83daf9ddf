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
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.column_settings import AS_WRITTEN, IMAGES, READ_AS
from mltrain.data.files.column_error import ColumnError
from mltrain.data.files.missing_keys import USUAL
from mltrain.data.files.text_codes import NUMBER, OTHER_DATE, are_codes
from mltrain.errors import DataError

Place = Callable[[int], str]
# A target of a task with classes, any other target, and the weight of each row.
Role = Literal["classes", "target", "weight"]

# Times without a zone, and times with one, which are kept in UTC: an hour of the one is not an hour of the other.
TIMESTAMP, ZONED = pa.timestamp("us"), pa.timestamp("us", "UTC")

# Not numbers to us, but whoever wrote them meant numbers: they count when a column may be mostly numbers.
_MEANT_AS_NUMBER = r"^[+-]?(\d+(,\d+)+(\.\d+)?|(?i:inf|infinity|nan)|0[xX][0-9a-fA-F]+)$"
# Such a number with a comma; one whose comma must separate thousands; and one whose comma may do so.
_WITH_COMMA = r"^[+-]?\d+(,\d+)+(\.\d*)?$"
_CERTAIN_THOUSANDS = r"^[+-]?[1-9]\d{0,2}((,\d{3}){2,}(\.\d*)?|(,\d{3})+\.\d*)$"
_IN_GROUPS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$"
_DATE = r"^\d{4}-\d{2}(-\d{2}([T ]\d{2}(:\d{2}(:\d{2}(\.\d{1,9})?)?)?( ?(Z|UTC|GMT)|[+-]\d{2}(:?\d{2})?)?)?)?$"
# How many different texts that do not fit an error keeps.
MOST_ODD = 9
_DATE_FORM = "date in the form 2024-05, 2024-05-31 or 2024-05-31T16:00:00"
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
        role: what the config uses the column for, where it is no feature.
        delimiter: what separates the columns of a delimited text.
    """

    column: str
    place: Place
    missing_key: bool = False
    options: bool = False
    in_part: bool = False
    role: Role | None = None
    delimiter: str = ","

    def error(self, row: int, message: str) -> ColumnError:
        """Return the error that something is wrong with this column in `row`."""
        error = ColumnError(f"{self.place(row)}: column {self.column!r}: {message}")
        error.column = self.column
        return error


class DeclaredKinds(dict[str, str]):
    """What columns are read as, by name, as far as the config says it, and which columns cannot be features."""

    def __init__(self, kinds: Mapping[str, str], roles: Mapping[str, Role]) -> None:
        unknown = {name: kind for name, kind in kinds.items() if kind not in READ_AS}
        if unknown:
            raise ValueError(f"texts cannot be read as these kinds: {unknown}")
        super().__init__(kinds)
        self.roles = roles


def role_in(declared: Mapping[str, str] | None, name: str) -> Role | None:
    """Return what a column is used for; None where it may be a feature."""
    return declared.roles.get(name) if isinstance(declared, DeclaredKinds) else None


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
        kind: what the column was declared to be, one of `READ_AS`: "ignore" where nobody needs it; None to find out.

    Returns:
        int64, float64, bool, `TIMESTAMP` or `ZONED`, else the texts unchanged. A column without any value is float64;
        an ignored one holds nothing but nulls.

    Raises:
        DataError: a value is not of the declared kind, or of the kind that most others are.
        ValueError: there is no such kind.
    """
    if kind is not None and kind not in READ_AS:
        raise ValueError(f"texts cannot be read as {kind!r}")
    if kind == "ignore":
        return pa.nulls(len(texts))
    if kind in ("category", AS_WRITTEN, IMAGES):
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
    try:
        for parse in (_numbers, parse_dates):
            parsed = parse(texts, where)
            if parsed is not None:
                return parsed
    except DataError:
        if where.role != "classes":
            raise  # else 1, 2, 3 and 4+ are names of classes
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
    are_numbers = pc.match_substring_regex(texts, NUMBER)
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
            rounded = f"{quoted(text)} would be rounded to {numbers[row].as_py():.0f}"
            raise where.error(row, f"{rounded}; declare data.features.{where.column}: category, or ignore")


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
        remedies = [f"Write it with a decimal point, or {_comma_remedy(texts, text, where)}"]
    elif what == _DATE_FORM and re.match(OTHER_DATE, text):
        setting = _setting(where, "date_format", "DD/MM/YYYY")
        remedies = [f"{setting[0].upper()}{setting[1:]} (or how the dates are written)"]
    if where.role == "weight":
        # As a missing value it would be refused, too.
        remedies = [*remedies, "name a column of numbers in data.sample_weight"]
    elif where.role is not None:
        # As a missing value it would be refused, and a target is not a feature.
        if remedies == ["Correct the row"]:
            remedies = ["Correct the row or leave it out"]
        if not declared:
            remedies.append("state task: multiclass to learn each text as a class")
    elif not declared:
        remedies.append(f"declare data.features.{where.column}: category")
    if where.missing_key and where.role is None and not (what == _DATE_FORM and re.match(OTHER_DATE, text)):
        if text in USUAL:
            remedies.append(_setting(where, "usual_missing", "numbers"))
        elif where.options:
            remedies.append(_setting(where, "missing", shlex.quote(text)))
        else:
            remedies.append(f"add {quoted(text)} to data.source.missing")
    counts = f" ({alike} of {present} values are)" if alike else f" (none of {present} values is)"
    error = where.error(
        row, f"{quoted(text)} is not a {what}{'' if where.in_part else counts}. {', or '.join(remedies)}"
    )
    error.expected, error.odd_share = what, 1 - alike / present
    error.odd = tuple(pc.unique(texts.filter(pc.invert(mask)))[:MOST_ODD].to_pylist())
    raise error


def _comma_remedy(texts: pa.Array, text: str, where: ColumnPlace) -> str:
    """Return how numbers with a comma can be read, from all texts of their column: the comma separates thousands, is
    the decimal point, or may be either of both."""
    thousands, decimal = _setting(where, "thousands", "','"), _setting(where, "decimal", "','")
    found = texts.filter(pc.match_substring_regex(texts, _WITH_COMMA))
    if pc.any(pc.match_substring_regex(found, _CERTAIN_THOUSANDS)).as_py():
        return thousands
    in_groups = pc.all(pc.match_substring_regex(found, _IN_GROUPS)).as_py()
    if not len(found) or not in_groups or where.delimiter == ";":
        return decimal
    whole, fraction = text.replace(",", ""), text.replace(",", ".")
    return f"if {quoted(text)} means {whole}, {thousands}; if it means {fraction}, {decimal}"


def _setting(where: ColumnPlace, key: str, value: str) -> str:
    return f"pass --{key.replace('_', '-')} {value}" if where.options else f"set data.source.{key}: {value}"


def _impossible_date(texts: pa.Array, where: ColumnPlace) -> DataError:
    for row, text in enumerate(texts.to_pylist()):
        try:
            datetime.fromisoformat(text or "2000-01-01")
        except ValueError as error:
            return where.error(row, f"{quoted(text)} is not a date: {error}")
    zoned = pc.match_substring_regex(texts, r"T?\d{2}:?.*(Z|[+-]\d{2}(:?\d{2})?)$")
    row = first_row(pc.not_equal(zoned, zoned[0]) if zoned[0].is_valid else zoned)
    wrong = "some times have a time zone and others do not; write all with a zone, or none"
    return where.error(row, f"{quoted(texts[row])}: {wrong}")
