"""What the first of several workers tells the others, so that they do what it does. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import keras

from mltrain.training.loop import NO_OTHERS, Calls
from mltrain.training.sharing import Sharing


class SharedCalls(Calls):
    """Those of a loop that other workers run too: a lost worker is said plainly.

    Args:
        sharing: how the rows of a batch are shared.
        begins: is called with the first step and the number of steps of each call.
    """

    def __init__(self, sharing: Sharing, begins: Callable[[int, int], None] = lambda step, count: None) -> None:
        self._sharing = sharing
        self._begins = begins

    def begins(self, step: int, count: int) -> None:
        """Hand on what the call is."""
        self._begins(step, count)

    def failing_plainly(self) -> AbstractContextManager[None]:
        """While inside, a lost worker is the error itself."""
        return self._sharing.failing_plainly()


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
