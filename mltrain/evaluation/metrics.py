"""Measuring: the values of metrics from the targets and the predictions of a split, and why one has no value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mltrain.evaluation.metric import Metric
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.several import SeveralRows, rows_of, value_of
from mltrain.forecast_rows import ForecastRows
from mltrain.task import Task


def measure(
    metrics: Sequence[Metric],
    task: Task,
    target: np.ndarray,
    predictions: np.ndarray,
    classes: Sequence[str] = (),
    forecasts: ForecastRows | None = None,
) -> dict[str, float]:
    """Return the value of each metric by its name in results; NaN where it has none (`undefined` says why).

    Args:
        metrics: what to measure; each must fit the task.
        task: what is learned.
        target: (n,) or (n, 1), class indices, for regression floats in the unit of the target; of several targets
            (n, targets): 0 or 1, or floats.
        predictions: probabilities of the positive class (n,) or (n, 1) for binary, probabilities (n, classes) for
            multiclass, values (n,) or (n, 1) in the unit of the target for regression; of several targets (n, targets).
        classes: names in the order of the class indices, or the labels; empty for numbers.
        forecasts: what is known of the rows where they are forecasts.

    Raises:
        ValueError: no rows, or shapes that do not fit.
        PluginError: a metric of a plugin fails.
    """
    return measure_rows(metrics, rows_of(task, target, predictions, classes, forecasts=forecasts))[0]


def undefined(
    metrics: Sequence[Metric], task: Task, target: np.ndarray, predictions: np.ndarray, classes: Sequence[str] = ()
) -> dict[str, str]:
    """Return why `measure` gives NaN, by name, for the metrics where it does. Arguments and errors as there."""
    return measure_rows(metrics, rows_of(task, target, predictions, classes))[1]


def measure_rows(metrics: Sequence[Metric], rows: Rows | SeveralRows) -> tuple[dict[str, float], dict[str, str]]:
    """Return what `measure` and what `undefined` returns, by name."""
    values, reasons = {}, {}
    wrong = int(len(rows.target) - np.isfinite(rows.predictions).reshape(len(rows.target), -1).all(axis=1).sum())
    for metric in metrics:
        try:
            if wrong:
                raise UndefinedError(f"the predictions of {wrong} of {len(rows.target)} rows are NaN or infinite")
            values[metric.name] = value_of(metric, rows)
        except UndefinedError as reason:
            values[metric.name], reasons[metric.name] = math.nan, str(reason)
    return values, reasons
