"""Rows of which the only target is missing: with `missing: skip` they are left out before anything else is done."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mltrain.data.spec import DataSpec
from mltrain.data.table import Table
from mltrain.errors import DataError
from mltrain.task import Decision
from mltrain.wording import counted


def without_unknown_target(table: Table, spec: DataSpec) -> tuple[Table, tuple[Decision, ...]]:
    """Return the rows that have the target, where the section asks for them, and how many were left out.

    The others have no place in any split: they cannot be learned from, and nothing can be measured on them.

    Args:
        table: all rows.
        spec: the `data` section.

    Raises:
        DataError: no row has the target.
    """
    target = spec.target
    if target is None or target.column is None or target.missing == "error" or target.column not in table.columns:
        return table, ()
    values = table.columns[target.column]
    if isinstance(values, np.ndarray):  # arrays have no missing values
        return table, ()
    there = ~np.asarray(values.is_null(nan_is_null=True))
    kept = np.flatnonzero(there)
    if len(kept) == len(table):
        return table, ()
    if not len(kept):
        raise DataError(f"{table.origin.name}: column '{target.column}': the target is missing in every row")
    taken = table.take(kept)
    ends = np.cumsum([rows for _, rows in table.given])
    parts = np.split(there, ends[:-1]) if len(ends) else []
    given = tuple((name, int(part.sum())) for (name, _), part in zip(table.given, parts, strict=True))
    columns = {name: taken.columns[name] for name in table.columns}  # else each use of a column would copy it
    lost = len(table) - len(kept)
    lack = "lacks" if lost == 1 else "lack"
    reason = f"{counted(lost, 'row')} of {len(table):,} {lack} the target '{target.column}'"
    return replace(taken, columns=columns, given=given), (Decision("rows", "left out", reason),)
