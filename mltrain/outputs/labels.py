"""Several labels of two values each: a probability for each, all decided at 0.5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltrain.outputs.kind import OutputKind, PredictionColumns

if TYPE_CHECKING:
    import numpy as np


class Labels(OutputKind):
    """Several labels, each of which applies or not."""

    name = "multilabel"
    activation = "sigmoid"
    loss = "BinaryCrossentropy"
    losses = (*OutputKind.losses, "BinaryCrossentropy", "BinaryFocalCrossentropy", "Hinge", "SquaredHinge")
    training_metric = "BinaryAccuracy"
    metrics = (
        "accuracy",
        "hamming_loss",
        *({"type": "f1", "average": average} for average in ("auto", "micro", "weighted", "samples")),
        *("roc_auc", "pr_auc", "log_loss"),
    )
    loss_metric = "log_loss"
    constant, linear = "majority", "logistic"
    several_of = "binary"
    forms = ("labels",)

    def shaped(self, outputs: np.ndarray) -> np.ndarray:
        """Return the probabilities of the labels as they are (rows, labels)."""
        return outputs

    def decide(self, predictions: np.ndarray, threshold: float = 0.5) -> np.ndarray:
        """Return 1 for each label whose probability is above the threshold."""
        return (predictions.astype("float64") > threshold).astype("int64")

    def columns(self, predictions: np.ndarray, threshold: float) -> PredictionColumns:
        """Return the value of each label, and the probability of each."""
        return PredictionColumns((*self.decide(predictions).T,), (*predictions.T,))
