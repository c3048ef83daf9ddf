"""How far the rows of today are from those of the training: the population stability index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

# The usual reading of the index (Siddiqi, Credit Risk Scorecards, 2006, chapter 9).
MODERATE, LARGE = 0.1, 0.25
# What chance exceeds so often is said.
_LEVEL = 0.001


@dataclass(frozen=True)
class Stability:
    """What the counts of two sets of rows say of their distributions.

    Attributes:
        value: the index; 0 where the shares are the same.
        chance: what it, or one of as many comparisons, exceeds once in a thousand times where both sets come from one
            distribution.
    """

    value: float
    chance: float

    @property
    def drift(self) -> Literal["none", "moderate", "large"]:
        """How far they are apart: none too where chance explains the value."""
        if self.value < MODERATE or self.value <= self.chance:
            return "none"
        return "moderate" if self.value < LARGE else "large"


def population_stability(expected: np.ndarray, found: np.ndarray, comparisons: int = 1) -> Stability:
    """Compare counts (bins,) of training rows with those of other rows in the same bins; one of `comparisons`.

    The index is sum((q - p) · ln(q / p)) over the shares p and q of the bins (Siddiqi 2006; the symmetric divergence of
    Kullback and Leibler 1951). Each count is raised by a half, so that an empty bin has a logarithm. Without drift it
    is about (1/n + 1/m) times a chi-squared variable of bins - 1 degrees of freedom (Yurdakul and Naranjo, Statistical
    properties of the population stability index, Journal of Risk Model Validation 14(4), 2020), whose quantile is that
    of Wilson and Hilferty (1931).
    """
    there = (expected + found) > 0
    bins = int(there.sum())
    n, m = int(expected.sum()), int(found.sum())
    if bins < 2 or not n or not m:
        return Stability(0.0, 0.0)
    p = (expected[there] + 0.5) / (n + 0.5 * bins)
    q = (found[there] + 0.5) / (m + 0.5 * bins)
    freedom = bins - 1
    spread = 2 / (9 * freedom)
    normal = NormalDist().inv_cdf(1 - _LEVEL / comparisons)
    quantile = freedom * (1 - spread + normal * math.sqrt(spread)) ** 3
    return Stability(float(((q - p) * np.log(q / p)).sum()), (1 / n + 1 / m) * quantile)
