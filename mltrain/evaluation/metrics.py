"""Measuring: the values of metrics from the targets and the predictions of a split, and why one has no value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mltrain.evaluation.catalogue import Metric
from mltrain.evaluation.formulas import FORMULAS
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.task import Task


def measure(
    metrics: Sequence[Metric], task: Task, target: np.ndarray, predictions: np.ndarray, classes: Sequence[str] = ()
) -> dict[str, float]:
    """Return the value of each metric by its name in results; NaN where it has none (`undefined` says why).

    Args:
        metrics: what to measure; each must fit the task.
        task: what is learned.
        target: (n,) or (n, 1), class indices, for regression floats in the unit of the target.
        predictions: probabilities of the positive class (n,) or (n, 1) for binary, probabilities (n, classes) for
            multiclass, values (n,) or (n, 1) in the unit of the target for regression.
        classes: names in the order of the class indices; empty for regression.

    Raises:
        ValueError: no rows, or shapes that do not fit.
    """
    return measure_and_explain(metrics, task, target, predictions, classes)[0]


def measure_and_explain(
    metrics: Sequence[Metric], task: Task, target: np.ndarray, predictions: np.ndarray, classes: Sequence[str] = ()
) -> tuple[dict[str, float], dict[str, str]]:
    """Return what `measure` and `undefined` do, measured once. Arguments and errors as there."""
    found = list(_measurements(metrics, task, target, predictions, classes))
    return {name: value for name, value, _ in found}, {name: reason for name, _, reason in found if reason}


def undefined(
    metrics: Sequence[Metric], task: Task, target: np.ndarray, predictions: np.ndarray, classes: Sequence[str] = ()
) -> dict[str, str]:
    """Return why `measure` gives NaN, by name, for the metrics where it does. Arguments and errors as there."""
    return measure_and_explain(metrics, task, target, predictions, classes)[1]


def _measurements(
    metrics: Sequence[Metric], task: Task, target: np.ndarray, predictions: np.ndarray, classes: Sequence[str]
) -> Iterator[tuple[str, float, str]]:
    """Yield name, value, and the reason where the value is NaN, else an empty string."""
    rows = Rows.of(task, target, predictions, classes)
    wrong = int(len(predictions) - np.isfinite(rows.predictions).reshape(len(predictions), -1).all(axis=1).sum())
    for metric in metrics:
        try:
            if wrong:
                raise UndefinedError(f"the predictions of {wrong} of {len(predictions)} rows are NaN or infinite")
            yield metric.name, float(FORMULAS[metric.type](metric, rows)), ""
        except UndefinedError as reason:
            yield metric.name, float("nan"), str(reason)
