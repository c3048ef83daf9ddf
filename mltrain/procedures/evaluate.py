"""`evaluate`: the model of a run, rebuilt from its directory and measured again. Writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mltrain.data.preparation import declared_kinds, encode_examples, read_rows
from mltrain.data.sources import read_file
from mltrain.data.table import Table
from mltrain.errors import RunError
from mltrain.experiment import ExperimentSpec
from mltrain.procedures.rebuilding import refuse_indices, stored_model
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
    stored = stored_model(run)
    spec, preprocessing, ids = stored.spec, stored.preprocessing, stored.splits
    splits: list[SplitName] = [name for name in SPLITS if name in ids]
    if split is not None and split not in splits:
        raise RunError(f"{run.path}: the run has no {split} rows (it has: {', '.join(splits)})")
    chosen = split or splits[-1]
    start_tensorflow()
    from mltrain.procedures.measurement import measure_split

    network = stored.network()
    if data is not None:
        name, table = data.name, read_file(data, declared_kinds(spec.data, network.info.task), like=spec.data.source)
    else:
        name, table = chosen, _rows(run, spec, stored.record, ids[chosen])
    examples = encode_examples(preprocessing, table)
    refuse_indices(spec, preprocessing, table, examples.x)
    result, _ = measure_split(network, examples)
    return {
        "task": network.info.task,
        "classes": list(network.info.classes),
        "model": {"weights": stored.weights, "epoch": stored.epoch},
        "splits": {name: result},
    }


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
