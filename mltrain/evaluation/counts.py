"""From predicted classes to counts: the confusion matrix."""

from __future__ import annotations

import numpy as np


def confusion_matrix(
    target: np.ndarray, predicted: np.ndarray, n_classes: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the counts (n_classes, n_classes), row = true class, column = predicted class, from class indices (n,);
    or the sums of the weights (n,) of the rows."""
    pairs = target.reshape(-1).astype(np.int64) * n_classes + predicted.reshape(-1).astype(np.int64)
    return np.bincount(pairs, weights, n_classes * n_classes).reshape(n_classes, n_classes)
