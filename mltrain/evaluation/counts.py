"""From predictions to counts: the predicted class, the confusion matrix, and what each class's counts say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mltrain.task import Task


@dataclass(frozen=True)
class ClassReport:
    """How one class fares: the row of a table.

    Attributes:
        name: of the class.
        precision, recall, f1: as in the catalogue; 0 where they would be 0 / 0.
        support: rows of this class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def decide(task: Task, predictions: np.ndarray) -> np.ndarray:
    """Return the predicted class of each row (n,): the most probable, the first of equals; for binary 1 above 0.5."""
    if task == "binary":
        return (predictions.reshape(-1) > 0.5).astype(np.int64)
    return predictions.argmax(axis=1)


def confusion_matrix(target: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the counts (n_classes, n_classes), row = true class, column = predicted class, from class indices (n,)."""
    pairs = target.reshape(-1).astype(np.int64) * n_classes + predicted.reshape(-1).astype(np.int64)
    return np.bincount(pairs, minlength=n_classes * n_classes).reshape(n_classes, n_classes)


def per_class(kind: str, confusion: np.ndarray) -> np.ndarray:
    """Return the "precision", "recall" or "f1" of each class (n_classes,); 0 for 0 / 0."""
    correct, of_class, as_class = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    if kind == "precision":
        return _ratio(correct, as_class)
    if kind == "recall":
        return _ratio(correct, of_class)
    return _ratio(2 * correct, of_class + as_class)


def class_reports(target: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> tuple[ClassReport, ...]:
    """Return precision, recall, F1 and support of each class, from class indices (n,)."""
    confusion = confusion_matrix(target, predicted, len(classes))
    columns = (*(per_class(kind, confusion) for kind in ("precision", "recall", "f1")), confusion.sum(axis=1))
    return tuple(
        ClassReport(name, float(precision), float(recall), float(f1), int(support))
        for name, precision, recall, f1, support in zip(classes, *columns, strict=True)
    )


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, and 0 for 0 / 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole != 0)
