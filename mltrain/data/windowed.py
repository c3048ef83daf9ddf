"""Windows of series: a table with a column that holds, for each row, the rows before it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pyarrow as pa

from mltrain.data.beside_windows import check_beside, refuse_absent, single_values, with_steps
from mltrain.data.encoders.column import RawColumn, first_row, is_empty, is_number, numbers_of
from mltrain.data.features import BooleanFeature, NumberFeature
from mltrain.data.gaps import Gaps, find_gaps
from mltrain.data.series import Series
from mltrain.data.spec import DataSpec
from mltrain.data.table import Table, is_index_name
from mltrain.data.windows import WindowsSpec
from mltrain.errors import DataError
from mltrain.task import Decision
from mltrain.wording import counted, in_words, listed


@dataclass(frozen=True)
class Use:
    """What the windows of a table are for.

    Attributes:
        lag: how many steps before a row its window ends; None takes the horizon, so that the row has the target; with
            0 it is the last of the window.
        column: the name of the column of windows; None takes one that is free.
        steps: that of the column of known values of several steps, likewise.
        needed: columns in the windows that nobody can ignore.
        ahead: the targets, where the last rows of a series may be still to come, so that they have no target yet.
    """

    lag: int | None = None
    column: str | None = None
    steps: str | None = None
    needed: Collection[str] = ()
    ahead: Collection[str] = ()


_FOR_TARGETS = Use()


@dataclass(frozen=True)
class Ahead:
    """The last rows of series, which have no target yet.

    Attributes:
        rows: how many of them have a window.
        too_far: how many of them are so far ahead that their window would hold rows that are still to come.
        target: what they do not have, in words.
        horizon: how many rows ahead a forecast is.
    """

    rows: int
    too_far: int
    target: str
    horizon: int

    @property
    def sentence(self) -> str:
        """Return what there is to say of them."""
        if not self.rows and not self.too_far:
            return (
                f"each forecast is in its own row, and every row has a value of {self.target} already: for what is "
                f"still to come, add rows with an empty {self.target} to the end of each series, with the known columns"
            )
        forecast = f"each forecast is in its own row; {counted(self.rows, 'row')} with an empty {self.target}"
        if not self.too_far:
            return f"{forecast} {'is' if self.rows == 1 else 'are'} still to come"
        more = "1 more is" if self.too_far == 1 else f"{self.too_far:,} more are"
        return f"{forecast}, and {more} not forecast: a forecast is at most {counted(self.horizon, 'row')} ahead"


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

    @property
    def history(self) -> int:
        """How many rows before a row its window begins."""
        return self.windows.length - 1 + self.lag

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return what there is to say of gaps in time."""
        if self.gaps is None:
            return ()
        left_out = "; these windows are left out" if self.windows.gaps == "drop" and self.gaps.spanning else ""
        return (f"{self.gaps.sentence}{left_out}",)

    def seen(self, train: np.ndarray) -> np.ndarray:
        """Return which rows are no newer than the newest of the training rows of their series: (rows,) bool."""
        return self.series.until(train)

    def known_at_the_border(self, rows: np.ndarray, later: np.ndarray) -> np.ndarray:
        """Return those of `rows` whose targets are known when the first of the `later` rows of their series is
        foretold: with a horizon of h, the h - 1 targets before a border are not."""
        first = np.full(len(self.series.names), np.iinfo(np.int64).max)
        np.minimum.at(first, self.series.number[later], self.series.position[later])
        return rows[self.series.position[rows] <= first[self.series.number[rows]] - self.lag]


def windowed_rows(table: Table, spec: DataSpec, targets: tuple[str, ...]) -> tuple[Windowed, tuple[Decision, ...]]:
    """Return the rows of an experiment with their windows, and what there is to say of them; raises as `with_windows`.

    In the windows are the target and all columns of numbers and truth values, but those that say the time and the
    series, which `data.features` may declare, and static ones.

    Raises:
        MisfitError: a column that is to be beside the windows is not there.
    """
    windows = cast(WindowsSpec, spec.windows)
    time = spec.split.time_column
    refuse_absent(table, windows, targets)
    features, decisions = [], []
    for name, column in table.columns.items():
        feature = spec.features.get(name)
        if name in targets or (isinstance(feature, NumberFeature | BooleanFeature) and name not in windows.static):
            features.append(name)
        elif feature is None and name not in (time, windows.by, *windows.static):
            if is_index_name(name) and name not in windows.known:
                reason = "pandas wrote its row index here, which is not a property of the row"
                decisions.append(Decision(f"features.{name}", "left out", reason))
            elif isinstance(column, pa.Array) and not is_empty(column) and _is_numeric(column):
                features.append(name)
            elif name not in windows.known:
                reason = f"windows hold numbers, but the column holds {RawColumn.of(table, name).holds()}"
                decisions.append(Decision(f"features.{name}", "left out", reason))
    windowed = with_windows(table, windows, tuple(features), time, Use(needed=targets))
    series = len(windowed.series.names)
    used = len(np.unique(windowed.series.number[windowed.examples]))
    rows = f"{len(table):,} rows" if series == 1 else f"{len(table):,} rows in {series:,} series"
    what = in_words([f"'{name}'" for name in targets])
    value = f"the last {windows.length} rows of {listed(features)}, to forecast {what} {windows.horizon} ahead"
    reason = f"{len(windowed.examples):,} of {rows} have enough rows before them"
    if used < series:
        reason += f", in {used:,} of the series"
    # The audit warns of windows over gaps that are kept.
    warned = windowed.gaps is not None and windowed.gaps.spanning > 0 and windows.gaps == "keep"
    gaps = tuple(Decision("windows.gaps", windows.gaps, said) for said in windowed.sentences if not warned)
    return windowed, (Decision("windows", value, reason), *_beside(windows), *gaps, *decisions)


def _beside(windows: WindowsSpec) -> Iterator[Decision]:
    """Yield what is said of the columns beside the windows: what is known in advance is the word of the config."""
    if windows.known:
        rows = "row" if windows.horizon == 1 else f"{windows.horizon} rows"
        reason = (
            f"the config says that they are known in advance: the model sees them in the {rows} up to the target; if "
            "one is not, the scores are too good"
        )
        yield Decision("windows.known", listed(windows.known), reason)
    if windows.static:
        yield Decision("windows.static", listed(windows.static), "they have one value in each series")


def _is_numeric(column: pa.Array) -> bool:
    return is_number(column.type) or bool(pa.types.is_boolean(column.type))


def with_windows(
    table: Table, windows: WindowsSpec, features: tuple[str, ...], time: str | None, use: Use = _FOR_TARGETS
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
    series = Series.of(table, windows.by, time)
    check_beside(table, windows, series)
    history = windows.length - 1 + lag
    to_come = _to_come(table, series, use.ahead)
    newest = series.newest(~to_come)
    enough = series.position >= history
    in_reach = series.position - lag <= newest[series.number]
    examples = np.flatnonzero(enough & in_reach)
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
        too_far = int((to_come & enough & ~in_reach).sum())
        ahead = Ahead(int(to_come[examples].sum()), too_far, what, windows.horizon)
    return Windowed(table, windows, time, column, features, series, examples, lag, gaps, steps, ahead)


def _to_come(table: Table, series: Series, targets: Collection[str]) -> np.ndarray:
    """Return which rows are still to come, (rows,) bool: the last of a series, which have no value of any target."""
    if not targets:
        return np.zeros(len(table), bool)
    absent = np.all([np.asarray(single_values(RawColumn.of(table, name)).is_null()) for name in targets], axis=0)
    return absent & (series.position > series.newest(~absent)[series.number])


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
