"""Columns beside the windows of a series: known before their rows are there, or with one value in each series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from mltrain.data.encoders.column import RawColumn, first_row
from mltrain.data.series import Series
from mltrain.data.table import Table
from mltrain.data.windows import WindowsSpec
from mltrain.errors import MisfitError
from mltrain.spec import suggest


def refuse_absent(table: Table, windows: WindowsSpec, targets: Sequence[str]) -> None:
    """Refuse columns that are to be beside the windows and are not there, or cannot be.

    Raises:
        MisfitError: at the line that names the column.
    """
    for key, names in (("known", windows.known), ("static", windows.static)):
        for place, name in enumerate(names):
            path = ("data", "windows", key, place)
            if name not in table.columns:
                raise MisfitError(path, f"{table.origin.name}: no such column{suggest(name, table.columns)}")
            if name in targets:
                raise MisfitError(path, f"'{name}' is the target, which is not known in advance: remove it here")
            if isinstance(table.columns[name], np.ndarray):
                holds = RawColumn.of(table, name).holds()
                raise MisfitError(path, f"column '{name}' holds {holds}; expected one value in each row")


def check_beside(table: Table, windows: WindowsSpec, series: Series) -> None:
    """Refuse values beside the windows that are missing, and static ones that change.

    Raises:
        DataError: at the first such row.
    """
    for name in windows.known:
        _refuse_missing(RawColumn.of(table, name), "known", "also in the rows that are still to come")
    for name in windows.static:
        column = RawColumn.of(table, name)
        _refuse_missing(column, "static", "the same in all rows of a series")
        _refuse_changes(column, series)


def single_values(column: RawColumn) -> pa.Array:
    """Return a column of one value in each row; raises DataError where it holds arrays."""
    if isinstance(column.values, np.ndarray):
        raise column.failure(f"expected one value in each row, but it holds {column.holds()}")
    return column.values


def _refuse_missing(column: RawColumn, key: str, where: str) -> None:
    absent = np.asarray(single_values(column).is_null())
    if absent.any():
        more = f" (and {absent.sum() - 1} more)" if absent.sum() > 1 else ""
        raise column.error(
            first_row(absent),
            f"the value is missing{more}, but data.windows.{key} needs it in every row, {where}; fill it in"
            f"{column.taken_as_missing}",
        )


def _refuse_changes(column: RawColumn, series: Series) -> None:
    values = single_values(column)
    codes = values.dictionary_encode().indices.to_numpy(zero_copy_only=False)[series.order]
    number = series.number[series.order]
    changed = (codes[1:] != codes[:-1]) & (number[1:] == number[:-1])
    if changed.any():
        place = first_row(changed)
        before, row = (int(each) for each in series.order[place : place + 2])
        name = series.names[series.number[row]]
        old, new = values[before].as_py(), values[row].as_py()
        raise column.error(
            row,
            f"the value is {new!r}, but {old!r} in {column.place(before)}: a static column has one value in each "
            f"series, and these rows are of {name!r}; correct it, or remove it from data.windows.static",
        )


def step_name(column: str, step: int) -> str:
    """Return the name of the field of a column in a step after the window, from 0."""
    return f"{column}[{step}]"


def with_steps(table: Table, names: Sequence[str], series: Series, steps: int, column: str) -> Table:
    """Return the table with one more column: for each row the values of known columns in the last `steps` rows up to
    it. Fields of a struct hold them, so that each keeps its type; of a row with fewer rows before it they mean nothing.

    Args:
        table: the rows.
        names: of the known columns.
        series: of the rows.
        steps: how many.
        column: the name of the new column.
    """
    place = series.place
    fields = {
        step_name(name, step): table.columns[name].take(pa.array(rows))
        for step in range(steps)
        for rows in [series.order[np.maximum(place - (steps - 1 - step), 0)]]
        for name in names
    }
    whole = pa.StructArray.from_arrays([*fields.values()], names=[*fields])
    return replace(table, columns={**table.columns, column: whole})
