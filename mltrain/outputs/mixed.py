"""Several targets of different kinds, such as a price, whether it was sold, and its kind: each has a head, a loss and
metrics of its own kind, and the outputs of all are beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltrain.outputs.kind import OutputKind

if TYPE_CHECKING:
    import numpy as np


class Mixed(OutputKind):
    """Several targets, each of a kind of its own; what follows from a kind is asked of that of each part."""

    name = "mixed"
    activation = ""
    loss = ""
    losses = ()
    training_metric = ""
    metrics = ()
    loss_metric = ""
    constant, linear = "", ""
    mixed = True
    scaled = True
    forms = ("beside each other",)

    def shaped(self, outputs: np.ndarray) -> np.ndarray:
        """Return the predictions of all parts as they are (rows, units)."""
        return outputs
