"""What a run directory says of its model, each part proved: from here `evaluate` rebuilds it, and so does the check at
the end of a training. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mltrain.data.preprocessing import Preprocessing
from mltrain.errors import ConfigError, RunError
from mltrain.experiment import ExperimentSpec
from mltrain.load import load_text
from mltrain.procedures.plan import final_weights
from mltrain.run.checkpoint_files import newest, numbers, read_checkpoint
from mltrain.run.decision import DecisionRule
from mltrain.run.proof import proved_decision, proved_preprocessing, proved_splits
from mltrain.run.record import Record
from mltrain.run.rundir import RunDirectory


@dataclass(frozen=True)
class StoredModel:
    """The model of a run, as its directory has it.

    Attributes:
        spec: the experiment.
        record: how the run came about.
        preprocessing: what was fitted on its training rows.
        splits: the row ids (int64) of each split.
        kind: whether it is the best epoch's, or the last's.
        epoch: whose weights these are.
        weights: for `put_weights`.
        rule: how its probabilities become decisions.
    """

    spec: ExperimentSpec
    record: Record
    preprocessing: Preprocessing
    splits: Mapping[str, np.ndarray]
    kind: Literal["best", "last"]
    epoch: int
    weights: Mapping[str, np.ndarray]
    rule: DecisionRule

    @property
    def precision(self) -> bool | str:
        """What its layers compute in."""
        return self.record.determinism.get("precision", "float32")


def read_model(run: RunDirectory) -> StoredModel:
    """Return the model of a run.

    Raises:
        RunError: the run is damaged or unfinished.
    """
    spec = resolved_spec(run)
    record = run.record()
    preprocessing = Preprocessing.from_json(proved_preprocessing(run, record))
    splits = proved_splits(run, record)
    rule = proved_decision(run, record, spec.evaluation.decides)
    kind, _ = final_weights(spec, set(splits))  # type: ignore[arg-type]
    if kind == "best" and numbers(run.checkpoints, "last") and not numbers(run.checkpoints, "best"):
        kind = "last"  # training has ended, and the objective never had a value by which an epoch could be the best
    weights, state = read_checkpoint(newest(run.checkpoints, kind))
    return StoredModel(spec, record, preprocessing, splits, kind, _epoch(state, run), weights, rule)


def resolved_spec(run: RunDirectory) -> ExperimentSpec:
    """Return the experiment of a run.

    Raises:
        RunError: config.resolved.yaml is damaged.
    """
    try:
        return load_text(run.resolved(), "config.resolved.yaml", run.path).spec
    except ConfigError as error:
        raise RunError(f"{run.path}: config.resolved.yaml is damaged, or of another version: {error}") from error


def _epoch(state: Mapping[str, Any], run: RunDirectory) -> int:
    epoch = state.get("epoch")
    if type(epoch) is not int:
        raise RunError(f"{run.checkpoints}: the weights do not say of which epoch they are")
    return epoch
