"""Metrics that follow from the sums of a confusion matrix: one formula for the counts of a split and for 1,000
draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltrain.evaluation.metric import AveragedMetric, Metric
from mltrain.task import Task


@dataclass(frozen=True)
class Margins:
    """Sums of one confusion matrix or of many, `(..., classes)` each: counts, or shares of any whole.

    Attributes:
        correct: the diagonal.
        of_class: rows of each class.
        as_class: predictions of each class.
    """

    correct: np.ndarray
    of_class: np.ndarray
    as_class: np.ndarray

    @classmethod
    def of(cls, confusion: np.ndarray) -> Margins:
        """Return those of a confusion matrix (classes, classes), row = true class."""
        return cls(np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0))

    @property
    def whole(self) -> np.ndarray:
        """All rows (...)."""
        return self.of_class.sum(axis=-1)


def per_class(kind: str, margins: Margins) -> np.ndarray:
    """Return the "precision", "recall" or "f1" of each class (..., classes); 0 for 0 / 0."""
    if kind == "precision":
        return _ratio(margins.correct, margins.as_class)
    if kind == "recall":
        return _ratio(margins.correct, margins.of_class)
    return _ratio(2 * margins.correct, margins.of_class + margins.as_class)


def _accuracy(metric: Metric, task: Task, margins: Margins) -> np.ndarray:
    return margins.correct.sum(axis=-1) / margins.whole


def _balanced_accuracy(metric: Metric, task: Task, margins: Margins) -> np.ndarray:
    return _mean_over(per_class("recall", margins), margins.of_class > 0)


def _averaged(metric: AveragedMetric, task: Task, margins: Margins) -> np.ndarray:
    values = per_class(metric.type, margins)
    if metric.average == "auto" and task == "binary":
        return values[..., 1]
    if metric.average == "micro":
        return _accuracy(metric, task, margins)
    if metric.average == "weighted":
        return (values * margins.of_class).sum(axis=-1) / margins.whole
    # A class that neither occurs nor is predicted says nothing about the model.
    return _mean_over(values, margins.of_class + margins.as_class > 0)


def _mcc(metric: Metric, task: Task, margins: Margins) -> np.ndarray:
    """Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004, equation 8."""
    n, correct, agreement = margins.whole, margins.correct.sum(axis=-1), _agreement(margins)
    of_class, as_class = margins.of_class.astype(np.float64), margins.as_class.astype(np.float64)
    spread = (n**2 - (of_class**2).sum(axis=-1)) * (n**2 - (as_class**2).sum(axis=-1))
    return _ratio(correct * n - agreement, np.sqrt(spread))


def _cohen_kappa(metric: Metric, task: Task, margins: Margins) -> np.ndarray:
    n, correct = margins.whole, margins.correct.sum(axis=-1)
    return 1 - _ratio(n - correct, n - _agreement(margins) / n)


# Each takes the metric of its own name, which a dict's type cannot say.
FROM_MARGINS: dict[str, Callable[[Any, Task, Margins], np.ndarray]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": _averaged,
    "recall": _averaged,
    "f1": _averaged,
    "mcc": _mcc,
    "cohen_kappa": _cohen_kappa,
}


def _agreement(margins: Margins) -> np.ndarray:
    return (margins.of_class * margins.as_class).sum(axis=-1)


def _mean_over(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return (values * chosen).sum(axis=-1) / chosen.sum(axis=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, and 0 for 0 / 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole != 0)
