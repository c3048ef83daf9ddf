"""The order in which an epoch visits the training rows: ours, and a function of (seed, epoch) only.

Keras' `fit(shuffle=True)` repeats one permutation in every epoch once a seed is set (Keras 3.15), and another release
changes it again. An order that is computed, not drawn from a stream, is the same after any interruption.
"""

from __future__ import annotations

import numpy as np


def epoch_order(rows: int, seed: int, epoch: int, shuffle: bool = True) -> np.ndarray:
    """Return the row numbers of one epoch, `(rows,)` int32.

    Args:
        rows: number of training rows.
        seed: of the experiment.
        epoch: counted from 1.
        shuffle: False keeps the rows in their own order.
    """
    if not shuffle:
        return np.arange(rows, dtype=np.int32)
    return np.random.default_rng([seed, epoch]).permutation(rows).astype(np.int32)
