"""Columns of values that have a type already: from JSON, from YAML, from Parquet, from NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.column_settings import AS_WRITTEN, IMAGES
from mltrain.data.files.column_types import (
    TIMESTAMP,
    ZONED,
    ColumnPlace,
    first_row,
    parse_dates,
    parse_texts,
    quoted,
    without_zone,
)
from mltrain.data.files.missing_keys import USUAL
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.table import Column

# What a column is declared to be where each row has one value.
SINGLE = ("number", "category", "boolean", "datetime", AS_WRITTEN)

MOST_AXES = 32  # more than any layer takes, and fewer than NumPy's limit

_DECLARED_TYPES = {"number": (pa.int64(), pa.float64()), "boolean": (pa.bool_(),), "datetime": (ZONED, TIMESTAMP)}


def column_of_values(
    values: Sequence[Any], where: ColumnPlace, kind: str | None, missing: MissingValues | None = None
) -> Column:
    """Return a column of what JSON or YAML holds.

    Texts stay texts unless all are dates: whoever quotes "012" means the text. A column that mixes types is read as a
    column of a CSV file is, where every value is a text.

    Args:
        values: None, bool, int, float, str, or lists of equal shape of numbers.
        where: names the column and its rows.
        kind: what the column was declared to be, as for `parse_texts`.
        missing: texts and numbers that mean "no value", besides null, NaN and the empty text.

    Raises:
        DataError: a value is infinite, too large, an object, or not of the kind that most others are.
    """
    if kind == "ignore":  # not looked at
        return pa.nulls(len(values))
    if missing is not None and missing.usual == "numbers" and kind not in ("category", AS_WRITTEN):
        # The usual texts count where what is left are not texts.
        rest = [None if isinstance(value, str) and value.strip() in USUAL else value for value in values]
        if not any(isinstance(value, str) for value in rest):
            values = rest
    present = [None if _is_missing(value, where.column, missing) else value for value in values]
    types = {type(value) for value in present} - {type(None)}
    if dict in types:
        row = next(row for row, value in enumerate(present) if isinstance(value, dict))
        raise where.error(row, "expected a number, a text, true, false, null or a list of numbers, found an object")
    if list in types:
        return _array_of_lists(present, where, kind)
    if types == {str}:
        return typed_column(_texts(present, where), where, kind)
    if len(types) > 1 and types != {int, float}:
        texts = [None if value is None else _as_text(value) for value in present]
        return parse_texts(_texts(texts, where), where, kind)
    arrow_type = pa.bool_() if types == {bool} else pa.int64() if types == {int} else pa.float64()
    return typed_column(_numbers(present, where, arrow_type, kind), where, kind)


def typed_column(column: pa.Array, where: ColumnPlace, kind: str | None) -> Column:
    """Return an Arrow column as one of the types of a Table, and as what it was declared to be.

    Raises:
        DataError: the type has no place in a Table, a value is infinite, or the values are not what was declared.
    """
    if kind == "ignore":  # not looked at
        return pa.nulls(len(column))
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_list(column.type):
        return _from_lists(column, where, kind)
    if kind == IMAGES and _is_binary(column.type):
        return column
    if kind in ("category", AS_WRITTEN) and column.type == pa.uint64():
        return column.cast(pa.string())
    convert = _conversion(column.type)
    if convert is None:
        advice = f"; if they are images, declare data.features.{where.column}: image" if _is_binary(column.type) else ""
        expected = "expected numbers, texts, booleans, dates or lists of numbers"
        raise where.error(0, f"{expected}, found values of type {column.type}{advice}")
    typed = convert(column, where)
    if kind in (AS_WRITTEN, IMAGES):
        return typed
    if kind is not None:
        return _as_declared(typed, where, kind)
    dates = parse_dates(typed, where) if pa.types.is_string(typed.type) else None
    return typed if dates is None else dates


def finite_array(array: np.ndarray, where: ColumnPlace) -> np.ndarray:
    """Return an array of rank >= 2 in native byte order.

    Raises:
        DataError: it does not hold numbers, or one of them is NaN or infinite: an array has no missing values.
    """
    if array.dtype.kind not in "biuf":
        raise where.error(0, f"an array of {array.dtype}; expected numbers")
    if array.ndim > MOST_AXES:
        raise where.error(0, f"an array of {array.ndim} axes; expected {MOST_AXES} at most")
    if 0 in array.shape[1:]:
        raise where.error(0, f"an array of shape {array.shape}; expected no axis of length 0")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row, *axes = np.argwhere(~np.isfinite(array))[0].tolist()
        raise where.error(
            row, f"{array[(row, *axes)]} at position {axes}; an array can have no missing or infinite value"
        )
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _is_missing(value: Any, column: str, missing: MissingValues | None) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    if missing is not None and missing.any and isinstance(value, str | int | float):
        return missing.is_missing(column, value)
    return isinstance(value, str) and not value.strip()


def _as_text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _texts(values: Sequence[str | None], where: ColumnPlace) -> pa.Array:
    try:
        return pa.array([None if value is None else value.strip() for value in values], pa.string())
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write and no text can hold
        row = next(row for row, value in enumerate(values) if value and not value.isascii() and _is_broken(value))
        raise where.error(row, f"{quoted(values[row])} is not valid Unicode") from None


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _numbers(values: Sequence[Any], where: ColumnPlace, arrow_type: pa.DataType, kind: str | None) -> pa.Array:
    try:
        if pa.types.is_floating(arrow_type):
            values = [None if value is None else float(value) for value in values]
        return pa.array(values, arrow_type)
    except OverflowError:
        if kind in ("category", AS_WRITTEN):
            return _texts([None if value is None else str(value) for value in values], where)
        row = next(row for row, value in enumerate(values) if value is not None and abs(value) >= 2**63)
        raise where.error(
            row,
            f"{quoted(values[row])} is too large for a 64-bit integer; declare data.features.{where.column}: category",
        ) from None


def _array_of_lists(values: Sequence[Any], where: ColumnPlace, kind: str | None) -> Column:
    row = next((row for row, value in enumerate(values) if not isinstance(value, list)), None)
    if row is not None:
        raise where.error(row, f"expected a list, as in other rows, found {quoted(values[row])}")
    try:
        column = pa.array(values)
    except (pa.ArrowException, OverflowError) as error:
        raise where.error(0, f"expected lists of numbers of one shape ({error})") from error
    return _from_lists(column, where, kind)


def _is_list(arrow_type: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_list(arrow_type) or types.is_large_list(arrow_type) or types.is_fixed_size_list(arrow_type))


def _is_binary(arrow_type: pa.DataType) -> bool:
    return bool(pa.types.is_binary(arrow_type) or pa.types.is_large_binary(arrow_type))


def _conversion(arrow_type: pa.DataType) -> Callable[[pa.Array, ColumnPlace], pa.Array] | None:
    """Return the function that brings a column of `arrow_type` to a type of a Table; None when there is none."""
    types = pa.types
    if types.is_boolean(arrow_type):
        return lambda column, where: column
    if types.is_integer(arrow_type):
        return _from_integers
    if types.is_floating(arrow_type) or types.is_decimal(arrow_type) or types.is_null(arrow_type):
        return _from_floats
    if types.is_string(arrow_type) or types.is_large_string(arrow_type):
        return _from_texts
    if types.is_date(arrow_type) or types.is_timestamp(arrow_type):
        # A time with a zone becomes UTC; nanoseconds are cut to microseconds, which no feature is finer than.
        zoned = types.is_timestamp(arrow_type) and arrow_type.tz is not None
        return lambda column, where: column.cast(ZONED if zoned else TIMESTAMP, safe=False)
    return None


def _from_integers(column: pa.Array, where: ColumnPlace) -> pa.Array:
    row = _beyond_int64(column)
    if row is not None:
        remedy = f"declare data.features.{where.column}: category, or ignore"
        raise where.error(row, f"{column[row]} is too large for a signed 64-bit integer; {remedy}")
    return column.cast(pa.int64())


def _beyond_int64(column: pa.Array) -> int | None:
    """Return the first row with a number that no signed 64-bit integer holds; None where there is none."""
    large = pc.greater(column, pa.scalar(2**63 - 1, pa.uint64())) if column.type == pa.uint64() else None
    return first_row(large) if large is not None and pc.any(large).as_py() else None


def _from_floats(column: pa.Array, where: ColumnPlace) -> pa.Array:
    numbers = column.cast(pa.float64(), safe=False)
    if pc.any(pc.is_inf(numbers)).as_py():
        row = first_row(pc.is_inf(numbers))
        raise where.error(row, f"{numbers[row].as_py()} is not a finite number")
    return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)


def _from_texts(column: pa.Array, where: ColumnPlace) -> pa.Array:
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _from_lists(column: pa.Array, where: ColumnPlace, kind: str | None) -> Column:
    """Return arrays; of lists of one item the items, where they are declared so or cannot be arrays."""
    shape = [len(column)]
    while pa.types.is_nested(column.type) and not pa.types.is_struct(column.type):
        lengths = pc.list_value_length(column)
        length = lengths[0].as_py()
        unlike = pc.invert(pc.fill_null(pc.equal(lengths, length or 0), False))
        if pc.any(unlike).as_py():
            item = first_row(unlike)
            found = "no list" if lengths[item].as_py() is None else f"a list of {lengths[item]}"
            raise where.error(item // math.prod(shape[1:]), f"{found}, where the first row has a list of {length}")
        if not length:
            raise where.error(0, "an empty list; expected numbers")
        shape.append(length)
        if len(shape) > MOST_AXES:
            raise where.error(0, f"lists nested more than {MOST_AXES - 1} deep")
        column = column.flatten()
    of_numbers = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    single = of_numbers and math.prod(shape) == len(column) == shape[0]
    if single and (kind in SINGLE or not _fits_an_array(column)):
        return typed_column(column, where, kind)
    if column.null_count:
        item = first_row(pc.is_null(column))
        raise where.error(item // math.prod(shape[1:]), "a missing value in a list; arrays cannot have missing values")
    return finite_array(column.to_numpy(zero_copy_only=False).reshape(shape), where)


def _fits_an_array(column: pa.Array) -> bool:
    return not column.null_count and bool(np.isfinite(column.to_numpy(zero_copy_only=False)).all())


def _as_declared(column: pa.Array, where: ColumnPlace, kind: str) -> pa.Array:
    if pa.types.is_string(column.type):
        return parse_texts(column, where, kind)
    if kind == "category":
        return _category_texts(column)
    expected = _DECLARED_TYPES.get(kind)
    if expected is None or column.type in expected:
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column), expected[-1])
    if pa.types.is_boolean(column.type) and kind == "number":
        return column.cast(pa.int64())
    if kind == "boolean" and not pa.types.is_timestamp(column.type):
        return parse_texts(_category_texts(column), where, kind)
    row = first_row(pc.is_valid(column))
    raise where.error(row, f"{quoted(column[row])} is of type {column.type}, but the column was declared a {kind}")


def _category_texts(column: pa.Array) -> pa.Array:
    """Return the values as texts, 3.0 as "3": an integer column becomes floats as soon as one value is missing."""
    if pa.types.is_floating(column.type):
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**53))
        if pc.all(whole).as_py() is not False:
            column = column.cast(pa.int64())
    return without_zone(column).cast(pa.string())
