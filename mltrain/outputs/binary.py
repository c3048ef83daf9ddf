"""Two classes: the probability of the positive one, and a threshold that decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mltrain.outputs.kind import OutputKind, PredictionColumns

if TYPE_CHECKING:
    import numpy as np


class Binary(OutputKind):
    """One of two classes."""

    name = "binary"
    activation = "sigmoid"
    loss = "BinaryCrossentropy"
    losses = (
        *OutputKind.losses,
        *("BinaryCrossentropy", "BinaryFocalCrossentropy", "Dice", "Hinge", "Poisson", "SquaredHinge", "Tversky"),
    )
    training_metric = "accuracy"
    metrics = ("accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "log_loss")
    loss_metric = "log_loss"
    constant, linear = "majority", "logistic"
    of_classes = True
    forms = ("zero or one",)

    def decide(self, predictions: np.ndarray, threshold: float = 0.5) -> np.ndarray:
        """Return 1 where the probability of the positive class is above the threshold."""
        # In float64: NumPy would round the threshold to float32 first, and then onto a row's own probability.
        return (predictions.reshape(-1).astype("float64") > threshold).astype("int64")

    def columns(self, predictions: np.ndarray, threshold: float) -> PredictionColumns:
        """Return the class, and the probabilities of both."""
        return PredictionColumns((self.decide(predictions, threshold),), (1 - predictions, predictions))

    def score_unit(self, target: str, classes: Sequence[str]) -> str:
        """Return the log odds of the positive class."""
        return f"log odds of '{classes[1]}'"
