"""`evaluate`: the model of a run, rebuilt from its directory and measured again. Writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mltrain.data.preparation import Examples, encode_examples, prepare
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.sources.file import read_file as read_data_file
from mltrain.errors import ConfigError, RunError
from mltrain.experiment import ExperimentSpec
from mltrain.load import load_text
from mltrain.procedures.plan import final_weights
from mltrain.run.checkpoint_files import newest, read_checkpoint
from mltrain.run.rundir import RunDirectory
from mltrain.task import DataInfo, SplitName
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
    preprocessing = Preprocessing.from_json(run.preprocessing())
    rows = {name: len(ids) for name, ids in run.splits().items()}
    if split is not None and split not in rows:
        raise RunError(f"{run.path}: the run has no {split} rows (it has: {', '.join(rows)})")
    chosen: SplitName = split or next(name for name in ("test", "validation", "train") if name in rows)  # type: ignore[assignment]
    final, _ = final_weights(spec, set(rows))  # type: ignore[arg-type]
    arrays, state = read_checkpoint(newest(run.checkpoints, final))
    start_tensorflow()
    from mltrain.procedures.measurement import measure_split
    from mltrain.procedures.network import build_network
    from mltrain.training.devices import choose_device
    from mltrain.training.weights import put_weights

    choose_device(spec.device)
    network = build_network(spec, _info(preprocessing, rows["train"]), preprocessing.target)
    put_weights(network.model, arrays, str(run.checkpoints))
    name = data.name if data is not None else chosen
    result, _ = measure_split(network, _examples(run, spec, preprocessing, chosen, data))
    return {
        "task": network.info.task,
        "classes": list(network.info.classes),
        "model": {"weights": final, "epoch": state["epoch"]},
        "splits": {name: result},
    }


def _spec(run: RunDirectory) -> ExperimentSpec:
    try:
        return load_text(run.resolved(), "config.resolved.yaml", run.path).spec
    except ConfigError as error:
        raise RunError(f"{run.path}: config.resolved.yaml is damaged, or of another version: {error}") from error


def _info(preprocessing: Preprocessing, train_rows: int) -> DataInfo:
    return DataInfo(
        task=preprocessing.target.task,
        input_shape=preprocessing.input_shape,
        input_dtype=preprocessing.input_dtype,
        outputs=preprocessing.target.outputs,
        classes=preprocessing.target.classes,
        feature_names=preprocessing.feature_names,
        train_rows=train_rows,
    )


def _examples(
    run: RunDirectory, spec: ExperimentSpec, preprocessing: Preprocessing, split: SplitName, data: Path | None
) -> Examples:
    if data is not None:
        return encode_examples(preprocessing, read_data_file(data, spec))
    prepared = prepare(spec.data, spec.seed, preprocessing.target.task)
    recorded = run.record().data
    if recorded is not None and prepared.table.sha256 != recorded.sha256:
        raise RunError(
            f"{run.path}: {recorded.source} has changed since the run ({recorded.rows} rows then, {len(prepared.table)} now); "
            "measure on it with --data"
        )
    return encode_examples(preprocessing, prepared.table.take(run.splits()[split]))
