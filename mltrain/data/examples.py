"""Examples: the rows of a split as a model takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mltrain.data.preprocessing import Preprocessing
from mltrain.data.splits.keys import several
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Column, Table
from mltrain.forecast_rows import ForecastRows
from mltrain.task import SplitName

# Bytes of columns that are encoded, before memory is given back, which takes some milliseconds.
_GIVEN_BACK_AT_ONCE = 1 << 25


@dataclass(frozen=True)
class Examples:
    """The rows of one split as a model takes them.

    Attributes:
        rows: (rows,): int64, their numbers in the data; of a file that is measured beside it 0, 1, 2, …
        x: float32 (rows, features), or float32 or int32 (rows, …) for arrays.
        y: (rows,): float32 for binary (0 or 1) and regression (scaled if that was asked), int32 for multiclass; of
            several targets float32 (rows, targets).
        truth: (rows,) or (rows, targets): what predictions are compared with: int64 class numbers, or float64 in the
            target's own units.
        missing: number of missing values that were filled, by column.
        unknown: number of categories that no training row has, by column.
        groups: (rows,): int64, equal for rows that belong together, as those of one patient; None where each row is for
            itself.
        forecasts: what is known of them where they are windows of a series; else None.
    """

    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    truth: np.ndarray
    missing: Mapping[str, int]
    unknown: Mapping[str, int]
    groups: np.ndarray | None = None
    forecasts: ForecastRows | None = None


def encode_examples(preprocessing: Preprocessing, table: Table, rows: np.ndarray | None = None) -> Examples:
    """Return a table as a model takes it, as `evaluate --data FILE` needs it too.

    Args:
        preprocessing: what was fitted.
        table: the rows.
        rows: their numbers in the data; None where they are those of another file.

    Raises:
        DataError: a column is not there, or holds a value that cannot be encoded.
    """
    encoded = preprocessing.encode(table)
    return Examples(
        np.arange(len(table)) if rows is None else rows,
        encoded.values,
        preprocessing.targets(table),
        preprocessing.truth(table),
        encoded.missing,
        encoded.unknown,
        forecasts=preprocessing.forecasts(table),
    )


def encode_splits(
    preprocessing: Preprocessing, table: Table, splits: Splits, encoded: Callable[[str], object]
) -> dict[SplitName, Examples]:
    """Return the examples of each split; `encoded` as for `Preprocessing.encode_each`."""
    rows_of = dict(splits.items())
    taken = {name: table.take(rows) for name, rows in rows_of.items()}
    targets = {name: (preprocessing.targets(rows), preprocessing.truth(rows)) for name, rows in taken.items()}
    forecasts = {name: preprocessing.forecasts(rows) for name, rows in taken.items()}
    groups = {name: None if splits.groups is None else splits.groups[rows] for name, rows in splits.items()}
    return {
        name: Examples(
            rows_of[name],
            features.values,
            *targets[name],
            features.missing,
            features.unknown,
            groups=several(groups[name]),
            forecasts=forecasts[name],
        )
        for name, features in preprocessing.encode_each(taken, encoded).items()
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
