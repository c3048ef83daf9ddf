"""How much each training row counts in the loss, from a column."""

from __future__ import annotations

import numpy as np

from mltrain.data.encoders.column import RawColumn, first_row, numbers_of
from mltrain.task import Decision

# The key that says whether the metrics are weighted, too.
IN_METRICS = ("data", "sample_weight")


def sample_weights(column: RawColumn) -> np.ndarray:
    """Return the weight of each row, float64 (rows,), as the column has it.

    Raises:
        DataError: a value is missing, is not a number, or is below 0.
    """
    weights = numbers_of(column)
    if np.isnan(weights).any():
        message = "the sample weight is missing (correct the row, leave it out, or write 0)"
        raise column.error(first_row(np.isnan(weights)), message + column.taken_as_missing)
    if (weights < 0).any():
        row = first_row(weights < 0)
        raise column.error(row, f"expected a sample weight of 0 or more, found {weights[row]:g}")
    return weights


def measured_weights(column: RawColumn, rows: np.ndarray, name: str) -> np.ndarray:
    """Return how much each of some rows counts in the metrics, float64 (rows,), as the column has it.

    Args:
        column: of all rows.
        rows: numbers of those that are measured.
        name: what they are called in an error.

    Raises:
        DataError: as `sample_weights`; or all of these weights are 0.
    """
    weights = sample_weights(column)[rows]
    if not weights.any():
        raise column.failure(f"every {name} row has the sample weight 0: there is nothing to measure")
    return weights


def weights_of_training(column: RawColumn, train: np.ndarray, in_metrics: bool = False) -> tuple[np.ndarray, Decision]:
    """Return the weights of the training rows, float32 with mean 1, and a word on them.

    With a mean of 1 the loss has the size that it has without weights, and so does a step: a column of counts up to
    1,000 would multiply the learning rate by hundreds.

    Args:
        column: of all rows.
        train: numbers of the training rows.
        in_metrics: whether the metrics are weighted, too.

    Raises:
        DataError: as `sample_weights`; or all weights of the training rows are 0.
    """
    weights = sample_weights(column)[train]
    mean = float(weights.mean())
    if mean == 0:
        raise column.failure("every training row has the sample weight 0: there is nothing to learn from")
    zero = int((weights == 0).sum())
    without = f"; {zero} of {len(weights)} training rows have the weight 0" if zero else ""
    metrics = "the metrics are weighted, too" if in_metrics else "metrics count every row once"
    reason = f"divided by their mean in the training rows, {mean:.4g}; {metrics}{without}"
    return (weights / mean).astype(np.float32), Decision("data.sample_weight", f"column '{column.name}'", reason)
