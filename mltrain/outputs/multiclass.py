"""One of several classes: a probability for each, and the most probable is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mltrain.outputs.kind import OutputKind, PredictionColumns, TargetForm

if TYPE_CHECKING:
    import numpy as np

_OF_CLASS_NUMBERS = ("CategoricalGeneralizedCrossEntropy", "SparseCategoricalCrossentropy")


class Multiclass(OutputKind):
    """One of several classes."""

    name = "multiclass"
    activation = "softmax"
    loss = "SparseCategoricalCrossentropy"
    losses = (
        *OutputKind.losses,
        *_OF_CLASS_NUMBERS,
        *("CategoricalCrossentropy", "CategoricalFocalCrossentropy", "CategoricalHinge", "CosineSimilarity"),
        *("Dice", "KLDivergence", "Poisson", "Tversky"),
    )
    training_metric = "accuracy"
    metrics = ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss")
    loss_metric = "log_loss"
    constant, linear = "majority", "logistic"
    of_classes = True
    forms = ("one-hot", "class numbers")

    def target_form(self, loss: str) -> TargetForm:
        """Return numbers for the sparse losses, else one-hot."""
        return "class numbers" if loss in _OF_CLASS_NUMBERS else "one-hot"

    def width(self, classes: int) -> int:
        """Return one probability for each class."""
        return classes

    def shaped(self, outputs: np.ndarray) -> np.ndarray:
        """Return the probabilities of the classes as they are (rows, classes)."""
        return outputs

    def decide(self, predictions: np.ndarray, threshold: float = 0.5) -> np.ndarray:
        """Return the most probable class, the first of equals."""
        return predictions.argmax(axis=1)

    def columns(self, predictions: np.ndarray, threshold: float) -> PredictionColumns:
        """Return the class, and the probability of each."""
        return PredictionColumns((self.decide(predictions),), (*predictions.T,))

    def score_unit(self, target: str, classes: Sequence[str]) -> str:
        """Return the logit of the predicted class, by how much it is above the mean."""
        return "score of the predicted class (its logit minus the mean of all logits)"
