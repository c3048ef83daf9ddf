"""From the `data` section to arrays: read, find the target and the task, split, fit on the training rows, encode."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from mltrain.data.audit import Audited, audit_data
from mltrain.data.constant_targets import refuse_constant_targets
from mltrain.data.encoders.column import RawColumn
from mltrain.data.encoders.window import fit_windows
from mltrain.data.examples import Examples, encode_splits, letting_go
from mltrain.data.files.arrays import with_single_values
from mltrain.data.files.column_types import AS_WRITTEN, DeclaredKinds
from mltrain.data.preprocessing import Preprocessing, fit_preprocessing
from mltrain.data.several_targets import (
    Target,
    each_target,
    fit_targets,
    scaled_target,
    true_targets,
    unfolded,
    with_classes,
)
from mltrain.data.spec import DataSpec, TargetSpec
from mltrain.data.splits import ColumnSplit, TimeSplit
from mltrain.data.splits.choice import read_table, split_rows
from mltrain.data.splits.key_splits import key_columns
from mltrain.data.splits.rare_classes import keep_every_class
from mltrain.data.splits.row_choice import StratifyError
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Origin, Table, is_unread
from mltrain.data.target import IF_NUMBERS, guessed_task_hint
from mltrain.data.training_columns import TrainingColumns
from mltrain.data.windowed import Windowed, time_column, windowed_rows
from mltrain.errors import DataError, MisfitError
from mltrain.outputs import KINDS
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch
from mltrain.task import DataInfo, Decision, SplitName, Task
from mltrain.wording import counted, listed

# Outputs start near 0 and move by about the learning rate a step.
LARGE_TARGET = 30.0
# Raw rows that are kept, to try what was written on them.
SAMPLE_ROWS = 64
# Of a wide table that stays; 8 MB.
_KEPT_VALUES = 1 << 20


@dataclass(frozen=True)
class Prepared:
    """Data ready for training.

    Attributes:
        source: where the rows come from.
        origin: the same, for each row.
        rows: how many there are.
        sha256: of them, as `Table` says.
        splits: the rows of each split.
        preprocessing: what was fitted on the training rows.
        reference: what the columns of the training rows looked like.
        audited: what is wrong with the data, and how much each column tells.
        info: what a model may know of the data.
        decisions: what was not stated and had to be decided, in the order in which it was.
        examples: by the name of the split; only splits that have rows.
        kept: raw columns of all rows that were asked for beside the examples, by name.
        table: all rows as they were, where they have one input or are few enough to stay; else None.
        sample: the first rows of the last split, as they were read: what `model.keras` takes.
    """

    source: str
    origin: Origin
    rows: int
    sha256: str
    splits: Splits
    preprocessing: Preprocessing
    reference: TrainingColumns
    audited: Audited
    info: DataInfo
    decisions: tuple[Decision, ...]
    examples: Mapping[SplitName, Examples]
    kept: Mapping[str, RawColumn]
    table: Table | None
    sample: Table


def prepare(
    spec: DataSpec,
    seed: int,
    task: Task | Literal["auto"] = "auto",
    keep: Mapping[str, tuple[str | int, ...]] = MappingProxyType({}),
    own_units: str | None = None,
    stopwatch: NoStopwatch = NO_STOPWATCH,
) -> Prepared:
    """Return the data of an experiment, ready for training.

    Args:
        spec: the `data` section.
        seed: the experiment's.
        task: the experiment's; "auto" takes what the source says, or what the target suggests.
        keep: columns that are needed as they are, each with the place in the config that names it.
        own_units: why the target is not scaled where `data.target.scale` is auto; None where it is.
        stopwatch: notes what the audit takes.

    Raises:
        DataError: the data is not there, not readable, or does not fit what was asked.
        MisfitError: a column to keep is not there.
    """
    table, windowed, window_decisions = _read(spec, seed, task, keep)
    kept = {name: _named_column(table, name, path) for name, path in keep.items()}
    target_spec = _target(spec, table)
    table = unfolded(table, target_spec.names[0])
    target, decisions = fit_targets(table, target_spec, task if windowed is None else "regression")
    table = with_classes(table, target)
    rows, columns = len(table), dict(table.columns)
    table = replace(table, columns=columns)  # nothing else holds a column, so that each can be freed once it is encoded

    truth = true_targets(target, table)
    kind = KINDS[target.task]
    labels = truth if kind.of_classes else None
    decisions += _unstratified(spec, target)
    hint = guessed_task_hint(target, decisions)
    splits, split_decisions = _split(spec, table, labels, seed, target.classes, windowed, hint)
    if not kind.of_numbers:
        labelled = [(RawColumn.of(table, part.column), part.classes, each) for part, each in each_target(target, truth)]
        splits, moved = keep_every_class(spec.split, splits, labelled, hint)
        split_decisions += moved

    train = table.take(splits.train)
    if kind.of_numbers:
        refuse_constant_targets(table, target, truth, splits.train, spec.split)
    if kind.scaled:
        target, scale_decisions = _scaled(target, target_spec, train, truth[splits.train], own_units)
        decisions += scale_decisions
    if windowed is None:
        leave_out = _left_out(spec)
        preprocessing, feature_decisions = fit_preprocessing(train, target, spec.features, spec.scale, leave_out)
    else:
        windows = fit_windows(windowed, spec, splits.train, target.column)
        preprocessing, feature_decisions = Preprocessing(columns=(windows,), target=target), window_decisions
    reference = TrainingColumns.of(preprocessing, train)
    with stopwatch.phase("data audit"):
        audited = audit_data(
            table, splits, truth, preprocessing, reference, hint if IF_NUMBERS in hint else "", windowed
        )

    # A large one does not stay: its numbers have twice the digits of the examples.
    few = len(preprocessing.columns) == 1 or rows * len(columns) <= _KEPT_VALUES
    shown_table = replace(table, columns=dict(columns)) if few and preprocessing.array is None else None
    *_, (_, last) = splits.items()
    taken = table.take(last[:SAMPLE_ROWS])
    sample = replace(taken, columns=dict(taken.columns))  # as they are now: the columns go
    examples = encode_splits(preprocessing, table, splits, encoded=letting_go(columns))
    if preprocessing.array is None:
        reference = reference.with_means(examples["train"].x)
    info = data_info(preprocessing, len(splits.train))
    if info.input_dtype == "int32" or len(info.input_shape) == 1:
        inputs = [each.x for each in examples.values()]
        smallest, largest = min(float(x.min()) for x in inputs), max(float(x.max()) for x in inputs)
        info = replace(info, smallest_input=smallest, largest_input=largest)
    decisions = (*table.decisions, *decisions, *split_decisions, *feature_decisions)
    return Prepared(
        source=table.origin.name,
        origin=table.origin,
        rows=rows,
        sha256=table.sha256,
        splits=splits,
        preprocessing=preprocessing,
        reference=reference,
        audited=audited,
        info=info,
        decisions=decisions,
        examples=examples,
        kept=kept,
        table=shown_table,
        sample=sample,
    )


def _split(
    spec: DataSpec,
    table: Table,
    labels: np.ndarray | None,
    seed: int,
    classes: tuple[str, ...],
    windowed: Windowed | None,
    hint: str,
) -> tuple[Splits, tuple[Decision, ...]]:
    """Return the splits; where they cannot be stratified, the error ends with the hint."""
    try:
        return split_rows(spec.split, table, labels, seed, classes, windowed)
    except StratifyError as error:
        raise DataError(f"{error}{hint}") from error


def _left_out(spec: DataSpec) -> tuple[str, ...]:
    """Return the columns that say the split, which are no features; a key or a time may be declared as one."""
    split = spec.split
    if isinstance(split, ColumnSplit):
        return (split.column,)
    time = (split.column,) if isinstance(split, TimeSplit) and split.column is not None else ()
    return tuple(name for name in (*time, *key_columns(split)) if name not in spec.features)


def _named_column(table: Table, name: str, path: tuple[str | int, ...]) -> RawColumn:
    try:
        return RawColumn.of(table, name)
    except DataError as error:
        raise MisfitError(path, str(error)) from error


def read_rows(spec: DataSpec, seed: int, task: Task | Literal["auto"], keep: Collection[str] = ()) -> Table:
    """Return all rows of an experiment, with their windows where there are; arguments and errors as for `prepare`."""
    return _read(spec, seed, task, keep)[0]


def _read(
    spec: DataSpec, seed: int, task: Task | Literal["auto"], keep: Collection[str]
) -> tuple[Table, Windowed | None, tuple[Decision, ...]]:
    table = read_table(spec.source, spec.split, seed, declared_kinds(spec, task, keep))
    if not len(table):
        raise DataError(f"{table.origin.name}: there are no rows")
    table = with_single_values(table, _single_columns(spec, table, keep))
    if spec.windows is None:
        return table, None, ()
    target = _target(spec, table).names[0]
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
    targets = spec.target.names if spec.target is not None else (table.target or "",)
    others = {*targets, *_left_out(spec), *key_columns(spec.split), *keep, time, by}
    features = [name for name, column in table.columns.items() if name not in others and not is_unread(column)]
    stated = [name for name in features if name in spec.features]
    if len(features) < 2 and spec.windows is None:
        stated = features
    return [name for name in table.columns if name not in stated]


def data_info(preprocessing: Preprocessing, train_rows: int) -> DataInfo:
    """Return what a model may know of data that is encoded by `preprocessing`."""
    return DataInfo(
        task=preprocessing.target.task,
        input_shape=preprocessing.input_shape,
        input_dtype=preprocessing.input_dtype,
        outputs=preprocessing.target.outputs,
        classes=preprocessing.target.classes,
        feature_names=preprocessing.feature_names,
        train_rows=train_rows,
        targets=preprocessing.target.columns if KINDS[preprocessing.target.task].several else (),
    )


def _scaled(
    target: Target, spec: TargetSpec, train: Table, truth: np.ndarray, own_units: str | None
) -> tuple[Target, tuple[Decision, ...]]:
    """Return the encoder of numbers, scaled by the training rows where that is asked for, or is left to be decided."""
    if spec.scale == "standard" or (spec.scale == "auto" and own_units is None):
        target = scaled_target(target, train)
    if spec.scale == "auto":
        return target, (_target_scale(target, own_units),)
    unscaled = _unscaled(truth.reshape(len(train), -1), target.columns) if spec.scale == "none" else ()
    return target, unscaled


def _target_scale(target: Target, own_units: str | None) -> Decision:
    """Return what auto has decided."""
    if own_units is not None:
        return Decision("target.scale", "none", own_units)
    each = [f"mean {part.center:.4g}, deviation {part.width:.4g}" for part in target.parts]
    of = f"training rows: {each[0]}" if len(each) == 1 else f"each of the {len(each)} targets by its training rows"
    return Decision("target.scale", "standard", f"{of}; predictions and metrics are in the units of the target")


def _unscaled(values: np.ndarray, names: Sequence[str]) -> tuple[Decision, ...]:
    """Return a word on a target whose size makes the usual learning rates crawl: prices of 4,000 gave R² -1."""
    for name, column in zip(names, values.T, strict=True):
        mean, deviation = float(column.mean()), float(column.std())
        if max(abs(mean), deviation) >= LARGE_TARGET:
            of = f"of '{name}' " if len(names) > 1 else ""
            reason = f"mean {of}{mean:.4g}, deviation {deviation:.4g}: "
            return (Decision("target.scale", "none", f"{reason}data.target.scale: standard is much faster to learn"),)
    return ()


def _unstratified(spec: DataSpec, target: Target) -> tuple[Decision, ...]:
    """Return a word on the split where there are labels: each row has several, and none by which to draw in shares.

    Raises:
        MisfitError: that was asked for.
    """
    stratify = getattr(spec.split, "stratify", False)
    if target.task != "multilabel" or stratify is False:
        return ()
    reason = f"a row has {counted(target.outputs, 'label')}, but rows can be stratified by one column of classes only"
    if stratify is True:
        raise MisfitError(("data", "split", "stratify"), f"{reason}: remove it")
    return (Decision("split.stratify", "false", reason),)


def declared_kinds(spec: DataSpec, task: Task | Literal["auto"], keep: Collection[str] = ()) -> dict[str, str]:
    """Return the kind of each column that the source must know while it reads. A column that is ignored as a feature
    and needed for something else is read: one that says the order of rows, the split, the series, or one of `keep`."""
    declared: dict[str, str] = {name: feature.type for name, feature in spec.features.items()}
    for name in spec.target.names if spec.target is not None else ():
        # Ignored it is only as a feature; its values must be read for what they are.
        if declared.get(name) == "ignore":
            del declared[name]
        if (task != "auto" and KINDS[task].of_numbers) or spec.windows is not None:
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
    classes = task != "auto" and KINDS[task].of_classes
    return DeclaredKinds(declared, dict.fromkeys(targets, "classes" if classes else "any"))


def _target(spec: DataSpec, table: Table) -> TargetSpec:
    stated = spec.target
    if stated is not None and stated.names:
        return stated
    if table.target is not None:
        return TargetSpec(column=table.target, scale="auto" if stated is None else stated.scale)
    known = listed(list(table.columns))
    which = f"which column should be predicted? (columns: {known})"
    raise DataError(f"{table.origin.name}: data.target is not stated: {which}")
