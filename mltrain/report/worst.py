"""Which rows a model is most wrong about."""

from __future__ import annotations

import numpy as np

# So many are shown.
EXAMPLES = 12


def wrongness(target: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return how wrong each prediction is (n,): 1 minus the probability of the true class, or the absolute error; of
    several targets the mean over them, of numbers in deviations of each.

    Args:
        target: (n,), int64 class numbers or float64; or (n, targets).
        predictions: (n,) probabilities of the positive class or values, or (n, classes) probabilities; or (n, targets).
    """
    if target.ndim == 2:
        errors = np.abs(target - predictions.astype(np.float64))
        return (errors / (target.std(axis=0) + (target.std(axis=0) == 0) if target.dtype.kind == "f" else 1)).mean(
            axis=1
        )
    if predictions.ndim == 2:
        return 1.0 - predictions[np.arange(len(target)), target.astype(np.int64)].astype(np.float64)
    return np.abs(target - predictions.astype(np.float64))


def worst(target: np.ndarray, predictions: np.ndarray, most: int) -> np.ndarray:
    """Return the places of at most `most` rows, the worst first; arguments as for `wrongness`.

    A prediction that is not finite is the worst there is; of equals the first.
    """
    wrong = np.nan_to_num(wrongness(target, predictions), nan=np.inf)
    return np.argsort(-wrong, kind="stable")[:most]
