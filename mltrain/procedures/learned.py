"""What was learned, where it can be shown: the curve over one numeric input, and the slopes of a linear regression.
Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mltrain.data.encoders.column import RawColumn, numbers_of
from mltrain.data.preparation import Prepared
from mltrain.data.preprocessing import Preprocessing
from mltrain.procedures.network import Network
from mltrain.run.decision import DecisionRule
from mltrain.run.learned import LearnedCurve, Points

_CURVE_POINTS = 400
# Kept from each split: more points would overlap.
_KEPT_ROWS = 500


def coefficients(preprocessing: Preprocessing, weights: Sequence[np.ndarray]) -> dict[str, float]:
    """Return slope by feature of a linear regression, then `intercept`: prediction = sum(slope × feature) + intercept.

    The slope of a number column is in its own units, however it was scaled; with a single column it is called `slope`.
    The 0/1 columns of categories have their encoded names.

    Args:
        preprocessing: of columns, not of an array.
        weights: of the one Dense layer: kernel `(features, 1)` and bias `(1,)`.
    """
    kernel, bias = (array.astype(np.float64) for array in weights)
    slopes = kernel[:, 0].copy()
    intercept = float(bias[0])
    place = 0
    for encoder in preprocessing.columns:
        scaling = encoder.number_scaling
        if scaling is not None:
            slopes[place] /= scaling.width
            intercept -= float(slopes[place]) * scaling.center
        place += len(encoder.names)
    (target,) = preprocessing.target.parts
    slopes *= target.width
    intercept = intercept * target.width + target.center
    names = ("slope",) if len(slopes) == 1 else preprocessing.feature_names
    return {**dict(zip(names, slopes.tolist(), strict=True)), "intercept": intercept}


@dataclass(frozen=True)
class Learned:
    """The curve of a model over its one input, and the rows.

    Attributes:
        input_name: the column.
        target_name: the column.
        classes: for binary the two names.
        formula: what the curve is, where it is a line.
        points: input and target (n,) of each split.
        curve: inputs and predictions (m,).
    """

    input_name: str
    target_name: str
    classes: tuple[str, ...]
    formula: str
    points: Mapping[str, tuple[np.ndarray, np.ndarray]]
    curve: tuple[np.ndarray, np.ndarray]

    def recorded(self) -> LearnedCurve:
        """Return the part that the run keeps."""
        points = []
        for split, (inputs, target) in self.points.items():
            there = np.flatnonzero(np.isfinite(inputs) & np.isfinite(target))
            kept = there[np.linspace(0, len(there) - 1, min(_KEPT_ROWS, len(there))).astype(np.int64)]
            points.append(Points(split=split, input=tuple(inputs[kept].tolist()), target=tuple(target[kept].tolist())))
        grid, predictions = (np.ravel(each).astype(np.float64) for each in self.curve)
        finite = np.isfinite(predictions)
        return LearnedCurve(
            input=self.input_name,
            target=self.classes[1] if self.classes else self.target_name,
            formula=self.formula,
            grid=tuple(grid[finite].tolist()),
            predictions=tuple(predictions[finite].tolist()),
            points=tuple(points),
        )


def learned_of(network: Network, prepared: Prepared, rule: DecisionRule, formula: str) -> Learned | None:
    """Return what the model learned for its one numeric input; None where it has another input, or more than one.

    Args:
        network: with the weights of the model of the run.
        prepared: its data.
        rule: how probabilities become decisions.
        formula: of the learned line, where it is one.
    """
    encoder, *others = prepared.preprocessing.columns
    scaling = encoder.number_scaling
    if prepared.table is None or others or scaling is None or network.info.output.units > 1:
        return None
    points = {}
    for name, examples in prepared.examples.items():
        inputs = numbers_of(RawColumn.of(prepared.table.take(examples.rows), encoder.column))
        points[str(name)] = (inputs, examples.truth)
    known = np.concatenate([inputs for inputs, _ in points.values()])
    known = known[~np.isnan(known)]
    grid = np.linspace(known.min(), known.max(), _CURVE_POINTS)
    encoded = scaling.apply(grid).reshape(-1, 1)
    if encoder.expects_missing:
        encoded = np.concatenate([encoded, np.zeros_like(encoded)], axis=1)
    predictions = network.predictions(network.model(encoded, training=False).numpy(), rule)
    return Learned(
        encoder.column, network.target.column, network.info.output.classes, formula, points, (grid, predictions)
    )
