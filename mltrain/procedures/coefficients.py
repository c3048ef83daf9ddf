"""Slopes and intercept of a linear regression, in the units of the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mltrain.data.preprocessing import Preprocessing


def coefficients(preprocessing: Preprocessing, weights: Sequence[np.ndarray]) -> dict[str, float]:
    """Return slope by feature, then `intercept`: prediction = sum(slope × feature) + intercept.

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
