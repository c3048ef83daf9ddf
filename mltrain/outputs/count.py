"""A count: a whole number of 0 or more, whose expectation is predicted as in a Poisson regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mltrain.outputs.kind import NumberKind

if TYPE_CHECKING:
    import numpy as np


class Count(NumberKind):
    """A count. Only the config can say so: a column of whole numbers may as well hold classes, or measurements."""

    name = "count"
    activation = "exponential"
    loss = "Poisson"
    losses = (*NumberKind.losses, "Poisson")
    metrics = ("poisson_deviance", "mae", "rmse")
    loss_metric = "poisson_deviance"
    linear = "poisson"
    recognised = False
    forms = ("counts",)
    explained = "the explained deviance (D²)"

    def refused(self, values: np.ndarray) -> tuple[np.ndarray, str]:
        """Return which numbers are negative or have a fraction."""
        return (values < 0) | (values % 1 != 0), "a whole number of 0 or more"

    def row_losses(self, truth: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return the deviance of each row."""
        return poisson_deviances(truth, predictions)

    def score_unit(self, target: str, classes: Sequence[str]) -> str:
        """Return the logarithm of the prediction."""
        return f"logarithm of the expected '{target}'"


def poisson_deviances(truth: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return 2 (y ln(y / p) - y + p) of each row, float64 (rows,): McCullagh and Nelder, Generalized linear models,
    1989, section 2.3. It is 0 where the prediction p is the count y.

    A prediction that float32 rounds to 0 is taken as the smallest positive float32: no expectation is 0.
    """
    import numpy as np

    expected = np.maximum(np.asarray(predictions, np.float64), np.finfo(np.float32).tiny)
    # Of a count of 0 the first term is 0: the limit of y ln y.
    ratio = np.where(truth > 0, truth, expected) / expected
    return 2 * (truth * np.log(ratio) - truth + expected)
