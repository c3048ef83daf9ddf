"""Scaling of numbers: (value - center) / width, with what stands in for a missing value."""

from __future__ import annotations

import numpy as np

from mltrain.data.features.number import Scale
from mltrain.spec import Spec


class Scaling(Spec):
    """What is done to one column of numbers."""

    center: float
    """Subtracted first: the mean (standard), the minimum (minmax), or 0."""
    width: float
    """Divided by: the standard deviation (standard), maximum - minimum (minmax), or 1."""
    fill: float | None
    """Stands in for a missing value, before scaling; null where a missing value is an error."""

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return float64 (rows,) numbers scaled, as float32 (rows,); NaN is filled.

        In float64 until the last moment: float32 would lose all digits of a year or a price with a narrow spread.
        """
        if self.fill is not None:
            values = np.where(np.isnan(values), self.fill, values)
        with np.errstate(over="ignore"):  # the caller looks for what float32 cannot hold
            return ((values - self.center) / self.width).astype(np.float32)


def center_and_width(values: np.ndarray, scale: Scale) -> tuple[float, float]:
    """Return the center and width of float64 (rows,) numbers, NaN left out; the width of a constant column is 1.

    Standard is scikit-learn's StandardScaler (population standard deviation), minmax its MinMaxScaler. Constant is
    decided by minimum and maximum: the standard deviation of a thousand times 0.1 is 1e-17 and not 0.

    Raises:
        OverflowError: the spread is no finite number.
    """
    known = values[~np.isnan(values)]
    if scale == "none" or not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if low == high:
        return low, 1.0
    if scale == "minmax":
        center, width = low, high - low
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            center, width = float(known.mean()), float(known.std())
    # Squares underflow below 1e-162: such a column has values that differ and a standard deviation of 0.
    if not (np.isfinite(center) and np.isfinite(width)) or width == 0.0:
        raise OverflowError
    return center, width
