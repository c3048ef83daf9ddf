"""The dates of forecasts, which a report shows below its chart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mltrain.data.encoders.column import is_time
from mltrain.data.preparation import Prepared
from mltrain.data.sample_weights import IN_METRICS
from mltrain.experiment.spec import ExperimentSpec
from mltrain.procedures.slices import slice_columns


def kept_columns(spec: ExperimentSpec) -> dict[str, tuple[str | int, ...]]:
    """Return the columns that a training needs as they are, each with the place in the config that names it."""
    time = forecast_time(spec)
    columns: dict[str, tuple[str | int, ...]] = {} if time is None else {time: ("data", "split", "column")}
    return columns | measured_columns(spec)


def measured_columns(spec: ExperimentSpec) -> dict[str, tuple[str | int, ...]]:
    """Return the columns that measuring needs, each with the place in the config that names it: those of slices, and
    that of weights."""
    weight = spec.data.sample_weight if spec.evaluation.sample_weight else None
    return slice_columns(spec.evaluation.slices) | ({} if weight is None else {weight: IN_METRICS})


def forecast_time(spec: ExperimentSpec) -> str | None:
    """Return the column that says when each forecast is; None where there are no forecasts, or no such column."""
    return spec.data.split.time_column if spec.data.windows is not None else None


def dates_of_rows(prepared: Prepared, time: str | None, rows: np.ndarray) -> np.ndarray | None:
    """Return the time of each row, int64 microseconds since 1970-01-01, UTC; None where rows have no dates.

    Args:
        prepared: the data.
        time: the column of the time; None where there is none.
        rows: the numbers of the rows.
    """
    column = prepared.kept.get(time) if time is not None else None
    if column is None or isinstance(column.values, np.ndarray) or not is_time(column.values.type):
        return None
    dates = column.values.cast(pa.timestamp("us")).cast(pa.int64())
    return None if dates.null_count else dates.to_numpy(zero_copy_only=False)[rows].astype(np.int64)
