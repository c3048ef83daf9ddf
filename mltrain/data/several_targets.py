"""Several targets that are learned together: labels of two values each, or numbers. Each is a target as any other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from mltrain.data.encoders.column import RawColumn, first_row, is_number
from mltrain.data.files.arrays import column_of_array
from mltrain.data.files.column_types import ColumnPlace
from mltrain.data.mixed_targets import MixedTargets, fit_mixed, known_rows
from mltrain.data.one_hot import are_one_hot, class_numbers, nearly_one_hot
from mltrain.data.table import Column, Table
from mltrain.data.target import (
    TargetEncoder,
    TargetsTogether,
    fit_target,
    infer_task,
    known_numbers,
    refuse_without_logarithm,
)
from mltrain.data.target_spec import STATED, TargetSpec
from mltrain.errors import DataError
from mltrain.outputs import KINDS
from mltrain.spec import Many
from mltrain.task import Decision, Task, TaskOfSeveral
from mltrain.wording import counted, listed


class SeveralTargets(TargetsTogether):
    """The target columns, in the order of the outputs."""

    task: TaskOfSeveral
    """What is learned."""
    parts: Annotated[Many[TargetEncoder], Field(min_length=2)]
    """The encoder of each column."""
    array: str | None = None
    """The array column (rows, targets) whose columns these are; null where they are columns of the table."""

    @property
    def name(self) -> str:
        """Name of the output: the array, or the columns in words."""
        return self.array or self.column

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels; empty for numbers."""
        return self.columns if self.task == "multilabel" else ()

    @property
    def outputs(self) -> int:
        """Size of the last axis of the predictions."""
        return len(self.parts)

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Return targets or predictions (rows, targets) of numbers in the columns' own units, as float64."""
        return np.stack([part.restore(values[:, place]) for place, part in enumerate(self.parts)], axis=1)


Target: TypeAlias = TargetEncoder | SeveralTargets | MixedTargets


def encoded_targets(target: Target, table: Table) -> np.ndarray:
    """Return the target of a table for training, (rows,), or (rows, targets) float32; see `TargetEncoder.encode`, and
    for targets of different kinds `MixedTargets.encode`.

    Raises:
        DataError: a column is not there, or holds what is no target.
    """
    if isinstance(target, MixedTargets):
        return target.encode(table)
    table = _with_columns(target, table)
    return _beside([part.encode(RawColumn.of(table, part.column)) for part in target.parts])


def true_targets(target: Target, table: Table) -> np.ndarray:
    """Return the target of a table for evaluation: int64 class numbers (rows,), 0 or 1 of each label (rows, targets),
    or float64 values in the columns' own units; of different kinds as `MixedTargets.truth` says. Raises as
    `encoded_targets`."""
    if isinstance(target, MixedTargets):
        return target.truth(table)
    table = _with_columns(target, table)
    return _beside([part.truth(RawColumn.of(table, part.column)) for part in target.parts])


def each_target(target: Target, truth: np.ndarray) -> Iterator[tuple[TargetEncoder, np.ndarray, np.ndarray]]:
    """Yield each target with the rows that have it, bool (rows,), and what is true of it (rows,), from all (rows,) or
    (rows, targets); 0 where a row lacks it."""
    for part, values in zip(target.parts, truth.reshape(len(truth), -1).T, strict=True):
        there = np.ones(len(values), bool) if values.dtype.kind != "f" else ~np.isnan(values)
        known = np.where(there, values, 0.0) if not there.all() else values
        yield part, there, known.astype(np.int64) if part.classes else known


def scaled_target(target: Target, train: Table) -> Target:
    """Return the same encoder, of which each column is scaled by the training rows."""
    if isinstance(target, MixedTargets):
        return target.scaled(train)
    parts = tuple(part.scaled(RawColumn.of(train, part.column)) for part in target.parts)
    return target.model_copy(update={"parts": parts}) if isinstance(target, SeveralTargets) else parts[0]


def in_logarithms(target: Target, table: Table, train: Table) -> Target:
    """Return the same encoder, of which the logarithm of each column of numbers is learned, scaled by training rows.

    Args:
        target: its encoder.
        table: all rows: those that are held out must have a logarithm, too.
        train: the training rows.

    Raises:
        DataError: a value is 0 or less.
    """

    def changed(part: TargetEncoder) -> TargetEncoder:
        if not KINDS[part.task].scaled:
            return part
        for rows in (table, train):
            column = RawColumn.of(rows, part.column)
            there = known_rows(column)
            known = column if there.all() else column.take(np.flatnonzero(there))
            numbers = known_numbers(known)
            refuse_without_logarithm(known, numbers)
        return part.in_logarithms(numbers) if len(numbers) else part

    parts = tuple(map(changed, target.parts))
    return parts[0] if isinstance(target, TargetEncoder) else target.model_copy(update={"parts": parts})


def _beside(columns: Sequence[np.ndarray]) -> np.ndarray:
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def _with_columns(target: Target, table: Table) -> Table:
    if isinstance(target, TargetEncoder):
        return with_classes(table, target)
    if isinstance(target, MixedTargets):
        return table
    return table if target.array is None or target.columns[0] in table.columns else unfolded(table, target.array)


def with_classes(table: Table, target: Target) -> Table:
    """Return the table with one column of classes in the place of the columns of a one-hot target; any other table
    unchanged.

    Raises:
        DataError: one of the columns is not there, a value is not 0 or 1, or a row has not exactly one 1.
    """
    if not isinstance(target, TargetEncoder) or not target.one_hot:
        return table
    if target.array is not None:
        table = unfolded(table, target.array)
    if target.column in table.columns and target.one_hot[0] not in table.columns:
        return table
    made = _classes_of([RawColumn.of(table, name) for name in target.one_hot], target.array)
    columns: dict[str, Column] = {}
    for name in table.columns:
        if name == target.one_hot[0]:
            columns[target.column] = made
        elif name not in target.one_hot:
            columns[name] = table.columns[name]
    return replace(table, columns=columns)


def _classes_of(columns: Sequence[RawColumn], array: str | None) -> pa.Array:
    """Return the class of each row: the position in an array, or the name of a column."""
    numbers = pa.array(class_numbers(columns))
    return numbers if array is not None else pa.array([column.name for column in columns], pa.string()).take(numbers)


def unfolded(table: Table, name: str) -> Table:
    """Return the table with the columns of an array column (rows, n) as `name[0]`, `name[1]`, … in its place; as it is
    where that is no such array."""
    values = table.columns.get(name)
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.shape[1] < 2:
        return table
    place = table.origin.place
    of_array = {f"{name}[{number}]": values[:, number] for number in range(values.shape[1])}
    made = {each: column_of_array(array, ColumnPlace(each, place)) for each, array in of_array.items()}
    columns: dict[str, Column] = {}
    for other, column in table.columns.items():
        columns |= made if other == name else {other: column}
    return replace(table, columns=columns)


def fit_targets(table: Table, spec: TargetSpec, task: Task | Literal["auto"]) -> tuple[Target, tuple[Decision, ...]]:
    """Return the encoder of one target or several, not scaled yet; `table` has the columns of an array column already.

    Raises:
        DataError: as `fit_target` and `fit_several`.
    """
    name = spec.names[0]
    array = None if spec.columns or name in table.columns or f"{name}[0]" not in table.columns else name
    if array is None and not spec.columns:
        return fit_target(RawColumn.of(table, name), spec, task, table.task, table.classes)
    of_array = (f"{name}[{number}]" for number in itertools.count())
    names = spec.columns or tuple(itertools.takewhile(table.columns.__contains__, of_array))
    columns = [RawColumn.of(table, each) for each in names]
    if spec.columns and spec.missing == "error":
        _refuse_missing(columns)
    if task == "mixed" or (task == "auto" and spec.is_of_outputs):
        return fit_mixed(columns, spec)
    if spec.is_of_outputs:
        key = "each" if spec.each else "missing"
        raise columns[0].failure(f"data.target.{key} is for targets of different kinds, but the task is {task}")
    if are_one_hot(columns) if task == "auto" else KINDS[task].of_classes:
        return fit_one_hot(columns, spec, task, array)
    if task == "auto" and _are_of_different_kinds(columns):
        return fit_mixed(columns, spec)
    return fit_several(columns, spec, task, array)


def fit_one_hot(
    columns: Sequence[RawColumn], spec: TargetSpec, stated: Task | Literal["auto"] = "auto", array: str | None = None
) -> tuple[TargetEncoder, tuple[Decision, ...]]:
    """Return the encoder of one target whose classes are columns of 0 and 1, from all rows.

    Args:
        columns: the targets of all rows, one per class.
        spec: what was asked of them.
        stated: the experiment's task; "auto" is binary for two columns, else multiclass.
        array: the array column whose columns they are.

    Raises:
        DataError: a value is missing or is not 0 or 1, a row has not exactly one 1, or the settings do not fit.
    """
    first, names = columns[0], [column.name for column in columns]
    classes = _classes_of(columns, array)
    whole = replace(first, name=array or listed(names, 4), values=classes)
    task: Task = stated if stated != "auto" else "binary" if len(columns) == 2 else "multiclass"
    found = set(pc.unique(classes).to_pylist())
    known = [name for name in names if name in found] if array is None else ()  # in the order of the columns
    encoder, more = fit_target(whole, spec, task, known_classes=known)
    encoder = encoder.model_copy(update={"one_hot": tuple(names), "array": array})
    decisions: tuple[Decision, ...] = ()
    if stated == "auto":
        reason = (
            f"exactly one of the {len(names)} columns is 1 in every row: they are the classes of one target; "
            "task: multilabel learns each column separately"
        )
        decisions = (Decision("task", task, reason),)
    absent = [str(each) for each in (names if array is None else range(len(names))) if each not in found]
    if absent:
        decisions += (Decision("target.classes", f"without {listed(absent)}", "no row has this class"),)
    return encoder, (*decisions, *more)


def fit_several(
    columns: Sequence[RawColumn], spec: TargetSpec, stated: Task | Literal["auto"] = "auto", array: str | None = None
) -> tuple[SeveralTargets, tuple[Decision, ...]]:
    """Return the encoder of several targets, not scaled yet, from the targets of all rows.

    Args:
        columns: the targets of all rows.
        spec: what was asked of them.
        stated: the experiment's task; it wins.
        array: the array column whose columns they are.

    Raises:
        DataError: a value is missing, or the columns are neither all labels nor all numbers.
    """
    decisions: tuple[Decision, ...] = ()
    if stated == "auto":
        task, reason = _inferred(columns)
        decisions = (Decision("task", task, reason),)
    elif KINDS[stated].several:
        task = stated
    else:
        raise DataError(
            f"{columns[0].source}: the task is {stated}, but there are {counted(len(columns), 'target')}; state task: "
            f"{' or '.join(kind.name for kind in KINDS.values() if kind.several)}, or name one target"
        )
    for name in ("classes", "positive"):
        if getattr(spec, name):
            raise columns[0].failure(
                f"data.target.{name} needs one target with classes, but the task is {task} (remove it)"
            )
    if task == "multilabel" and spec.scale in STATED:
        raise columns[0].failure("data.target.scale is for numbers, but the task is multilabel (remove it)")
    parts = tuple(fit_target(column, TargetSpec(column=column.name), KINDS[task].each)[0] for column in columns)
    if task == "multilabel":
        positive = ", ".join(f"{part.column}={part.classes[1]}" for part in parts)
        decisions += (Decision("target.positive", positive, "the second of the two values of each label"),)
    return SeveralTargets(task=task, parts=parts, array=array), decisions  # type: ignore[arg-type]


def _refuse_missing(columns: Sequence[RawColumn]) -> None:
    """Refuse a missing value in one of several targets; DataError says what to do with such rows."""
    for column in columns:
        there = known_rows(column)
        if not there.all():
            count = int((~there).sum())
            rest = f" (and {count - 1} more)" if count > 1 else ""
            raise column.error(
                first_row(~there),
                f"the target is missing{rest}; correct the row or leave it out, or set data.target.missing to skip: "
                f"such rows then train the other targets{column.taken_as_missing}",
            )


def _are_of_different_kinds(columns: Sequence[RawColumn]) -> bool:
    """Return whether targets are neither all labels of two values nor all numbers."""
    labels = [infer_task(column)[0] == "binary" for column in columns]
    numbers = [not isinstance(each.values, np.ndarray) and is_number(each.values.type) for each in columns]
    return not all(labels) and (any(labels) or not all(numbers))


def _inferred(columns: Sequence[RawColumn]) -> tuple[Task, str]:
    labels = [column for column in columns if infer_task(column)[0] == "binary"]
    others = [column for column in columns if column not in labels]
    if not others:
        return "multilabel", f"each of the {len(columns)} targets has two values{nearly_one_hot(columns)}"
    for column in others:
        known_numbers(column)
    return "multiregression", f"each of the {len(columns)} targets holds numbers"
