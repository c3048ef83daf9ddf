"""Several numbers, each in the units of its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltrain.outputs.kind import OutputKind, PredictionColumns

if TYPE_CHECKING:
    import numpy as np


class Numbers(OutputKind):
    """Several numbers that are learned together."""

    name = "multiregression"
    activation = "linear"
    loss = "MeanSquaredError"
    losses = (*OutputKind.losses, "MeanAbsolutePercentageError")
    training_metric = "MeanAbsoluteError"
    metrics = ("r2", "mse", "rmse", "mae")  # the one that has no unit first: they are means over targets
    loss_metric = "mse"
    headline = "r2"
    constant, linear = "mean", "ridge"
    of_numbers = True
    several_of = "regression"
    scaled = True
    forms = ("numbers",)

    def shaped(self, outputs: np.ndarray) -> np.ndarray:
        """Return the numbers as they are (rows, targets)."""
        return outputs

    def columns(self, predictions: np.ndarray, threshold: float) -> PredictionColumns:
        """Return one column of numbers for each target."""
        return PredictionColumns((), (*predictions.T,))
