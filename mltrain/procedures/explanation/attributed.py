"""What `predict --explain` adds to rows, and sentences about it. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltrain.data.training_columns import TrainingColumns
from mltrain.errors import RunError, UsageError
from mltrain.outputs import KINDS
from mltrain.procedures.stored_model import StoredModel
from mltrain.wording import listed

EXPLAIN = "explain."


@dataclass(frozen=True)
class Attributed:
    """What the numbers in the columns `explain.<column>` are.

    Attributes:
        unit: their unit, in words.
        baseline: the score of the mean training row: for several classes one score by the name of each, else by "".
        steps: the number of points between that row and each row at which gradients were computed.
        gap: by how much, at most, the numbers of a row differ in sum from its score minus that of the baseline.
    """

    unit: str
    baseline: Mapping[str, float]
    steps: int
    gap: float

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        baseline = self.baseline.get("", dict(self.baseline))
        return {"unit": self.unit, "baseline": baseline, "steps": self.steps, "gap": self.gap}


def explained_columns(stored: StoredModel) -> tuple[str, ...]:
    """Return the names of the columns that are added, one for each raw column of the model.

    Raises:
        UsageError: its input is not a table, it has several targets, or it looks up numbers in a table of its own.
    """
    if KINDS[stored.info.task].mixed:
        raise UsageError("--explain divides one score, but this run has targets of different kinds: leave it out")
    if len(stored.info.inputs) > 1:
        raise UsageError(
            "--explain needs a model whose only input is a table, but this one has the inputs "
            f"{listed([each.name for each in stored.info.inputs])}; leave it out; `mltrain explain` shows "
            "which columns the predictions depend on"
        )
    given = stored.info.input
    if not given.columns:
        raise UsageError(
            f"--explain needs the columns of a table, but the input of this run is {given.words} '{given.name}', of "
            f"shape {given.shape}; leave it out; `mltrain explain` shows where in a small image the score comes from, "
            "and how much it depends on a text or an array as a whole"
        )
    targets = stored.preprocessing.target.parts
    if len(targets) > 1:
        raise UsageError(
            f"--explain divides one score among the columns, but this run has {len(targets)} targets; leave it out; "
            "`mltrain explain` shows which columns all of them depend on"
        )
    if stored.spec.model.index_table is not None:
        raise UsageError(
            "--explain needs inputs that can vary gradually, but this model takes index numbers; leave it out"
        )
    return tuple(f"{EXPLAIN}{encoder.column}" for encoder in stored.preprocessing.columns)


def mean_row(stored: StoredModel) -> np.ndarray:
    """Return the mean of the encoded training rows, float32 (features,).

    Raises:
        UsageError: an earlier version trained the run, and did not keep it.
        RunError: the mean that was kept has other columns.
    """
    place = stored.run.path / "reference.json"
    reference = stored.run.reference()
    means = TrainingColumns.from_json(reference, place).means if reference is not None else ()
    if not means:
        raise UsageError(
            "--explain needs the mean of the training rows, but the version that trained this run did not keep it; "
            "train the run again"
        )
    if len(means) != len(stored.preprocessing.feature_names):
        raise RunError(f"{place}: means: {len(means)} numbers for {len(stored.preprocessing.feature_names)} columns")
    with np.errstate(over="ignore"):
        row = np.array(means, np.float32)
    if not np.isfinite(row).all():
        raise RunError(f"{place}: means: a number is too large for float32 (damaged)")
    return row
