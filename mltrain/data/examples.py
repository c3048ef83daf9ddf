"""Examples: the rows of a split as a model takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from mltrain.data.preprocessing import Preprocessing
from mltrain.data.splits.keys import several
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Column, Table
from mltrain.forecast_rows import ForecastRows
from mltrain.task import SplitName, the_only

# One array as it is, so that a model of one input computes as it always did; of several inputs a list in their order.
ModelInputs: TypeAlias = np.ndarray | list[np.ndarray]


def model_inputs(inputs: Mapping[str, np.ndarray]) -> ModelInputs:
    """Return arrays by the name of the input, in the order of the inputs, as a Keras model takes them."""
    return the_only(inputs) if len(inputs) == 1 else list(inputs.values())


# Bytes of columns that are encoded, before memory is given back, which takes some milliseconds.
_GIVEN_BACK_AT_ONCE = 1 << 25


@dataclass(frozen=True)
class Examples:
    """The rows of one split as a model takes them.

    Attributes:
        rows: (rows,): int64, their numbers in the data; of a file that is measured beside it 0, 1, 2, …
        inputs: by the name of the input: float32 (rows, features), or float32 or int32 (rows, …) for arrays.
        targets: by the name of the output: (rows,): float32 for binary (0 or 1) and regression (scaled if that was
            asked), int32 for multiclass; of several targets float32 (rows, targets).
        truths: by the name of the output, what predictions are compared with: (rows,) or (rows, targets): int64 class
            numbers, or float64 in the target's own units.
        missing: number of missing values that were filled, by column.
        unknown: number of categories that no training row has, by column.
        groups: (rows,): int64, equal for rows that belong together, as those of one patient; None where each row is for
            itself.
        forecasts: what is known of them where they are windows of a series; else None.
        weights: (rows,): float64 of 0 or more, how much each counts in the metrics; None where all count the same.
    """

    rows: np.ndarray
    inputs: Mapping[str, np.ndarray]
    targets: Mapping[str, np.ndarray]
    truths: Mapping[str, np.ndarray]
    missing: Mapping[str, int]
    unknown: Mapping[str, int]
    groups: np.ndarray | None = None
    forecasts: ForecastRows | None = None
    weights: np.ndarray | None = None

    @property
    def x(self) -> np.ndarray:
        """The only one of `inputs`; raises ValueError where there are several."""
        return the_only(self.inputs)

    @property
    def model_inputs(self) -> ModelInputs:
        """`inputs` as a Keras model takes them."""
        return model_inputs(self.inputs)

    @property
    def y(self) -> np.ndarray:
        """The only one of `targets`; raises ValueError where there are several."""
        return the_only(self.targets)

    @property
    def truth(self) -> np.ndarray:
        """The only one of `truths`; raises ValueError where there are several."""
        return the_only(self.truths)


def encode_examples(preprocessing: Preprocessing, table: Table, rows: np.ndarray | None = None) -> Examples:
    """Return a table as a model takes it, as `evaluate --data FILE` needs it too.

    Args:
        preprocessing: what was fitted.
        table: the rows.
        rows: their numbers in the data; None where they are those of another file.

    Raises:
        DataError: a column is not there, or holds a value that cannot be encoded.
    """
    encoded, output = preprocessing.encode(table), preprocessing.target.name
    return Examples(
        np.arange(len(table)) if rows is None else rows,
        encoded.inputs,
        {output: preprocessing.targets(table)},
        {output: preprocessing.truth(table)},
        encoded.missing,
        encoded.unknown,
        forecasts=preprocessing.forecasts(table),
    )


def encode_splits(
    preprocessing: Preprocessing, table: Table, train: Table, splits: Splits, encoded: Callable[[str], object]
) -> dict[SplitName, Examples]:
    """Return the examples of each split.

    Args:
        preprocessing: what was fitted.
        table: all rows.
        train: the training rows, of which the preprocessing may still know something.
        splits: the rows of each.
        encoded: as for `Preprocessing.encode_each`.
    """
    rows_of, output = dict(splits.items()), preprocessing.target.name
    taken = {name: train if name == "train" else table.take(rows) for name, rows in rows_of.items()}
    targets = {name: {output: preprocessing.targets(rows)} for name, rows in taken.items()}
    truths = {name: {output: preprocessing.truth(rows)} for name, rows in taken.items()}
    forecasts = {name: preprocessing.forecasts(rows) for name, rows in taken.items()}
    groups = {name: None if splits.groups is None else splits.groups[rows] for name, rows in rows_of.items()}
    return {
        name: Examples(
            rows_of[name],
            found.inputs,
            targets[name],
            truths[name],
            found.missing,
            found.unknown,
            groups=several(groups[name]),
            forecasts=forecasts[name],
        )
        for name, found in preprocessing.encode_each(taken, encoded).items()
    }


def letting_go(columns: dict[str, Column]) -> Callable[[str], None]:
    """Return what drops one of `columns`, and gives its memory back: pyarrow keeps what it has had."""
    held = 0

    def let_go(name: str) -> None:
        nonlocal held
        held += columns.pop(name).nbytes
        if held > _GIVEN_BACK_AT_ONCE:
            pa.default_memory_pool().release_unused()
            pa.system_memory_pool().release_unused()  # that of NumPy: it trims what the C library keeps
            held = 0

    return let_go
