"""What `predict --explain` adds to rows, and what is to be said of it. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltrain.data.training_columns import TrainingColumns
from mltrain.errors import RunError, UsageError
from mltrain.models.sequential import Sequential
from mltrain.procedures.stored_model import StoredModel

EXPLAIN = "explain."


@dataclass(frozen=True)
class Attributed:
    """What the numbers in the columns `explain.<column>` are.

    Attributes:
        unit: of them, in words.
        baseline: the score of the mean training row, with several classes of each class by its name, else by "".
        steps: between that row and each row, at which gradients were taken.
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
        UsageError: its input is no table, it has several targets, or it looks numbers up in a table of its own.
    """
    array = stored.preprocessing.array
    if array is not None:
        raise UsageError(
            f"--explain: it is for columns of a table, and the input of this run is '{array.column}', an array "
            f"{array.encoded_shape}; of images, `mltrain explain` shows where the score comes from"
        )
    targets = stored.preprocessing.target.parts
    if len(targets) > 1:
        raise UsageError(
            f"--explain: it divides one score among the columns, and this run has {len(targets)} targets; leave it "
            "out; `mltrain explain` shows on which columns all of them hang"
        )
    if isinstance(stored.spec.model, Sequential) and stored.spec.model.index_table is not None:
        raise UsageError("--explain: the model takes index numbers, between which there is nothing; leave it out")
    return tuple(f"{EXPLAIN}{encoder.column}" for encoder in stored.preprocessing.columns)


def mean_row(stored: StoredModel) -> np.ndarray:
    """Return the mean of the encoded training rows, float32 (features,).

    Raises:
        UsageError: an earlier version trained the run, and kept none.
        RunError: what is kept is of other columns.
    """
    place = stored.run.path / "reference.json"
    reference = stored.run.reference()
    means = TrainingColumns.from_json(reference, place).means if reference is not None else ()
    if not means:
        raise UsageError(
            "--explain: an earlier version trained this run, and did not keep the mean of its rows; train it again"
        )
    if len(means) != len(stored.preprocessing.feature_names):
        raise RunError(f"{place}: means: {len(means)} numbers for {len(stored.preprocessing.feature_names)} columns")
    with np.errstate(over="ignore"):
        row = np.array(means, np.float32)
    if not np.isfinite(row).all():
        raise RunError(f"{place}: means: a number is too large for float32 (damaged)")
    return row
