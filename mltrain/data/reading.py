"""From the `data` section to its rows: which columns are read, as what, and the windows of a series."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

import numpy as np

from mltrain.data.column_settings import AS_WRITTEN
from mltrain.data.files.arrays import with_single_values
from mltrain.data.files.column_error import ColumnError
from mltrain.data.files.column_types import DeclaredKinds, Role
from mltrain.data.image_columns import AskedImages
from mltrain.data.spec import DataSpec
from mltrain.data.splits.choice import read_table
from mltrain.data.table import Table, is_unread
from mltrain.data.target_spec import TargetSpec
from mltrain.data.unknown_target import without_unknown_target
from mltrain.data.window_columns import windowed_rows
from mltrain.data.windowed import Windowed
from mltrain.errors import DataError, MisfitError
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
    beside: Callable[[str], bool] | None = None,
) -> tuple[Table, Windowed | None, tuple[Decision, ...]]:
    """Return all rows of an experiment, where they are windows of a series the windows too, and what was decided;
    arguments and errors as for `prepare`, `beside` as for `AskedImages`."""
    images = AskedImages(spec.features, _no_features(spec, keep), beside if spec.windows is None else None)
    try:
        table = read_table(spec.source, spec.split, seed, declared_kinds(spec, task, keep), images)
    except ColumnError as error:
        if spec.windows is None or spec.target is None or error.column not in spec.target.names or error.odd_share < 1:
            raise
        message = f"windows forecast numbers, and the target '{error.column}' holds none: remove windows ({error})"
        raise MisfitError(("data", "windows"), message) from error
    if not len(table):
        raise DataError(f"{table.origin.name}: there are no rows")
    table = with_single_values(table, _single_columns(spec, table, keep))
    if spec.windows is None:
        table, left_out = without_unknown_target(table, spec)
        return table, None, left_out
    targets = target_of(spec, table).names
    for target in targets:
        values = table.columns.get(target)
        if isinstance(values, np.ndarray) and values.ndim > 1:
            raise DataError(
                f"{table.origin.name}: column '{target}': windows forecast a number, and it holds arrays of shape "
                f"{values.shape[1:]}: name a column of numbers"
            )
    windowed, decisions = windowed_rows(table, spec, targets)
    return windowed.table, windowed, decisions


def forecast_task(target: TargetSpec) -> Task:
    """Return what is learned of windows: one number, or several."""
    return "multiregression" if target.columns else "regression"


def _single_columns(spec: DataSpec, table: Table, keep: Collection[str]) -> list[str]:
    """Return the columns that need one value per row: all but a lone feature, which may be an array of one number."""
    by = spec.windows.by if spec.windows is not None else None
    known = table.target if spec.target is None else None
    others = {*_no_features(spec, keep), *(column.name for column in spec.split.reads()), known, by}
    features = [name for name, column in table.columns.items() if name not in others and not is_unread(column)]
    stated = [name for name in features if name in spec.features]
    if len(features) < 2 and spec.windows is None:
        stated = features
    return [name for name in table.columns if name not in stated]


def _no_features(spec: DataSpec, keep: Collection[str]) -> frozenset[str]:
    """Return the columns of which the config says that they are something else: targets, of a split, or to keep."""
    return frozenset((*(spec.target.names if spec.target is not None else ()), *not_learned_from(spec), *keep))


def declared_kinds(spec: DataSpec, task: Task | Literal["auto"], keep: Collection[str] = ()) -> dict[str, str]:
    """Return the kind of each column that the source must know while it reads. A column that is ignored as a feature
    and needed for something else is read: one that says the order of rows, the split, the series, or one of `keep`."""
    kind = None if task == "auto" else KINDS[task]
    declared: dict[str, str] = {name: feature.read_as for name, feature in spec.features.items()}
    for name in spec.target.names if spec.target is not None else ():
        # Ignored it is only as a feature; its values must be read for what they are.
        if declared.get(name) == "ignore":
            del declared[name]
        if (kind is not None and kind.of_numbers) or spec.windows is not None:
            declared.setdefault(name, "number")
    for column in spec.split.reads():
        if declared.get(column.name) == "ignore":
            del declared[column.name]
        if column.read_as is not None:
            declared.setdefault(column.name, column.read_as)
    if spec.sample_weight is not None:
        if declared.get(spec.sample_weight) == "ignore":
            del declared[spec.sample_weight]
        declared.setdefault(spec.sample_weight, "number")
    series = () if spec.windows is None or spec.windows.by is None else (spec.windows.by,)
    for name in series:
        if spec.windows is not None and name in spec.windows.static:
            declared.setdefault(name, "category")  # names, also where they are numbers
    for name in (*series, *keep):
        if declared.get(name) == "ignore":
            declared[name] = AS_WRITTEN
    targets = spec.target.names if spec.target is not None else ()
    classes = kind is not None and kind.of_classes
    roles: dict[str, Role] = dict.fromkeys(targets, "classes" if classes else "target")
    return DeclaredKinds(declared, roles | dict.fromkeys(filter(None, [spec.sample_weight]), "weight"))


def not_learned_from(spec: DataSpec) -> tuple[str, ...]:
    """Return the columns that say the split, or the weight of each row, and are no features: those that `data.features`
    does not declare, or that never are one."""
    columns = spec.split.reads()
    of_split = [each.name for each in columns if not each.may_be_feature or each.name not in spec.features]
    return (*of_split, *filter(None, [spec.sample_weight]))


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
