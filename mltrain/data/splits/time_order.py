"""Rows in the order of time, and which of them are for training, for validation and for the test."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, first_row, is_number, is_text, is_time
from mltrain.data.files.column_types import without_zone
from mltrain.data.files.text_codes import codes_example
from mltrain.data.splits import TimeSplit
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Column, Table
from mltrain.errors import DataError
from mltrain.task import Decision, SplitName

# From the rows of an earlier split and those of all later ones to the earlier ones that may stay.
LeaveOut = Callable[[np.ndarray, np.ndarray], np.ndarray]


def times_of_rows(table: Table, column: str | None) -> np.ndarray:
    """Return when each row is, (rows,) int64: the rank of its time, the same for equal times, from 1.

    Args:
        table: the rows.
        column: of numbers, dates, or dates with times; None for the order of the rows.

    Raises:
        DataError: there is no such column, it holds something else, or a value is missing.
    """
    if column is None:
        return np.arange(1, len(table) + 1)
    raw = RawColumn.of(table, column)
    values = raw.values
    if isinstance(values, np.ndarray) or not (is_number(values.type) or is_time(values.type)):
        if isinstance(values, np.ndarray) or not is_text(values.type) or values.null_count == len(values):
            raise raw.failure(f"expected numbers or dates to sort the rows by, but the column holds {raw.holds()}")
        row = first_row(values.is_valid())
        if codes_example(values) is not None:
            raise raw.error(
                row,
                f"{values[row].as_py()!r} is a code and not a time by which rows can be put in order; to read codes as "
                f"numbers, set data.features.{column}: number, which makes the column a feature too",
            )
        raise raw.error(
            row,
            f"{values[row].as_py()!r} is not a time by which rows can be put in order; expected numbers, or dates such "
            "as 2024-05-31 or 2024-05-31T16:00:00 (for other dates of a CSV file set data.source.date_format, such as "
            "DD/MM/YYYY)",
        )
    if values.null_count:
        raise raw.error(first_row(values.is_null()), "the time is missing; correct the row or remove it")
    return pc.rank(values, tiebreaker="dense").to_numpy(zero_copy_only=False).astype(np.int64)


def rows_by_time(
    split: TimeSplit, table: Table, rows: np.ndarray, leave_out: LeaveOut | None = None
) -> tuple[Splits, tuple[Decision, ...]]:
    """Return the rows of each split, from the oldest to the newest, and what there is to say of the borders.

    Rows of equal time go to the later split together: no training row is as new as a row that it is judged by. So a
    held-out split may have more rows than were asked for.

    Args:
        split: what was asked.
        table: the data.
        rows: the numbers of those that can be in a split.
        leave_out: what is left out before a border besides the gap.

    Raises:
        DataError: as `times_of_rows`, or no row is left for training or for a split before a gap.
    """
    times = times_of_rows(table, split.column)
    rows = rows[np.argsort(times[rows], kind="stable")]
    parts: dict[SplitName, np.ndarray] = {}
    rest = rows
    held_out: tuple[tuple[SplitName, int | float], ...] = (("test", split.test), ("validation", split.validation))
    for name, share in held_out:
        begin = _begin(table.origin.name, name, times[rest], _count(share, len(rows)))
        rest, parts[name] = rest[:begin], rest[begin:]
    parts["train"] = rest
    whole = Splits(**parts)
    kept = {name: _before_the_next(split, times, whole, name, leave_out) for name in parts}
    splits = Splits(**kept)
    lost = next((name for name in kept if len(parts[name]) and not len(kept[name])), None)
    if lost is not None:
        raise DataError(
            f"{table.origin.name}: data.split: none of the {len(parts[lost])} {lost} rows is left with a gap of "
            f"{split.gap} before the rows that follow; make the gap smaller, or the split larger"
        )
    return splits, (_borders(table, split.column, splits), *_left_out(whole, splits))


def _count(share: int | float, rows: int) -> int:
    return math.ceil(share * rows) if isinstance(share, float) else share


def _begin(source: str, name: str, times: np.ndarray, count: int) -> int:
    """Return where the last `count` of rows in order begin, or earlier where their time began earlier."""
    if not count:
        return len(times)
    begin = int(np.searchsorted(times, times[-count])) if count < len(times) else 0
    if not begin:
        raise DataError(
            f"{source}: too few rows: the {name} split takes the newest {count} of {len(times)} (rows of equal time "
            f"stay together), which leaves none for training; make data.split.{name} smaller"
        )
    return begin


def _before_the_next(
    split: TimeSplit, times: np.ndarray, parts: Splits, name: SplitName, leave_out: LeaveOut | None
) -> np.ndarray:
    """Return the rows of a split without those that are too near to the next one."""
    rows = getattr(parts, name)
    named = {"train": (parts.validation, parts.test), "validation": (parts.test,), "test": ()}
    later = np.concatenate([*named[name], np.empty(0, np.int64)]).astype(np.int64)
    if not len(later) or not len(rows):
        return rows
    if split.gap:
        distinct = np.unique(times[rows])
        rows = rows[times[rows] < distinct[-split.gap]] if split.gap <= len(distinct) else rows[:0]
    return rows if leave_out is None else leave_out(rows, later)


def _borders(table: Table, column: str | None, splits: Splits) -> Decision:
    parts = [f"{name} {_span(table, column, rows)}" for name, rows in splits.items()]
    reason = (
        f"rows are sorted by '{column}'; rows of equal time are in the later split"
        if column
        else "rows are in the order of the file"
    )
    return Decision("split.borders", ", ".join(parts), reason)


def _span(table: Table, column: str | None, rows: np.ndarray) -> str:
    ends = rows[[0, -1]]
    values = ends.tolist() if column is None else _shown(table.take(ends).column(column))
    first, last = (str(value).removesuffix(" 00:00:00") for value in values)
    return f"{first} to {last} ({len(rows):,})"


def _shown(values: Column) -> list[object]:
    return values.tolist() if isinstance(values, np.ndarray) else without_zone(values).to_pylist()


def _left_out(whole: Splits, kept: Splits) -> tuple[Decision, ...]:
    counts = {name: len(rows) - len(getattr(kept, name)) for name, rows in whole.items()}
    if not any(counts.values()):
        return ()
    said = ", ".join(f"{count:,} of {name}" for name, count in counts.items() if count)
    reason = "these rows are too close to the next split to be independent of it"
    return (Decision("split.gap", f"left out: {said}", reason),)
