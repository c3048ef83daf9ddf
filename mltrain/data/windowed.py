"""Windows of series: a table with a column that holds, for each row, the rows before it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np

from mltrain.data.beside_windows import check_beside, with_steps
from mltrain.data.encoders.column import RawColumn, first_row, numbers_of
from mltrain.data.gap_filling import Filled, fill_gaps
from mltrain.data.gaps import Gaps, find_gaps
from mltrain.data.series import Series
from mltrain.data.table import Table
from mltrain.data.window_use import FOR_TARGETS, Ahead, Use, rows_to_come
from mltrain.data.windows import FillGaps, WindowsSpec
from mltrain.errors import DataError
from mltrain.wording import in_words


@dataclass(frozen=True)
class Windowed:
    """A table with a column of windows.

    Attributes:
        table: all rows; a row whose window would begin before its series has something in that column that means
            nothing.
        windows: their shape.
        time: the column by which rows are put in order; None for the order in which they are.
        column: the name of that column, whose arrays are (rows, length, features).
        features: the columns whose values are in the windows, in the order of the last axis.
        series: of the rows.
        examples: the numbers of the rows that have a window, in their order.
        lag: how many steps before a row its window ends.
        gaps: in the time of the series; None where there are none.
        steps: the name of the column of known values of several steps; None where there is none.
        ahead: what is known of rows that are still to come; None where there may be none.
        made: (rows,) bool: rows that were filled in; they are the last of the table, whatever their time.
        filled: what there is to say of them; None where there are none.
        without_history: how many rows have too few rows before them for a window.
    """

    table: Table
    windows: WindowsSpec
    time: str | None
    column: str
    features: tuple[str, ...]
    series: Series
    examples: np.ndarray
    lag: int
    gaps: Gaps | None = None
    steps: str | None = None
    ahead: Ahead | None = None
    made: np.ndarray | None = None
    filled: Filled | None = None
    without_history: int = 0

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return len(self.table) - (0 if self.filled is None else self.filled.rows)

    @property
    def history(self) -> int:
        """How many rows before a row its window begins."""
        return self.windows.length - 1 + self.lag

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return what there is to say of gaps in time."""
        if self.filled is not None:
            return (self.filled.sentence,)
        if self.gaps is None:
            return ()
        left_out = "; these windows are left out" if self.windows.gaps == "drop" and self.gaps.spanning else ""
        return (f"{self.gaps.sentence}{left_out}",)

    def seen(self, train: np.ndarray) -> np.ndarray:
        """Return which rows are no newer than the newest of the training rows of their series, without those that were
        filled in: (rows,) bool."""
        until = self.series.until(train)
        return until if self.made is None else until & ~self.made

    def known_at_the_border(self, rows: np.ndarray, later: np.ndarray) -> np.ndarray:
        """Return those of `rows` whose targets are known when the first of the `later` rows of their series is
        foretold: with a horizon of h, the h - 1 targets before a border are not."""
        first = np.full(len(self.series.names), np.iinfo(np.int64).max)
        np.minimum.at(first, self.series.number[later], self.series.position[later])
        return rows[self.series.position[rows] <= first[self.series.number[rows]] - self.lag]


def with_windows(
    table: Table, windows: WindowsSpec, features: tuple[str, ...], time: str | None, use: Use = FOR_TARGETS
) -> Windowed:
    """Return a table with the window before each row.

    Args:
        table: the rows.
        windows: their shape.
        features: the columns whose values are in the windows.
        time: the column by which rows are put in order.
        use: what they are for.

    Raises:
        DataError: as `Series.of`; a value is missing or no number; no series has rows enough; or the windows would take
            more memory than there is.
    """
    lag = windows.horizon if use.lag is None else use.lag
    table, made, filled_gaps = fill_gaps(table, windows, time, features)
    series = Series.of(table, windows.by, time)
    check_beside(table, windows, series)
    history = windows.length - 1 + lag
    to_come = rows_to_come(table, series, use.ahead)
    newest = series.newest(~to_come)
    enough = series.position >= history
    in_reach = series.position - lag <= newest[series.number]
    may_be = enough & in_reach & ~made
    of_later = may_be & _of_later_rows(windows, series, made, lag)
    examples = np.flatnonzero(may_be & ~of_later)
    if not len(examples):
        known = "" if not to_come.any() else " with a target"
        raise DataError(
            f"{table.origin.name}: no series has the {history + 1} rows that an example needs (data.windows: "
            f"{windows.length} in the window, the target {lag} after it); the longest has {newest.max() + 1}{known}"
        )
    gaps = find_gaps(table, series, time, history)
    if gaps is not None and gaps.spanning and windows.gaps == "error":
        raise gaps.error(table)
    if gaps is not None and windows.gaps == "drop":
        examples = examples[~gaps.spans[examples]]
        if not len(examples):
            raise DataError(f"{table.origin.name}: data.windows.gaps: drop leaves no window: {gaps.sentence}")
    in_order = bool((series.order == np.arange(len(table))).all())
    _refuse_too_large(table, windows, len(features), copied=not in_order)
    values = np.stack([_numbers(RawColumn.of(table, name), name in use.needed, to_come) for name in features], axis=1)
    values = values[series.order]
    before = np.zeros((history, len(features)))  # never seen: such rows are no examples
    padded = np.concatenate([before, values])[: len(table) + windows.length - 1]
    # A view: each value is in the memory once, however many windows it is in.
    view = np.lib.stride_tricks.sliding_window_view(padded, windows.length, axis=0).transpose(0, 2, 1)
    if not in_order:
        whole = np.empty(view.shape)
        whole[series.order] = view
        view = whole
    column = _free("window", table) if use.column is None else use.column
    steps = None
    if windows.known and windows.horizon > 1:
        steps = _free("known", table) if use.steps is None else use.steps
        table = with_steps(table, windows.known, series, windows.horizon, steps)
    table = replace(table, columns={**table.columns, column: view})
    ahead = None
    if use.ahead:
        what = in_words([f"'{name}'" for name in use.ahead])
        too_far = int((to_come & enough & ~in_reach & ~made).sum())
        ahead = Ahead(int(to_come[examples].sum()), too_far, what, windows.horizon)
    filled = None
    if filled_gaps is not None and isinstance(windows.gaps, FillGaps):
        holding = _holding(series, made, series.place[examples] - lag, windows.length)
        counts = int(made.sum()), windows.gaps.fill, len(examples), holding, int(of_later.sum())
        filled = Filled(filled_gaps, *counts)
    return Windowed(
        table=table,
        windows=windows,
        time=time,
        column=column,
        features=features,
        series=series,
        examples=examples,
        lag=lag,
        gaps=gaps,
        steps=steps,
        ahead=ahead,
        made=made,
        filled=filled,
        without_history=int((~enough & ~made).sum()),
    )


def _of_later_rows(windows: WindowsSpec, series: Series, made: np.ndarray, lag: int) -> np.ndarray:
    """Return which rows have a window that ends in a gap and knows, by the line across it, the row behind the gap:
    (rows,) bool."""
    if not isinstance(windows.gaps, FillGaps) or windows.gaps.fill != "linear":
        return np.zeros(len(made), bool)
    return made[series.order[np.maximum(series.place - lag, 0)]]


def _holding(series: Series, made: np.ndarray, ends: np.ndarray, length: int) -> int:
    """Return how many windows hold a row that was filled in, by the places of their last rows."""
    held = np.concatenate([[0], np.cumsum(made[series.order])])
    return int((held[ends + 1] > held[ends + 1 - length]).sum())


def _free(name: str, table: Table) -> str:
    """Return a name that no column has."""
    while name in table.columns:
        name += "_"
    return name


def _numbers(column: RawColumn, needed: bool, to_come: np.ndarray) -> np.ndarray:
    """Return the values of a column (rows,) float64, of which none may be missing but in rows that are still to come;
    one that is `needed` must stay."""
    numbers = numbers_of(column)
    absent = np.isnan(numbers) & ~to_come
    if absent.any():
        more = f" (and {absent.sum() - 1} more)" if absent.sum() > 1 else ""
        raise column.error(
            first_row(absent),
            f"the value is missing{more}, but windows need every value; fill it in the data, or "
            + ("remove the row" if needed else f"set data.features.{column.name}: ignore"),
        )
    return numbers


def _refuse_too_large(table: Table, windows: WindowsSpec, features: int, copied: bool) -> None:
    """Refuse windows that cannot be in the memory: the examples as float32, and what is copied to make them."""
    needed = len(table) * windows.length * features * (4 + 8 * (1 + copied))
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise DataError(
            f"{table.origin.name}: {len(table):,} windows of {windows.length} x {features} numbers need about "
            f"{needed / 2**30:.0f} GiB of memory, but this machine has {there / 2**30:.0f} GiB; shorten "
            "data.windows.length, or remove columns or rows"
        )
