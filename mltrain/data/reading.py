"""From the `data` section to its rows: which columns are read, as what, and the windows of a series."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np

from mltrain.data.files.arrays import with_single_values
from mltrain.data.files.column_types import AS_WRITTEN, DeclaredKinds
from mltrain.data.image_columns import AskedImages, Recognise
from mltrain.data.spec import DataSpec, TargetSpec
from mltrain.data.splits import ColumnSplit, TimeSplit
from mltrain.data.splits.choice import read_table
from mltrain.data.splits.key_splits import key_columns
from mltrain.data.table import Table, is_unread
from mltrain.data.windowed import Windowed, time_column, windowed_rows
from mltrain.errors import DataError
from mltrain.outputs import KINDS
from mltrain.task import Decision, Task
from mltrain.wording import listed


def read_rows(spec: DataSpec, seed: int, task: Task | Literal["auto"], keep: Collection[str] = ()) -> Table:
    """Return all rows of an experiment, with their windows where there are; arguments and errors as for `prepare`.
    Columns that are not stated to be of images are none."""
    return read_data(spec, seed, task, keep)[0]


def read_data(
    spec: DataSpec,
    seed: int,
    task: Task | Literal["auto"],
    keep: Collection[str],
    recognise: Recognise = "never",
) -> tuple[Table, Windowed | None, tuple[Decision, ...]]:
    """Return all rows of an experiment, where they are windows of a series the windows too, and what was decided;
    arguments and errors as for `prepare`, `recognise` as for `AskedImages`."""
    images = AskedImages(spec.features, _no_features(spec, keep), recognise if spec.windows is None else "never")
    table = read_table(spec.source, spec.split, seed, declared_kinds(spec, task, keep), images)
    if not len(table):
        raise DataError(f"{table.origin.name}: there are no rows")
    table = with_single_values(table, _single_columns(spec, table, keep))
    if spec.windows is None:
        return table, None, ()
    target = target_of(spec, table).names[0]
    values = table.columns.get(target)
    if isinstance(values, np.ndarray) and values.ndim > 1:
        raise DataError(
            f"{table.origin.name}: column '{target}': windows forecast a number, and it holds arrays of shape "
            f"{values.shape[1:]}: name a column of numbers"
        )
    windowed, decisions = windowed_rows(table, spec, target)
    return windowed.table, windowed, decisions


def _single_columns(spec: DataSpec, table: Table, keep: Collection[str]) -> list[str]:
    """Return the columns that need one value per row: all but a lone feature, which may be an array of one number."""
    time, by = time_column(spec), spec.windows.by if spec.windows is not None else None
    known = table.target if spec.target is None else None
    others = {*_no_features(spec, keep), *key_columns(spec.split), known, time, by}
    features = [name for name, column in table.columns.items() if name not in others and not is_unread(column)]
    stated = [name for name in features if name in spec.features]
    if len(features) < 2 and spec.windows is None:
        stated = features
    return [name for name in table.columns if name not in stated]


def _no_features(spec: DataSpec, keep: Collection[str]) -> frozenset[str]:
    """Return the columns of which the config says that they are something else: targets, of a split, or to keep."""
    return frozenset((*(spec.target.names if spec.target is not None else ()), *columns_of_split(spec), *keep))


def declared_kinds(spec: DataSpec, task: Task | Literal["auto"], keep: Collection[str] = ()) -> dict[str, str]:
    """Return the kind of each column that the source must know while it reads. A column that is ignored as a feature
    and needed for something else is read: one that says the order of rows, the split, the series, or one of `keep`."""
    kind = None if task == "auto" else KINDS[task]
    declared: dict[str, str] = {name: feature.type for name, feature in spec.features.items()}
    for name in spec.target.names if spec.target is not None else ():
        # Ignored it is only as a feature; its values must be read for what they are.
        if declared.get(name) == "ignore":
            del declared[name]
        if (kind is not None and kind.of_numbers) or spec.windows is not None:
            declared.setdefault(name, "number")
    time = time_column(spec)
    if time is not None and declared.get(time) == "ignore":
        del declared[time]
    for name in key_columns(spec.split):
        declared.setdefault(name, AS_WRITTEN)  # what it is must not depend on other rows
    series = () if spec.windows is None or spec.windows.by is None else (spec.windows.by,)
    parts = (spec.split.column,) if isinstance(spec.split, ColumnSplit) else ()
    for name in (*key_columns(spec.split), *series, *parts, *keep):
        if declared.get(name) == "ignore":
            declared[name] = AS_WRITTEN
    targets = spec.target.names if spec.target is not None else ()
    classes = kind is not None and kind.of_classes
    return DeclaredKinds(declared, dict.fromkeys(targets, "classes" if classes else "any"))


def columns_of_split(spec: DataSpec) -> tuple[str, ...]:
    """Return the columns that say the split, which are no features; a key or a time may be declared as one."""
    split = spec.split
    if isinstance(split, ColumnSplit):
        return (split.column,)
    time = (split.column,) if isinstance(split, TimeSplit) and split.column is not None else ()
    return tuple(name for name in (*time, *key_columns(split)) if name not in spec.features)


def target_of(spec: DataSpec, table: Table) -> TargetSpec:
    """Return what is predicted: what the section states, or else what the source knows.

    Raises:
        DataError: neither says it.
    """
    stated = spec.target
    if stated is not None and stated.names:
        return stated
    if table.target is not None:
        return TargetSpec(column=table.target, scale="auto" if stated is None else stated.scale)
    known = listed(list(table.columns))
    which = f"which column should be predicted? (columns: {known})"
    raise DataError(f"{table.origin.name}: data.target is not stated: {which}")
