"""Scaling of numbers: (value - center) / width, with what stands in for a missing value."""

from __future__ import annotations

from typing import Any

import numpy as np

from mltrain.data.column_settings import Scale
from mltrain.spec import Spec

# A number, or an array of numbers; the result has the same shape.
Number = Any
_EPSILON = float(np.finfo(np.float64).eps)
# Squares of smaller numbers may be 0 in float64.
_UNDERFLOWS = 1e-150


class Scaling(Spec):
    """What is done to one column of numbers."""

    center: float
    """Subtracted first: the mean (standard), the minimum (minmax), or 0."""
    width: float
    """Divided by: the standard deviation (standard), maximum - minimum (minmax), or 1."""
    fill: float | None
    """The value that replaces a missing one, before scaling; null where a missing value is an error."""

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

    Standard is scikit-learn's StandardScaler (population standard deviation), minmax its MinMaxScaler.

    Raises:
        OverflowError: the spread is NaN or infinite.
    """
    known = values[~np.isnan(values)]
    if scale == "none" or not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if low == high:
        return low, 1.0
    if scale == "minmax":
        center, width = low, high - low
        constant = is_constant_range(width)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            center, width = float(known.mean()), float(known.std())
            constant = bool(is_constant(center, np.float64(width), len(known)))
    # Squares underflow below 1e-162: such a column has values that differ and a standard deviation of 0.
    if not (np.isfinite(center) and np.isfinite(width)) or (width == 0.0 and high - low < _UNDERFLOWS):
        raise OverflowError
    return center, 1.0 if constant else width


def is_constant(mean: Number, deviation: Number, rows: int) -> Number:
    """Return whether numbers differ by rounding alone: 0.3 and 0.1 + 0.2 are one value, computed in two ways.

    The rule is that of scikit-learn's StandardScaler, the error of a variance that is computed in two passes: Chan,
    Golub and LeVeque, Algorithms for computing the sample variance, 1983.

    Args:
        mean: of the numbers, one or an array.
        deviation: their population standard deviation, in the same shape.
        rows: how many numbers there are.
    """
    variance = deviation**2
    return (variance <= rows * _EPSILON * variance + (rows * mean * _EPSILON) ** 2) & np.isfinite(variance)


def is_constant_range(width: Number, dtype: np.dtype | type = np.float64) -> Number:
    """Return whether numbers with this range, maximum - minimum, differ by rounding alone: the rule of scikit-learn's
    MinMaxScaler for numbers of a dtype."""
    return width < 10 * float(np.finfo(dtype).eps)
