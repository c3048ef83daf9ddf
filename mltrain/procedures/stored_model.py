"""What a run directory says of its model, each part proved: for `evaluate`, `predict`, and the check at the end of a
training. No TensorFlow, until the network is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mltrain.config.plugins import Plugins
from mltrain.data.encoders.column import RawColumn, first_row
from mltrain.data.preparation import data_info
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.table import Table
from mltrain.errors import ConfigError, RunError, UsageError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.procedures.plan import final_weights
from mltrain.procedures.recorded_config import recorded_config
from mltrain.procedures.unfinished import failure_explained, refuse_without_model
from mltrain.run.checkpoint_files import KEPT, newest, numbers, read_checkpoint
from mltrain.run.decision import DecisionRule
from mltrain.run.proof import proved_decision, proved_preprocessing, proved_splits
from mltrain.run.record import Record
from mltrain.run.rundir import RunDirectory
from mltrain.task import DataInfo

if TYPE_CHECKING:
    from mltrain.procedures.network import Network


@dataclass(frozen=True)
class StoredModel:
    """The model of a run, as its directory has it.

    Attributes:
        run: where it is.
        spec: the experiment.
        record: how the run came about.
        preprocessing: what was fitted on its training rows.
        splits: the row ids (int64) of each split.
        kind: whether it is the best epoch's, the last's, an average, or one that was kept and is asked for.
        epoch: whose weights these are.
        weights: for `put_weights`.
        rule: how its probabilities become decisions.
    """

    run: RunDirectory
    spec: ExperimentSpec
    record: Record
    preprocessing: Preprocessing
    splits: Mapping[str, np.ndarray]
    kind: Literal["best", "last", "average", "kept"]
    epoch: int
    weights: Mapping[str, np.ndarray]
    rule: DecisionRule

    @property
    def info(self) -> DataInfo:
        """What the model knows of the data."""
        return data_info(self.preprocessing, len(self.splits["train"]))

    @property
    def precision(self) -> bool | str:
        """What its layers compute in."""
        return self.record.determinism.get("precision", "float32")

    @property
    def other_weights(self) -> str:
        """That these are not the weights of the model of the run; empty where they are."""
        if self.kind != "kept":
            return ""
        decided = "; its threshold and temperature are used" if self.spec.evaluation.decides else ""
        return f"the weights of epoch {self.epoch} are used instead of the model of the run{decided}"

    def network(self) -> Network:
        """Build the model with these weights. Needs TensorFlow, which must have been started.

        Raises:
            RunError: the weights do not fit, or the precision is unknown.
        """
        from mltrain.procedures.network import build_network
        from mltrain.training.acceleration import PRECISIONS
        from mltrain.training.devices import choose_device
        from mltrain.training.weights import put_weights

        choose_device(self.spec.device, self.spec.threads)
        if self.precision not in PRECISIONS:
            raise RunError(
                f"{self.run.path}: record.json names the precision {self.precision!r}; expected one of {PRECISIONS}"
            )
        network = build_network(self.spec, self.info, self.preprocessing.target, self.precision)
        put_weights(network.model, self.weights, str(self.run.checkpoints))
        return network

    def refuse_indices(self, table: Table, inputs: Mapping[str, np.ndarray]) -> None:
        """Refuse rows with index numbers that the training data did not have: TensorFlow names neither row nor column.

        Args:
            table: the rows.
            inputs: the same encoded, by the name of the input.

        Raises:
            DataError: names the first.
        """
        for indices in self.spec.model.index_sizes(self.info):
            values = inputs[indices.input]
            outside = ((values < 0) | (values >= indices.size)).reshape(len(values), -1)
            if outside.any():
                row = first_row(outside.any(axis=1))
                place = first_row(outside[row])
                column = RawColumn.of(table, self.preprocessing.column_of(indices.input, place))
                found = values[row].reshape(-1)[place]
                raise column.error(row, f"expected an index from 0 to {indices.size - 1}, found {found:g}")


def read_model(run: RunDirectory, plugins: Plugins | None = None, epoch: int | None = None) -> StoredModel:
    """Return the model of a run.

    Args:
        run: where it is.
        plugins: with which its config is read; None takes installed packages alone.
        epoch: whose weights it gets, of those that a ModelCheckpoint has kept; None for the model of the run.

    Raises:
        RunError: the run is damaged or unfinished.
        UsageError: the weights of that epoch are not kept.
    """
    with failure_explained(run):
        return _read_model(run, plugins, epoch)


def _read_model(run: RunDirectory, plugins: Plugins | None, epoch: int | None) -> StoredModel:
    spec = resolved_spec(run, plugins)
    record = run.record()
    preprocessing = Preprocessing.from_json(proved_preprocessing(run, record))
    splits = proved_splits(run, record)
    rule = proved_decision(run, record, spec.evaluation.decides)
    if epoch is not None:
        weights, state = read_checkpoint(_kept_weights(run, epoch))
        return StoredModel(run, spec, record, preprocessing, splits, "kept", _epoch(state, run), weights, rule)
    kind, _ = final_weights(spec, set(splits))  # type: ignore[arg-type]
    if numbers(run.checkpoints, "last") and not numbers(run.checkpoints, kind):
        # Training has ended, and the objective never had a value by which an epoch could be the best; or it ended
        # before an epoch was averaged.
        kind = "last"
    if not numbers(run.checkpoints, kind):
        refuse_without_model(run, kind)
    weights, state = read_checkpoint(newest(run.checkpoints, kind))
    return StoredModel(run, spec, record, preprocessing, splits, kind, _epoch(state, run), weights, rule)


def resolved_spec(run: RunDirectory, plugins: Plugins | None = None) -> ExperimentSpec:
    """Return the experiment of a run.

    Raises:
        RunError: config.resolved.yaml is damaged.
    """
    try:
        return recorded_config(run, plugins=plugins).spec
    except ConfigError as error:
        raise RunError(f"{run.path}: config.resolved.yaml is damaged, or of another version: {error}") from error


def _kept_weights(run: RunDirectory, epoch: int) -> Path:
    kept = run.kept_epochs()
    if epoch not in kept:
        there = f"kept are {', '.join(map(str, kept))}" if kept else "it has kept none; a ModelCheckpoint does so"
        raise UsageError(f"{run.path}: the run has no weights of epoch {epoch} ({there})")
    return run.checkpoints / f"{KEPT}-{epoch:06d}"


def _epoch(state: Mapping[str, Any], run: RunDirectory) -> int:
    epoch = state.get("epoch")
    if type(epoch) is not int:
        raise RunError(f"{run.checkpoints}: the weights do not say of which epoch they are")
    return epoch
