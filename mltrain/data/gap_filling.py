"""Gaps in the time of series that are filled with rows at the usual step, where the config asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from mltrain.data.beside_windows import single_values
from mltrain.data.encoders.column import RawColumn, is_time, numbers_of
from mltrain.data.files.column_types import TIMESTAMP
from mltrain.data.gaps import LONGER, UNITS, Gaps, find_gaps, medians
from mltrain.data.joined_tables import stacked
from mltrain.data.series import Series
from mltrain.data.table import Table
from mltrain.data.windows import FillGaps, WindowsSpec
from mltrain.errors import DataError
from mltrain.wording import counted

_DAY = dict(UNITS)["day"]
# With fewer rows, equal days of the month are chance.
_FEWEST_MONTHS = 3
_HOW = {"previous": "the values of the row before the gap", "linear": "values on the line across the gap"}


@dataclass(frozen=True)
class Filled:
    """Rows that were filled in.

    Attributes:
        gaps: that were there.
        rows: how many rows fill them.
        how: the method, of the config.
        windows: how many rows have a window.
        holding: how many of these windows hold rows that were filled in.
        left_out: how many rows have a window that is not used, as it would know a later row by the line.
    """

    gaps: Gaps
    rows: int
    how: str
    windows: int
    holding: int
    left_out: int = 0

    @property
    def sentence(self) -> str:
        """Return what there is to say of them."""
        rows = "1 row fills" if self.rows == 1 else f"{self.rows:,} rows fill"
        hold = "holds" if self.holding == 1 else "hold"
        are = "is" if self.left_out == 1 else "are"
        left_out = f"; {counted(self.left_out, 'window')} that would end in a gap {are} left out"
        return (
            f"{self.gaps.steps_sentence}; {rows} the gaps with {_HOW[self.how]}, and {self.holding:,} of "
            f"{self.windows:,} windows {hold} such rows, which are never forecast{left_out if self.left_out else ''}"
        )


def fill_gaps(
    table: Table, windows: WindowsSpec, time: str | None, features: Sequence[str]
) -> tuple[Table, np.ndarray, Gaps | None]:
    """Return the table with the rows that fill gaps behind its own rows, which of them these are (rows,) bool, and the
    gaps that were there; of a config that does not ask for it, the table as it is.

    As many rows fill a gap as usual steps of the series fit in, at equal distances; where all rows are of one day of
    the month, the steps are months.

    Args:
        table: the rows.
        windows: the section.
        time: the column by which rows are in order.
        features: the columns in the windows.

    Raises:
        DataError: as `Series.of`; or more rows would be filled in than there are.
    """
    none = np.zeros(len(table), bool)
    if not isinstance(windows.gaps, FillGaps) or time is None:
        return table, none, None
    series = Series.of(table, windows.by, time)
    gaps = find_gaps(table, series, time, 0)
    if gaps is None:
        return table, none, None
    ticks = _Ticks.of(table, time, series)
    order, steps = series.order, np.diff(ticks.values[series.order])
    owner = series.number[order][1:]
    same = owner == series.number[order][:-1]
    usual = medians(steps[same], owner[same], len(series.names))[owner]
    longer = np.flatnonzero(same & (steps > LONGER * usual))
    counts = np.rint(steps[longer] / usual[longer]).astype(np.int64) - 1
    if counts.sum() > len(table):
        raise DataError(
            f"{table.origin.name}: data.windows.gaps: fill would add {counts.sum():,} rows to {len(table):,} (the "
            f"longest gap is {gaps.longest}, before {gaps.place}); correct the time of that row, or take drop"
        )
    before, after = (np.repeat(order[longer + place], counts) for place in (0, 1))
    number = np.concatenate([np.arange(1, count + 1) for count in counts] or [np.empty(0, np.int64)])
    whole = np.repeat(counts, counts) + 1
    made = table.take(before)
    columns = {name: made.column(name) for name in table.columns}
    columns[time] = ticks.between(before, after, number, whole)
    if windows.gaps.fill == "linear":
        for name in features:
            if name not in windows.known and not _is_truth(table, name):
                numbers = numbers_of(RawColumn.of(table, name))
                values = numbers[before] + (numbers[after] - numbers[before]) * (number / whole)
                columns[name] = pa.array(values, from_pandas=True)
    filled = stacked([table, replace(made, columns=columns)])
    return filled, np.concatenate([none, np.ones(len(before), bool)]), gaps


def _is_truth(table: Table, name: str) -> bool:
    column = table.columns[name]
    return isinstance(column, pa.Array) and bool(pa.types.is_boolean(column.type))


@dataclass(frozen=True)
class _Ticks:
    """Times as numbers whose steps can be divided.

    Attributes:
        values: (rows,) int64 or float64: months, units of time, or the numbers themselves.
        monthly: (rows,) bool: whether the values of the series of a row are months.
        inside: (rows,) int64, what is left of a month, in microseconds; 0 for others.
        unit: of others, in microseconds, or 1 for numbers.
        kind: the type of the column.
    """

    values: np.ndarray
    monthly: np.ndarray
    inside: np.ndarray
    unit: int
    kind: pa.DataType

    @classmethod
    def of(cls, table: Table, time: str, series: Series) -> _Ticks:
        column = single_values(RawColumn.of(table, time))
        none = np.zeros(len(table), np.int64)
        if not is_time(column.type):
            kind = np.int64 if pa.types.is_integer(column.type) else np.float64
            return cls(column.to_numpy(zero_copy_only=False).astype(kind), none > 0, none, 1, column.type)
        micros = column.cast(TIMESTAMP, safe=False).cast(pa.int64()).to_numpy().astype(np.int64)
        # The last of a month is the first of the next one, a day before.
        first, last = (_months(micros + shift) for shift in (0, _DAY))
        of_first, of_last = (_alike(inside, series) for _, inside in (first, last))
        months = np.where(of_first, first[0], last[0])
        inside = np.where(of_first, first[1], last[1] - _DAY)
        monthly = of_first | of_last
        unit = next(size for _, size in (*UNITS, ("microsecond", 1)) if (micros % size == 0).all())
        return cls(np.where(monthly, months, micros // unit), monthly, np.where(monthly, inside, 0), unit, column.type)

    def between(self, before: np.ndarray, after: np.ndarray, number: np.ndarray, whole: np.ndarray) -> pa.Array:
        """Return the times that are `number` of `whole` steps from some rows to others, as the column has them."""
        start, end = self.values[before], self.values[after]
        if self.values.dtype == np.float64:
            return pa.array(start + (end - start) * (number / whole)).cast(self.kind)
        values = start + (end - start) * number // whole
        if not is_time(self.kind):
            return pa.array(values).cast(self.kind)
        of_months = values.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64) + self.inside[before]
        return pa.array(np.where(self.monthly[before], of_months, values * self.unit)).cast(self.kind)


def _months(micros: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times as months since 1970, and what is left of the month in microseconds, int64 (rows,) each."""
    months = micros.astype("datetime64[us]").astype("datetime64[M]")
    return months.astype(np.int64), micros - months.astype("datetime64[us]").astype(np.int64)


def _alike(inside: np.ndarray, series: Series) -> np.ndarray:
    """Return whether a row is of a series whose rows are all at one time of the month, (rows,) bool."""
    first = np.zeros(len(series.names), np.int64)
    first[series.number] = inside
    others = np.bincount(series.number, inside != first[series.number], minlength=len(first))
    rows = np.bincount(series.number, minlength=len(first))
    return ((others == 0) & (rows >= _FEWEST_MONTHS))[series.number]
