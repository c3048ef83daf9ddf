"""A number, in the units of the target."""

from __future__ import annotations

from mltrain.outputs.kind import NumberKind


class Regression(NumberKind):
    """One number."""

    name = "regression"
    activation = "linear"
    loss = "MeanSquaredError"
    losses = (*NumberKind.losses, "MeanAbsolutePercentageError")
    metrics = ("mse", "rmse", "mae", "r2")
    loss_metric = "mse"
    scaled = True
