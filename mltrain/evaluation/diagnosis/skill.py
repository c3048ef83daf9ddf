"""How much better than a constant answer a model is, whatever its metrics are."""

from __future__ import annotations

import numpy as np

from mltrain.outputs import KINDS, number_kind
from mltrain.task import Task

# A probability of 0 for what happened would be infinitely wrong.
_SMALLEST = 1e-7


def skill(task: Task, truth: np.ndarray, predictions: np.ndarray, training_truth: np.ndarray, classes: int) -> float:
    """Return how much lower the loss is than that of a constant answer, as a share of it: 1 is perfect, 0 not better.

    For classes it is cross-entropy, and the constant the shares of the classes in training; for numbers that of
    `row_losses`, squared error for regression, and the mean in training; of several targets the mean over them.

    Args:
        task: what is learned.
        truth: of the split (rows,): class numbers or values.
        predictions: as `Network.predictions` describes them.
        training_truth: of the training rows.
        classes: how many there are; 0 for regression.
    """
    numbers = number_kind(task)
    if KINDS[task].several:
        columns = zip(truth.T, predictions.T, training_truth.T, strict=True)
        return float(np.mean([skill(KINDS[task].each, *each, 2) for each in columns]))
    if numbers is not None:
        model = float(np.mean(numbers.row_losses(truth, predictions)))
        constant = float(np.mean(numbers.row_losses(truth, training_truth.mean())))
    else:
        given = predictions.astype(np.float64)
        chosen = np.where(truth == 1, given, 1 - given) if task == "binary" else given[np.arange(len(truth)), truth]
        shares = np.bincount(training_truth, minlength=classes) / len(training_truth)
        model = -float(np.log(np.maximum(chosen, _SMALLEST)).mean())
        constant = -float(np.log(np.maximum(shares[truth], _SMALLEST)).mean())
    return 1 - model / constant if constant else 0.0
