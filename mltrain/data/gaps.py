"""Gaps in the time of series: steps that are longer than usual, and the windows that span one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, is_time
from mltrain.data.files.column_types import TIMESTAMP
from mltrain.data.series import Series
from mltrain.data.table import Table
from mltrain.errors import DataError

# A step that is longer than so many usual ones is a gap: the months of a year are not.
LONGER = 1.5
UNITS = (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000))


@dataclass(frozen=True)
class Gaps:
    """Steps of series that are longer than usual.

    Attributes:
        column: that says the time.
        usual: the usual step, in words.
        steps: how many steps there are.
        count: how many are longer than usual.
        longest: the longest, in words.
        row: the number of the row after the longest.
        place: where that row is.
        spans: (rows,) bool: whether there is one from the first row of the window of a row up to its target.
        windows: how many rows have a window.
        spanning: how many of these windows span one.
    """

    column: str
    usual: str
    steps: int
    count: int
    longest: str
    row: int
    place: str
    spans: np.ndarray
    windows: int
    spanning: int

    @property
    def steps_sentence(self) -> str:
        """Return what there is to say of the steps."""
        are = "is" if self.count == 1 else "are"
        return (
            f"the usual step of '{self.column}' is {self.usual}; {self.count:,} of {self.steps:,} steps {are} longer "
            f"(the longest is {self.longest}, before {self.place})"
        )

    @property
    def sentence(self) -> str:
        """Return what there is to say of them, and of windows."""
        span = "spans" if self.spanning == 1 else "span"
        return f"{self.steps_sentence}, and {self.spanning:,} of {self.windows:,} windows {span} such a gap"

    def error(self, table: Table) -> DataError:
        """Return the error of `gaps: error`."""
        message = f"there is a gap of {self.longest} before this row: {self.sentence} (data.windows.gaps is error)"
        return RawColumn.of(table, self.column).error(self.row, message)


def find_gaps(table: Table, series: Series, time: str | None, history: int) -> Gaps | None:
    """Return the gaps of series, whose usual step is the median of each; None where there are none.

    Args:
        table: the rows.
        series: of them.
        time: the column by which they are in order; None where nothing says when a row is.
        history: how many rows before a row its window begins.
    """
    if time is None or len(table) < 2:
        return None
    values = table.column(time)
    times = _numbers(values)[series.order]
    number = series.number[series.order]
    same = number[1:] == number[:-1]
    steps, owner = np.diff(times)[same], number[1:][same]
    if not len(steps):
        return None
    usual = medians(steps, owner, len(series.names))
    longer = np.zeros(len(table), bool)  # in the order of the series: whether the step before a row is a gap
    longer[1:][same] = steps > LONGER * usual[owner]
    if not longer.any():
        return None
    count = np.cumsum(longer)
    spans = np.zeros(len(table), bool)
    spans[series.order[history:]] = count[history:] > count[: len(table) - history]
    step = np.concatenate([[0.0], np.diff(times)])
    place = int(np.argmax(np.where(longer, step, -np.inf)))
    row = int(series.order[place])
    dates = isinstance(values, pa.Array) and is_time(values.type)
    known = np.unique(usual[owner])
    words = [_words(float(each), dates) for each in known[[0, -1]]]
    examples = series.position >= history
    return Gaps(
        column=time,
        usual=words[0] if words[0] == words[1] else f"from {words[0]} to {words[1]}, by the series",
        steps=len(steps),
        count=int(longer.sum()),
        longest=_words(float(step[place]), dates),
        row=row,
        place=table.origin.place(row),
        spans=spans,
        windows=int(examples.sum()),
        spanning=int((spans & examples).sum()),
    )


def _numbers(values: pa.Array) -> np.ndarray:
    """Return times as float64 (rows,): microseconds of dates."""
    if is_time(values.type):
        values = pc.cast(pc.cast(values, TIMESTAMP, safe=False), pa.int64())
    numbers: np.ndarray = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def medians(steps: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """Return the median step of each series, the lower one of two: (series,)."""
    ordered = steps[np.lexsort((steps, owner))]
    lengths = np.bincount(owner, minlength=count)
    first = np.cumsum(lengths) - lengths
    medians = np.full(count, np.inf)
    there = lengths > 0
    medians[there] = ordered[(first + (lengths - 1) // 2)[there]]
    return medians


def _words(step: float, dates: bool) -> str:
    """Return a step in words: `3 days`, or the number."""
    if not dates:
        return f"{step:g}"
    unit, size = next((each for each in UNITS if step % each[1] == 0), UNITS[-1])
    return f"1 {unit}" if step == size else f"{step / size:g} {unit}s"
