"""One-hot targets: columns of 0 and 1, one per class, of which exactly one is 1 in every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, is_number, is_text, without_missing
from mltrain.wording import listed

_ONE = ("1", "true", "yes", "y", "t")
_ZERO = ("0", "false", "no", "n", "f")
# From this share of rows with exactly one 1, a few wrong rows are more likely than labels that are independent.
_NEARLY_ALL = 0.95


def ones_per_row(columns: Sequence[RawColumn]) -> np.ndarray | None:
    """Return how many of the columns are 1 in each row, (rows,); None where a value is missing or is not 0 or 1."""
    flags = [_flags(column.values) for column in columns]
    known = [each for each in flags if each is not None]
    return np.stack(known, axis=1).sum(axis=1) if len(known) == len(columns) else None


def are_one_hot(columns: Sequence[RawColumn]) -> bool:
    """Return whether exactly one of the columns is 1 in every row."""
    ones = ones_per_row(columns)
    return ones is not None and bool((ones == 1).all())


def nearly_one_hot(columns: Sequence[RawColumn]) -> str:
    """Return a sentence on labels that are one-hot except for a few rows; an empty text for others."""
    ones = ones_per_row(columns)
    if ones is None or not _NEARLY_ALL <= (ones == 1).mean() < 1:
        return ""
    row = int((ones != 1).argmax())
    return (
        f"; exactly one is 1 in {np.count_nonzero(ones == 1):,} of {len(ones):,} rows: if these are the classes of one "
        f"target, correct the other rows (the first is {columns[0].place(row)})"
    )


def class_numbers(columns: Sequence[RawColumn]) -> np.ndarray:
    """Return the position of the column that is 1 in each row, int64 (rows,).

    Raises:
        DataError: a value is missing or is not 0 or 1, or a row has not exactly one 1.
    """
    flags = []
    for column in columns:
        found = _flags(without_missing(column))
        if found is None:
            raise column.failure(
                f"expected 0 or 1 (one column per class), but it holds {column.holds()}; correct the values, "
                "or name one column of classes"
            )
        flags.append(found)
    table = np.stack(flags, axis=1)
    ones = table.sum(axis=1)
    if (ones != 1).any():
        row = int((ones != 1).argmax())
        names = listed([column.name for column in columns], 4)
        count = "none" if not ones[row] else f"{ones[row]}"
        raise columns[0].error(
            row,
            f"expected exactly one 1 in the columns of the classes ({names}), found {count}; correct the row, or state "
            "task: multilabel to learn each column separately",
        )
    return table.argmax(axis=1).astype(np.int64)


def _flags(values: pa.Array | np.ndarray) -> np.ndarray | None:
    """Return which rows are 1, as booleans (rows,); None where a value is missing or is not 0 or 1."""
    if isinstance(values, np.ndarray) or values.null_count:
        return None
    if pa.types.is_boolean(values.type):
        return values.to_numpy(zero_copy_only=False)
    if is_number(values.type):
        numbers = values.to_numpy(zero_copy_only=False)
        return numbers == 1 if np.isin(numbers, (0, 1)).all() else None
    if is_text(values.type):
        lower = pc.utf8_lower(values)
        known = pc.is_in(lower, value_set=pa.array(_ONE + _ZERO, lower.type))
        if pc.all(known).as_py():
            return pc.is_in(lower, value_set=pa.array(_ONE, lower.type)).to_numpy(zero_copy_only=False)
    return None
