"""`evaluate`: the model of a run, rebuilt from its directory and measured again. Writes nothing but
that the test rows were looked at, and takes no lock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mltrain.config.plugins import Plugins
from mltrain.data.encoders.column import RawColumn
from mltrain.data.examples import encode_examples
from mltrain.data.files.arrays import with_single_values
from mltrain.data.files.column_types import OnlyThese
from mltrain.data.image_columns import stated_images, with_images
from mltrain.data.mixed_targets import MixedTargets
from mltrain.data.reading import declared_kinds, read_rows
from mltrain.data.sample_weights import measured_weights
from mltrain.data.several_targets import Target
from mltrain.data.sources import read_file
from mltrain.data.splits.keys import group_numbers, several
from mltrain.data.table import Table, absent_sentences, with_missing
from mltrain.data.unknown_target import without_unknown_target
from mltrain.errors import DataError, RunError, WriteError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.procedures.forecast_dates import measured_columns
from mltrain.procedures.member_folds import MemberFolds
from mltrain.procedures.own_faults import own_faults
from mltrain.procedures.prediction.rows import kinds_of, kinds_of_targets
from mltrain.procedures.recorded_config import other_plugins, refuse_absent
from mltrain.procedures.slices import Slice, split_slices
from mltrain.procedures.stored_model import StoredModel, read_model
from mltrain.procedures.unfinished import unfinished_sentence
from mltrain.run.decision import DecisionRule
from mltrain.run.looks import count_look, looks_sentence, uncounted_sentence
from mltrain.run.record import Record
from mltrain.run.results import Judgement
from mltrain.run.rundir import RunDirectory
from mltrain.run.split_result import Groups, SplitResult
from mltrain.spec import suggest
from mltrain.task import OUT_OF_FOLD, SPLITS, Task
from mltrain.tensorflow_start import start_tensorflow


@dataclass(frozen=True)
class Evaluation:
    """What was measured again.

    Attributes:
        task: what the model has learned.
        classes: their names.
        kind: of its weights: best, last, average or kept.
        epoch: which they are from.
        rule: how its probabilities become decisions.
        splits: the results, by the split or the name of the file: one.
        sentences: what there is to say of the plugins, of the run and of the data, by the key in `as_json`.
        looks: how often the test rows were looked at; None where others were measured.
    """

    task: Task
    classes: tuple[str, ...]
    kind: str
    epoch: int
    rule: DecisionRule
    splits: Mapping[str, SplitResult]
    sentences: Mapping[str, tuple[str, ...]]
    looks: Looks | None

    def as_json(self, judged: Sequence[Judgement]) -> dict[str, Any]:
        """Return it for programs, in the form of metrics.json, with what became of the gates."""
        threshold = {"threshold": {"value": self.rule.threshold}} if self.task == "binary" else {}
        temperature = {} if self.rule.temperature is None else {"temperature": self.rule.temperature}
        return {
            "task": self.task,
            "classes": list(self.classes),
            "model": {"weights": self.kind, "epoch": self.epoch},
            **threshold,
            **temperature,
            "splits": {name: _groups_last(split) for name, split in self.splits.items()},
            **{key: list(said) for key, said in self.sentences.items()},
            **({} if self.looks is None else {"test_looks": asdict(self.looks)}),
            **({"gates": [each.as_json() for each in judged]} if judged else {}),
        }


@dataclass(frozen=True)
class Looks:
    """How often the test rows of a run were looked at.

    Attributes:
        count: with this time; None where it cannot be counted.
        sentence: in words.
    """

    count: int | None
    sentence: str


def evaluate(
    run: RunDirectory,
    split: str | None,
    data: Path | None,
    command: tuple[str, ...] = (),
    options: Mapping[str, Any] = MappingProxyType({}),
    plugins: Plugins | None = None,
    epoch: int | None = None,
) -> Evaluation:
    """Measure the model of a run.

    Args:
        run: where everything comes from; metrics.json is not read.
        split: the rows to measure on, or `OUT_OF_FOLD`; None takes test, else validation, else train.
        data: a file with other rows.
        command: the command line, to be kept where looks at the test rows are counted.
        options: how the file with other rows is written, by the names of the keys of its source.
        plugins: with which its metrics are measured; None takes installed packages alone.
        epoch: whose kept weights are measured; None for the model of the run.

    Raises:
        RunError: the run is damaged or unfinished, or its data has changed since.
        UsageError: the weights of that epoch are not kept.
        DataError: the data is not there, or not valid.
        PluginError: the plugin of one of its components is not there, or fails.
    """
    stored = read_model(run, plugins, epoch)
    refuse_absent(stored.spec)
    with own_faults(stored.spec):
        return _evaluated(stored, split, data, command, options)


def _evaluated(
    stored: StoredModel, split: str | None, data: Path | None, command: tuple[str, ...], options: Mapping[str, Any]
) -> Evaluation:
    run, spec, preprocessing = stored.run, stored.spec, stored.preprocessing
    splits = [name for name in SPLITS if name in stored.splits]
    if split is not None and split not in {*splits, *spec.splits_of_folds}:
        raise RunError(f"{run.path}: the run has no {split} rows (it has: {', '.join(splits)})")
    chosen = split or splits[-1]
    rows_of_split = stored.splits["train" if chosen == OUT_OF_FOLD else chosen]
    start_tensorflow()
    from mltrain.procedures.measurement import measure_split, predict_out_of_fold, predict_split

    network = stored.network()
    sentences: tuple[str, ...] = ()
    if data is not None:
        table, sentences = _rows_of_file(stored, data, options)
        recorded = stored.record.data
        # With `split: files`, the digest of the run is that of the digests of its files.
        of_files = hashlib.sha256(table.sha256.encode()).hexdigest()
        if recorded is not None and recorded.sha256 in (table.sha256, of_files):
            said = f"{data.name} is the file that the run was trained on: its rows include the training rows"
            sentences = (*sentences, f"{said}, so these results are too good for new rows")
        name = data.name
    else:
        name, table = chosen, recorded_rows(stored, rows_of_split)
    keys = spec.data.split.key_columns
    known = all(column in table.columns for column in keys)
    groups = several(group_numbers(table, keys)) if known and name != "train" else None
    rows = rows_of_split if data is None else None
    weights = weights_in_metrics(spec, table, name)
    examples = replace(encode_examples(preprocessing, table, rows), groups=groups, weights=weights)
    stored.refuse_indices(table, examples.inputs)
    # Not by `name`: a folder of images may be called so, too.
    folds = MemberFolds.of(network.spec, network.info, examples) if chosen == OUT_OF_FOLD else None
    slices = _slices(run, spec, stored.record, table) if name != "train" and folds is None else ()
    of_rows = predict_split(network, examples) if folds is None else predict_out_of_fold(network, folds, examples)
    predicted = of_rows.tempered(network, stored.rule)
    measured = measure_split(network, examples, predicted, stored.rule, name, slices)
    if not known and run.has_groups():
        measured = measured.model_copy(update={"groups": Groups(columns=keys, n=None)})
    unfinished = unfinished_sentence(run, stored.kind, stored.epoch)
    remarks: dict[str, tuple[str, ...]] = {
        "plugin_sentences": other_plugins(stored.record, spec),
        "run_sentences": tuple(filter(None, (unfinished, stored.other_weights))),
        "data_sentences": sentences,
    }
    return Evaluation(
        task=network.info.task,
        classes=network.info.output.classes,
        kind=stored.kind,
        epoch=stored.epoch,
        rule=stored.rule,
        splits={name: measured},
        sentences={key: each for key, each in remarks.items() if each},
        looks=_counted(run, command) if name == "test" and data is None else None,
    )


def _rows_of_file(stored: StoredModel, data: Path, options: Mapping[str, Any]) -> tuple[Table, tuple[str, ...]]:
    """Return the rows of a file, with their windows where the model takes such, and what there is to say of them."""
    preprocessing = stored.preprocessing
    table = read_file(data, _needed(stored), like=stored.spec.data.source, options=options)
    sentences: tuple[str, ...] = ()
    features = kinds_of(stored)
    absent = [column for column in features if column not in table.columns]
    if table.absent_is_missing and len(absent) < len(features):
        sentences = absent_sentences(table, absent)
        table = with_missing(table, absent)
    table = with_images(table, data.parent, preprocessing.image_rules)
    arrays = {encoder.column for encoder in preprocessing.columns if encoder.holds_arrays}
    table = with_single_values(table, [column for column in table.columns if column not in arrays])
    sentences = (*sentences, *_without_targets(preprocessing.target, table))
    table, left_out = without_unknown_target(table, stored.spec.data)
    sentences = (*sentences, *(f"{each.reason}: left out" for each in left_out))
    if preprocessing.of_windows:
        windowed = preprocessing.windowed(table)
        table, sentences = windowed.table.take(windowed.examples), (*sentences, *windowed.sentences)
    return table, sentences


def _without_targets(target: Target, table: Table) -> Iterator[str]:
    """Yield which of several targets a file lacks, where rows may lack them."""
    absent = [name for name in target.columns if name not in table.columns]
    if isinstance(target, MixedTargets) and target.missing == "skip" and len(absent) < len(target.columns):
        for name in absent:
            hint = suggest(name, table.columns)
            yield f"no column '{name}'{hint}: this target is not measured, and the loss is that of the others"


def weights_in_metrics(spec: ExperimentSpec, table: Table, name: str) -> np.ndarray | None:
    """Return how much each row counts in the metrics; None where all count the same.

    Raises:
        DataError: the rows have no such column, or it holds something else.
    """
    column = spec.data.sample_weight
    if not spec.evaluation.sample_weight or column is None:
        return None
    if column not in table.columns:
        asked = "evaluation.sample_weight: true"
        raise DataError(f"{table.origin.name}: no column '{column}', by which the metrics are weighted ({asked})")
    return measured_weights(RawColumn.of(table, column), np.arange(len(table)), name)


def _needed(stored: StoredModel) -> OnlyThese:
    """Return the columns that are needed of other rows, each with its kind: features, target, keys and slices."""
    spec, target = stored.spec, stored.preprocessing.target
    slices = measured_columns(spec)
    declared = declared_kinds(spec.data, target.task, slices)
    array = getattr(target, "array", None)
    others = (*target.columns, *(() if array is None else (array,)), *spec.data.split.key_columns, *slices)
    kinds = {**{name: declared.get(name) for name in others}, **kinds_of_targets(target)}
    return OnlyThese({**kinds, **{name: kind for name, kind in kinds_of(stored).items() if name not in kinds}})


def _groups_last(split: SplitResult) -> dict[str, Any]:
    """Return the results of a split; that its rows have no groups follows at the end."""
    found = split.as_json()
    if split.groups is not None and split.groups.n is None:
        found["groups"] = found.pop("groups")
    return found


def _counted(run: RunDirectory, command: tuple[str, ...]) -> Looks:
    """Count that the test rows are looked at, before anybody sees what came out; say how often that was."""
    try:
        count_look(run.path, command)
        count = len(run.looks())
    except (WriteError, RunError) as error:  # a run that cannot be written may be measured all the same
        return Looks(None, uncounted_sentence(error))
    return Looks(count, looks_sentence(count))


def recorded_rows(stored: StoredModel, ids: np.ndarray) -> Table:
    """Return the rows `ids` of the data of a run; raises RunError where it is not what the run recorded."""
    run, spec, recorded = stored.run, stored.spec, stored.record.data
    if recorded is None:
        raise RunError(f"{run.path}: record.json does not name the data of the run; measure other rows with --data")
    features = {**spec.data.features, **stated_images(stored.preprocessing.image_rules)}
    data = spec.data.model_copy(update={"features": features})
    table = read_rows(data, spec.seed, spec.task, measured_columns(spec))
    if table.sha256 != recorded.sha256:
        what = f"{recorded.source} or an image of its rows" if stored.preprocessing.image_rules else recorded.source
        raise RunError(
            f"{run.path}: {what} has changed since the run ({recorded.rows} rows then, {len(table)} now), so its "
            "splits no longer fit; measure the new rows with --data"
        )
    if ids.max() >= len(table):  # what is recorded of the ids can be changed together with them
        raise RunError(f"{run.path}: row {ids.max()} is in splits/, and the data has {len(table)} rows, counted from 0")
    return table.take(ids)


def _slices(run: RunDirectory, spec: ExperimentSpec, record: Record, table: Table) -> tuple[Slice, ...]:
    specs = spec.evaluation.slices
    for each in specs:
        edges = record.slices.get(each.column, ())
        if each.bins is not None and (not edges or list(edges) != sorted(set(edges))):
            raise RunError(f"{run.path}: record.json does not hold the edges of the bins of '{each.column}' (damaged)")
    return split_slices(specs, record.slices, {each.column: RawColumn.of(table, each.column) for each in specs})
