"""From the `data` section to arrays: read, find the target and the task, split, fit on the training rows, encode."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from mltrain.data.audit import Audited, audit_data
from mltrain.data.constant_targets import keep_or_refuse_constant_targets
from mltrain.data.encoders.beside import fit_beside
from mltrain.data.encoders.column import RawColumn
from mltrain.data.encoders.window import fit_windows
from mltrain.data.examples import Examples, encode_splits, letting_go
from mltrain.data.kept_rows import sampled_rows, shown_columns
from mltrain.data.mixed_targets import MixedTargets, refuse_unknown_targets
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.preprocessing_fit import AS_COLUMNS, TextUse, fit_preprocessing
from mltrain.data.reading import forecast_task, not_learned_from, read_data, target_of
from mltrain.data.sample_weights import IN_METRICS, measured_weights, weights_of_training
from mltrain.data.scaled_targets import scaled_numbers
from mltrain.data.several_targets import (
    Target,
    each_target,
    fit_targets,
    true_targets,
    unfolded,
    with_classes,
)
from mltrain.data.spec import DataSpec
from mltrain.data.splits.choice import split_rows
from mltrain.data.splits.rare_classes import keep_every_class
from mltrain.data.splits.row_choice import StratifyError
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Origin, Table
from mltrain.data.target import IF_NUMBERS, guessed_task_hint
from mltrain.data.training_columns import TrainingColumns
from mltrain.data.windowed import Windowed
from mltrain.errors import DataError, MisfitError
from mltrain.outputs import KINDS
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch
from mltrain.task import DataInfo, Decision, Input, SplitName, Task
from mltrain.wording import counted


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
        weights: (training rows,) float32 with mean 1, how much each counts in the loss; None where all count the same.
        kept: raw columns of all rows that were asked for beside the examples, by name.
        table: the columns that can be shown, of all rows, where they are few enough to stay; else None.
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
    weights: np.ndarray | None
    kept: Mapping[str, RawColumn]
    table: Table | None
    sample: Table


def prepare(
    spec: DataSpec,
    seed: int,
    task: Task | Literal["auto"] = "auto",
    keep: Mapping[str, tuple[str | int, ...]] = MappingProxyType({}),
    why_unscaled: str | None = None,
    stopwatch: NoStopwatch = NO_STOPWATCH,
    texts: TextUse = AS_COLUMNS,
) -> Prepared:
    """Return the data of an experiment, ready for training.

    Args:
        spec: the `data` section.
        seed: the experiment's.
        task: the experiment's; "auto" takes what the source says, or what the target suggests.
        keep: columns that are needed as they are, each with the place in the config that names it.
        why_unscaled: why the target is not scaled where `data.target.scale` is auto; None where it is.
        stopwatch: notes what the audit takes.
        texts: what the model does with free text, and with names of image files, whose kind is not stated.

    Raises:
        DataError: the data is not there, not readable, or does not fit what was asked.
        MisfitError: a column to keep is not there.
    """
    table, windowed, reading_decisions = read_data(spec, seed, task, keep, texts.beside)
    kept = {name: _named_column(table, name, path) for name, path in keep.items()}
    target_spec = target_of(spec, table)
    table = unfolded(table, target_spec.names[0])
    target, decisions = fit_targets(table, target_spec, task if windowed is None else forecast_task(target_spec))
    table = with_classes(table, target)
    # From here on this dict alone holds the columns, so that each can be freed once it is encoded.
    rows, columns = len(table), dict(table.columns)
    table = replace(table, columns=columns)

    truth = true_targets(target, table)
    kind = KINDS[target.task]
    decisions += _unstratified(spec, target)
    hint = guessed_task_hint(target, decisions)
    splits, split_decisions = _split(spec, seed, table, target, truth, windowed, hint)
    train = table.take(splits.train)
    if isinstance(target, MixedTargets):
        refuse_unknown_targets(table, target, truth, splits)
    if kind.of_numbers or kind.mixed:
        decisions += keep_or_refuse_constant_targets(table, target, truth, splits.train, spec.split)
    if kind.scaled:
        target, scale_decisions = scaled_numbers(target_spec, target, table, train, why_unscaled)
        decisions += scale_decisions
    if windowed is None:
        leave_out = not_learned_from(spec)
        preprocessing, feature_decisions = fit_preprocessing(
            train, target, spec.features, spec.scale, leave_out, spec.inputs, texts
        )
    else:
        windows = fit_windows(windowed, spec, splits.train, target.columns)
        beside = fit_beside(windowed, spec, splits.train)
        encoders: tuple[Any, ...] = (windows, *beside.encoders)
        preprocessing = Preprocessing(columns=encoders, target=target, groups=beside.groups)
        feature_decisions = beside.decisions
    weights: np.ndarray | None = None
    if spec.sample_weight is not None:
        column = _named_column(table, spec.sample_weight, ("data", "sample_weight"))
        in_metrics = keep.get(spec.sample_weight) == IN_METRICS
        weights, weight_decision = weights_of_training(column, splits.train, in_metrics)
        feature_decisions += (weight_decision,)
    reference = TrainingColumns.of(preprocessing, train)
    with stopwatch.phase("data audit"):
        number_hint = hint if IF_NUMBERS in hint else ""
        audited = audit_data(table, splits, truth, preprocessing, reference, number_hint, windowed)

    # These are copied before the columns go.
    shown, sample = shown_columns(preprocessing, table, splits), sampled_rows(table, splits)
    examples = encode_splits(preprocessing, table, train, splits, encoded=letting_go(columns))
    if spec.sample_weight is not None and keep.get(spec.sample_weight) == IN_METRICS:
        of_rows = kept[spec.sample_weight]
        examples = {
            name: replace(each, weights=measured_weights(of_rows, each.rows, name)) for name, each in examples.items()
        }
    info = _with_limits(data_info(preprocessing, len(splits.train)), examples.values())
    of_table = [each.name for each in info.inputs if each.columns]
    if len(of_table) == 1:
        reference = reference.with_means(examples["train"].inputs[of_table[0]])
    return Prepared(
        source=table.origin.name,
        origin=table.origin,
        rows=rows if windowed is None else windowed.rows,
        sha256=table.sha256,
        splits=splits,
        preprocessing=preprocessing,
        reference=reference,
        audited=audited,
        info=info,
        decisions=(*table.decisions, *decisions, *split_decisions, *reading_decisions, *feature_decisions),
        examples=examples,
        weights=weights,
        kept=kept,
        table=shown,
        sample=sample,
    )


def _split(
    spec: DataSpec,
    seed: int,
    table: Table,
    target: Target,
    truth: np.ndarray,
    windowed: Windowed | None,
    hint: str,
) -> tuple[Splits, tuple[Decision, ...]]:
    """Return the splits, with every class in the training rows; where they cannot be stratified, the error ends with
    the hint."""
    labels = truth if KINDS[target.task].of_classes else None
    try:
        splits, decisions = split_rows(spec.split, table, labels, seed, target.classes, windowed)
    except StratifyError as error:
        raise DataError(f"{error}{hint}") from error
    if KINDS[target.task].of_numbers:
        return splits, decisions
    labelled = [
        (RawColumn.of(table, part.column), part.classes, _as_the_commonest(numbers, there))
        for part, there, numbers in each_target(target, truth)
        if part.classes
    ]
    splits, moved = keep_every_class(spec.split, splits, labelled, hint)
    return splits, decisions + moved


def _as_the_commonest(numbers: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return the class numbers of all rows, with the commonest class for rows that lack the target: they can neither
    lack a class nor be the last row of a rare one."""
    return numbers if there.all() else np.where(there, numbers, np.bincount(numbers[there]).argmax())


def _named_column(table: Table, name: str, path: tuple[str | int, ...]) -> RawColumn:
    try:
        return RawColumn.of(table, name)
    except DataError as error:
        raise MisfitError(path, str(error)) from error


def data_info(preprocessing: Preprocessing, train_rows: int) -> DataInfo:
    """Return what a model may know of data that is encoded by `preprocessing`."""
    return DataInfo(preprocessing.inputs, (preprocessing.output,), train_rows)


def _with_limits(info: DataInfo, splits: Collection[Examples]) -> DataInfo:
    """Return the same with the smallest and largest value of each input whose values may be indices."""

    def limited(given: Input) -> Input:
        if given.dtype != "int32" and len(given.shape) != 1:
            return given
        values = [examples.inputs[given.name] for examples in splits]
        return replace(given, limits=(min(float(x.min()) for x in values), max(float(x.max()) for x in values)))

    return replace(info, inputs=tuple(map(limited, info.inputs)))


def _unstratified(spec: DataSpec, target: Target) -> tuple[Decision, ...]:
    """Return a word on the split where there are labels: each row has several, and none by which to draw in shares.

    Raises:
        MisfitError: that was asked for.
    """
    stratify = getattr(spec.split, "stratify", False)
    if not KINDS[target.task].several or KINDS[target.task].of_numbers or stratify is False:
        return ()
    what = "target" if KINDS[target.task].mixed else "label"
    reason = f"a row has {counted(len(target.parts), what)}, but rows can be stratified by one column of classes only"
    if stratify is True:
        raise MisfitError(("data", "split", "stratify"), f"{reason}: remove it")
    return (Decision("split.stratify", "false", reason),)
