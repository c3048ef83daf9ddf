"""A part of a training as the loop runs it: a training without stages is one. Imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import keras

from mltrain.training.callback import EpochRules
from mltrain.training.feed import Feed
from mltrain.training.leading import Leading
from mltrain.training.loop import CompiledSteps
from mltrain.training.shared_epochs import SharedEpochs
from mltrain.training.validation import Validation


@dataclass(frozen=True)
class Steps:
    """How an epoch is trained, and what is measured after it.

    Attributes:
        loop: over the training rows.
        seed: of the experiment, for the order of the rows.
        every: a chunk ends at each multiple of so many steps of the stage, for checkpoints; None where it need not.
        shared: runs several epochs of `loop` in one call; None where each has its own.
        validation: of the validation rows, or None.
    """

    loop: CompiledSteps
    seed: int
    every: int | None = None
    shared: SharedEpochs | None = None
    validation: Validation | None = None


@dataclass(frozen=True)
class Stage:
    """A part of a training.

    Attributes:
        epochs: at most.
        rules: what decides after each of them.
        words: it in a sentence; empty where it is the whole training.
        with_best: whether it begins with the weights of the best epoch so far.
    """

    epochs: int
    rules: EpochRules
    words: str = ""
    with_best: bool = False


class Stages(Protocol):
    """Makes the parts of a training. A training without stages is one part."""

    model: keras.Model
    """That is trained."""
    leading: Leading
    """The other workers."""
    count: int
    """How many there are."""

    @property
    def feed(self) -> Feed:
        """Of the training rows, as the model takes them."""

    @property
    def steps_of_epoch(self) -> int:
        """Updates of the weights in an epoch."""

    def begin(self, number: int, before: Stage | None) -> Stage:
        """Give the model the layers that a stage trains, and its optimizer.

        Args:
            number: of the stage, counted from 0.
            before: the stage before it, whose callbacks go on; None where it is the first, or the training continues
                from a checkpoint.
        """

    def steps(self, number: int) -> Steps:
        """Return how the stage that was begun is trained; it may compute for long.

        Raises:
            InterruptedRunError: a signal came.
        """
