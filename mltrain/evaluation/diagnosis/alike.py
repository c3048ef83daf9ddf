"""Classes that a model does not distinguish from the others: their ROC AUC does not differ from 0.5."""

from __future__ import annotations

import math

import numpy as np

from mltrain.evaluation.diagnosis.facts import Confusion
from mltrain.task import Task

# Two-sided, 5 %.
_DEVIATIONS = 1.96


def classes_alike(task: Task, truth: np.ndarray, predictions: np.ndarray, confusion: Confusion) -> dict[int, float]:
    """Return the ROC AUC of each class that is never predicted against the others, where it does not differ from 0.5
    (Mann-Whitney test).

    Args:
        task: binary or multiclass.
        truth: class numbers (rows,).
        predictions: probabilities, as `Network.predictions` describes them.
        confusion: of the same rows.
    """
    found = {}
    for number in range(len(confusion)):
        if any(row[number] for row in confusion):
            continue
        scores = predictions[:, number] if task == "multiclass" else predictions if number else 1 - predictions
        area, error = _area(scores.astype(np.float64), truth == number)
        if abs(area - 0.5) <= _DEVIATIONS * error:
            found[number] = area
    return found


def _area(scores: np.ndarray, mine: np.ndarray) -> tuple[float, float]:
    """Return the area, and its standard error if the class were drawn at random; equal scores count half."""
    rows, positives = len(scores), int(mine.sum())
    negatives = rows - positives
    if not positives or not negatives:
        return 0.5, 0.0
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group.reshape(-1)]
    area = (ranks[mine].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    ties = float((sizes.astype(np.float64) ** 3 - sizes).sum()) / (rows * (rows - 1))
    return float(area), math.sqrt((rows + 1 - ties) / (12 * positives * negatives))
