"""`evaluate`: the model of a run, rebuilt from its directory and measured again. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mltrain.data.encoders.column import RawColumn, first_row
from mltrain.data.preparation import data_info, declared_kinds, encode_examples, read_rows
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.sources import read_file
from mltrain.data.table import Table
from mltrain.errors import ConfigError, RunError
from mltrain.experiment import ExperimentSpec
from mltrain.load import load_text
from mltrain.models.sequential import Sequential
from mltrain.procedures.plan import final_weights
from mltrain.procedures.slices import Slice, split_slices
from mltrain.run.checkpoint_files import newest, read_checkpoint
from mltrain.run.proof import proved_preprocessing, proved_splits
from mltrain.run.record import Record
from mltrain.run.rundir import RunDirectory
from mltrain.task import SPLITS, SplitName
from mltrain.tensorflow_start import start_tensorflow


def evaluate(run: RunDirectory, split: SplitName | None, data: Path | None) -> dict[str, Any]:
    """Measure the model of a run.

    Args:
        run: where everything comes from; metrics.json is not read.
        split: the rows to measure on; None takes test, else validation, else train.
        data: a file with other rows.

    Returns:
        The same shape as metrics.json.

    Raises:
        RunError: the run is damaged or unfinished, or its data has changed since.
        DataError: the data is not there, or not valid.
    """
    spec = _spec(run)
    record = run.record()
    preprocessing = Preprocessing.from_json(proved_preprocessing(run, record))
    ids = proved_splits(run, record)
    splits: list[SplitName] = [name for name in SPLITS if name in ids]
    if split is not None and split not in splits:
        raise RunError(f"{run.path}: the run has no {split} rows (it has: {', '.join(splits)})")
    chosen = split or splits[-1]
    final, _ = final_weights(spec, set(splits))
    arrays, state = read_checkpoint(newest(run.checkpoints, final))
    start_tensorflow()
    from mltrain.procedures.measurement import measure_split
    from mltrain.procedures.network import build_network
    from mltrain.training.acceleration import PRECISIONS
    from mltrain.training.devices import choose_device
    from mltrain.training.weights import put_weights

    choose_device(spec.device)
    precision = record.determinism.get("precision", "float32")
    if precision not in PRECISIONS:
        raise RunError(f"{run.path}: record.json names the precision {precision!r}; expected one of {PRECISIONS}")
    network = build_network(spec, data_info(preprocessing, len(ids["train"])), preprocessing.target, precision)
    put_weights(network.model, arrays, str(run.checkpoints))
    if data is not None:
        name, table = data.name, read_file(data, declared_kinds(spec.data, network.info.task), like=spec.data.source)
    else:
        name, table = chosen, _rows(run, spec, record, ids[chosen])
    examples = encode_examples(preprocessing, table)
    _refuse_indices(spec, preprocessing, table, examples.x)
    slices = _slices(run, spec, record, table) if name != "train" else ()
    result, _ = measure_split(network, examples, name, slices)
    return {
        "task": network.info.task,
        "classes": list(network.info.classes),
        "model": {"weights": final, "epoch": _epoch(state, run)},
        "splits": {name: result},
    }


def _spec(run: RunDirectory) -> ExperimentSpec:
    try:
        return load_text(run.resolved(), "config.resolved.yaml", run.path).spec
    except ConfigError as error:
        raise RunError(f"{run.path}: config.resolved.yaml is damaged, or of another version: {error}") from error


def _epoch(state: Mapping[str, Any], run: RunDirectory) -> int:
    epoch = state.get("epoch")
    if type(epoch) is not int:
        raise RunError(f"{run.checkpoints}: the weights do not say of which epoch they are")
    return epoch


def _rows(run: RunDirectory, spec: ExperimentSpec, record: Record, ids: np.ndarray) -> Table:
    recorded = record.data
    if recorded is None:
        raise RunError(f"{run.path}: record.json does not say which data it was; measure other rows with --data")
    table = read_rows(spec.data, spec.seed, spec.task)
    if table.sha256 != recorded.sha256:
        raise RunError(
            f"{run.path}: {recorded.source} has changed since the run ({recorded.rows} rows then, {len(table)} now), "
            "so these would be other rows; measure them with --data"
        )
    if ids.max() >= len(table):  # what is recorded of the ids can be changed together with them
        raise RunError(f"{run.path}: row {ids.max()} is in splits/, and the data has {len(table)} rows, counted from 0")
    return table.take(ids)


def _slices(run: RunDirectory, spec: ExperimentSpec, record: Record, table: Table) -> tuple[Slice, ...]:
    specs = spec.evaluation.slices
    for each in specs:
        edges = record.slices.get(each.column, ())
        if each.bins is not None and (not edges or list(edges) != sorted(set(edges))):
            raise RunError(f"{run.path}: record.json does not say where the bins of '{each.column}' meet")
    return split_slices(specs, record.slices, {each.column: RawColumn.of(table, each.column) for each in specs})


def _refuse_indices(spec: ExperimentSpec, preprocessing: Preprocessing, table: Table, values: np.ndarray) -> None:
    """Refuse rows with index numbers that the training data did not have: TensorFlow names neither row nor column."""
    indices = spec.model.index_table if isinstance(spec.model, Sequential) else None
    if indices is None:
        return
    outside = ((values < 0) | (values >= indices.size)).reshape(len(values), -1)
    if outside.any():
        row = first_row(outside.any(axis=1))
        place = first_row(outside[row])
        column = RawColumn.of(table, preprocessing.column_of(place))
        raise column.error(
            row, f"expected an index from 0 to {indices.size - 1}, found {values[row].reshape(-1)[place]:g}"
        )
