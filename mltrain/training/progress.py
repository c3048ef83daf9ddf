"""How far a training has come: what each epoch was, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch was.

    Attributes:
        epoch: counted from 1.
        measured: every `split.metric`.
        learning_rate: at the end of the epoch.
        seconds: wall time of the epoch with its validation.
        improved: whether it is the best so far by the objective.
        stop: why training ends with it, or None.
        notes: what callbacks of ours did.
        kept: whether a callback wants its weights on disk.
    """

    epoch: int
    measured: dict[str, float]
    learning_rate: float
    seconds: float
    improved: bool
    stop: str | None
    notes: tuple[str, ...]
    kept: bool = False


@dataclass(frozen=True)
class Position:
    """Where a training stands.

    Attributes:
        epoch: the epoch under way, counted from 1.
        step: its steps that are done.
        seconds: what it has taken so far.
        logs: its training loss and metrics once all of its steps are done, and only validation is left.
        stopped: why the training has ended, or None.
    """

    epoch: int = 1
    step: int = 0
    seconds: float = 0.0
    logs: dict[str, float] | None = None
    stopped: str | None = None
