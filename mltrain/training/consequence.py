"""What a callback of ours may do to training: nothing else, so that the loop stays the only place that acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Consequence:
    """What follows from one epoch.

    Attributes:
        stop: the reason to stop after this epoch, or None.
        learning_rate: the new learning rate, or None.
        note: a sentence to say, or None.
    """

    stop: str | None = None
    learning_rate: float | None = None
    note: str | None = None


class EpochCallback(Protocol):
    """A state machine that looks at each finished epoch."""

    def epoch_ended(self, epoch: int, measured: dict[str, float], learning_rate: float) -> Consequence:
        """Take what epoch `epoch` (from 1) measured, and decide."""

    def idle_epochs(self) -> int:
        """Return how many epochs end, at the least, until the one that something may follow from; at least 1."""

    def state(self) -> dict[str, Any]:
        """Return what has to be kept to go on exactly, as JSON can hold it."""

    def continue_after_stop(self) -> str | None:
        """Begin to wait again, where the wait has ended the training; return a sentence that says so."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
