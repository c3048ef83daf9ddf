"""From predictions to counts: the predicted class, and the confusion matrix."""

from __future__ import annotations

import numpy as np

from mltrain.task import Task


def decide(task: Task, predictions: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Return the predicted class of each row (n,): the most probable, the first of equals; for binary 1 above
    `threshold`, and so for each label (n, labels)."""
    if task == "multilabel":
        return (predictions.astype(np.float64) > threshold).astype(np.int64)
    if task == "binary":
        # In float64: NumPy would round the threshold to float32 first, and then onto a row's own probability.
        return (predictions.reshape(-1).astype(np.float64) > threshold).astype(np.int64)
    return predictions.argmax(axis=1)


def confusion_matrix(target: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the counts (n_classes, n_classes), row = true class, column = predicted class, from class indices (n,)."""
    pairs = target.reshape(-1).astype(np.int64) * n_classes + predicted.reshape(-1).astype(np.int64)
    return np.bincount(pairs, minlength=n_classes * n_classes).reshape(n_classes, n_classes)
