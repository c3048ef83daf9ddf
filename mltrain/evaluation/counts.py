"""From predictions to counts: the predicted class, and the confusion matrix."""

from __future__ import annotations

import numpy as np

from mltrain.task import Task


def decide(task: Task, predictions: np.ndarray) -> np.ndarray:
    """Return the predicted class of each row (n,): the most probable, the first of equals; for binary 1 above 0.5."""
    if task == "binary":
        return (predictions.reshape(-1) > 0.5).astype(np.int64)
    return predictions.argmax(axis=1)


def confusion_matrix(target: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the counts (n_classes, n_classes), row = true class, column = predicted class, from class indices (n,)."""
    pairs = target.reshape(-1).astype(np.int64) * n_classes + predicted.reshape(-1).astype(np.int64)
    return np.bincount(pairs, minlength=n_classes * n_classes).reshape(n_classes, n_classes)
