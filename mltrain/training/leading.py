"""What the first of several workers tells the others, so that they do what it does. Imports TensorFlow."""

from __future__ import annotations

import keras

from mltrain.training.loop import NO_OTHERS, Calls
from mltrain.training.sharing import Sharing


class Leading:
    """The other workers of a training. By itself there are none, and nothing is said.

    Attributes:
        sharing: how the rows of a batch are shared; None where this worker computes all.
        calls: of the loop, of which the others are told.
    """

    sharing: Sharing | None = None
    calls: Calls = NO_OTHERS

    def stage(self, number: int, model: keras.Model) -> None:
        """Give the others the stage of the training, counted from 0, and every variable of the model in it."""

    def epoch(self, number: int) -> None:
        """Tell the others which epoch the next steps belong to."""


ALONE = Leading()
