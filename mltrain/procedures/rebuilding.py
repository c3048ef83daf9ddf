"""A trained model from its run directory, and only from what proves itself there: for `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mltrain.data.encoders.column import RawColumn, first_row
from mltrain.data.preparation import data_info
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.table import Table
from mltrain.errors import ConfigError, RunError
from mltrain.experiment import ExperimentSpec
from mltrain.load import load_text
from mltrain.models.sequential import Sequential
from mltrain.procedures.plan import final_weights
from mltrain.run.checkpoint_files import newest, read_checkpoint
from mltrain.run.proof import proved_preprocessing, proved_splits
from mltrain.run.record import Record
from mltrain.run.rundir import RunDirectory
from mltrain.task import SPLITS

if TYPE_CHECKING:
    from mltrain.procedures.network import Network


@dataclass(frozen=True)
class StoredModel:
    """What a run holds of its model; no TensorFlow so far.

    Attributes:
        run: where it is.
        spec: the experiment.
        record: how the run came about.
        preprocessing: what was fitted on the training rows.
        splits: the row ids of each split.
        weights: best or last.
        epoch: that they are of.
        arrays: they themselves.
    """

    run: RunDirectory
    spec: ExperimentSpec
    record: Record
    preprocessing: Preprocessing
    splits: Mapping[str, np.ndarray]
    weights: str
    epoch: int
    arrays: Mapping[str, np.ndarray]

    def network(self) -> Network:
        """Build the model with these weights. Needs TensorFlow, which must have been started.

        Raises:
            RunError: the weights do not fit, or the precision is unknown.
        """
        from mltrain.procedures.network import build_network
        from mltrain.training.acceleration import PRECISIONS
        from mltrain.training.devices import choose_device
        from mltrain.training.weights import put_weights

        choose_device(self.spec.device)
        precision = self.record.determinism.get("precision", "float32")
        if precision not in PRECISIONS:
            raise RunError(
                f"{self.run.path}: record.json names the precision {precision!r}; expected one of {PRECISIONS}"
            )
        info = data_info(self.preprocessing, len(self.splits["train"]))
        network = build_network(self.spec, info, self.preprocessing.target, precision)
        put_weights(network.model, self.arrays, str(self.run.checkpoints))
        return network


def stored_model(run: RunDirectory) -> StoredModel:
    """Read the model of a run.

    Raises:
        RunError: the run is damaged or unfinished.
    """
    spec, record = _spec(run), run.record()
    preprocessing = Preprocessing.from_json(proved_preprocessing(run, record))
    splits = proved_splits(run, record)
    weights, _ = final_weights(spec, {name for name in SPLITS if name in splits})
    arrays, state = read_checkpoint(newest(run.checkpoints, weights))
    return StoredModel(run, spec, record, preprocessing, splits, weights, _epoch(state, run), arrays)


def refuse_indices(spec: ExperimentSpec, preprocessing: Preprocessing, table: Table, values: np.ndarray) -> None:
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
