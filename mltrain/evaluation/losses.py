"""What each row adds to the metrics that are means over the rows, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mltrain.evaluation.catalogue import QuantileLoss, TopKAccuracy
from mltrain.evaluation.metric import Metric
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.outputs.count import poisson_deviances


def _accuracy(metric: Metric, rows: Rows) -> np.ndarray:
    return rows.predicted == rows.target


def _top_k_accuracy(metric: TopKAccuracy, rows: Rows) -> np.ndarray:
    """Ties go to the first class, as in `decide`: k = 1 is the accuracy. scikit-learn gives them to the last one."""
    most_probable = np.argsort(-rows.predictions, axis=1, kind="stable")[:, : metric.k]
    return (most_probable == rows.target[:, None]).any(axis=1)


def _log_loss(metric: Metric, rows: Rows) -> np.ndarray:
    if rows.task == "binary":
        probability = np.where(rows.target == 1, rows.predictions, 1 - rows.predictions)
    else:
        probability = rows.predictions[np.arange(len(rows.target)), rows.target]
    # A float32 sigmoid that says 1 means "above 1 - 1e-7": clipped there, one such error costs 16 and not 36.
    return -np.log(np.clip(probability, rows.resolution, 1 - rows.resolution))


def _brier(metric: Metric, rows: Rows) -> np.ndarray:
    if rows.task == "binary":
        return (rows.predictions - rows.target) ** 2
    return np.sum((rows.predictions - np.eye(len(rows.classes))[rows.target]) ** 2, axis=1)


def _mse(metric: Metric, rows: Rows) -> np.ndarray:
    return rows.errors**2


def _mae(metric: Metric, rows: Rows) -> np.ndarray:
    return np.abs(rows.errors)


def _mape(metric: Metric, rows: Rows) -> np.ndarray:
    return np.abs(rows.errors) / np.maximum(np.abs(rows.target), np.finfo(np.float64).eps)


def _smape(metric: Metric, rows: Rows) -> np.ndarray:
    """Error over the mean of both sizes, from 0 to 2; Hyndman and Koehler, Another look at measures of forecast
    accuracy, 2006. 0 where target and prediction are 0."""
    size = (np.abs(rows.target) + np.abs(rows.predictions)) / 2
    return np.divide(np.abs(rows.errors), size, out=np.zeros(len(size)), where=size != 0)


def _mase(metric: Metric, rows: Rows) -> np.ndarray:
    """Hyndman and Koehler, Another look at measures of forecast accuracy, 2006, section 3: errors in units of the mean
    absolute naive error of the training part of the series."""
    if rows.forecasts is None:
        raise UndefinedError("the rows are not forecasts")
    scale = rows.forecasts.scale
    unknown = int((~(scale > 0)).sum())
    if unknown:
        raise UndefinedError(
            f"the series of {unknown} rows are not in the training rows, or are constant or too short there"
        )
    return np.abs(rows.errors) / scale


def _poisson_deviance(metric: Metric, rows: Rows) -> np.ndarray:
    return poisson_deviances(rows.target, rows.predictions)


def _quantile_loss(metric: QuantileLoss, rows: Rows) -> np.ndarray:
    """Koenker and Bassett, Regression quantiles, 1978: a row below its target costs `quantile` times the distance."""
    return np.maximum(-metric.quantile * rows.errors, (1 - metric.quantile) * rows.errors)


# Each takes the metric of its own name, which a dict's type cannot say.
LOSSES: dict[str, Callable[[Any, Rows], np.ndarray]] = {
    "accuracy": _accuracy,
    "top_k_accuracy": _top_k_accuracy,
    "log_loss": _log_loss,
    "brier": _brier,
    "mse": _mse,
    "mae": _mae,
    "mape": _mape,
    "smape": _smape,
    "mase": _mase,
    "poisson_deviance": _poisson_deviance,
    "quantile_loss": _quantile_loss,
}
