"""How far a training has come, in which order an epoch visits the rows, and how much of it one call runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

TARGET_SECONDS = 0.15


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
        stage: of the training, counted from 1; None where it has no stages.
        ended: why the stage ends with it, while others follow; None where it does not.
    """

    epoch: int
    measured: dict[str, float]
    learning_rate: float
    seconds: float
    improved: bool
    stop: str | None
    notes: tuple[str, ...]
    kept: bool = False
    stage: int | None = None
    ended: str | None = None

    @property
    def row(self) -> dict[str, float]:
        """The row of history.csv."""
        return {
            "epoch": self.epoch,
            **({} if self.stage is None else {"stage": self.stage}),
            **self.measured,
            "learning_rate": self.learning_rate,
            "seconds": round(self.seconds, 6),
        }


@dataclass(frozen=True)
class Position:
    """Where a training stands.

    Attributes:
        epoch: the epoch under way, counted from 1.
        step: its steps that are done.
        seconds: what it has taken so far.
        logs: its training loss and metrics once all of its steps are done, and only validation is left.
        stopped: why the training has ended, or None.
        stage: the stage under way, counted from 0.
        first_epoch: of the stage.
        steps_before: updates of the weights in the stages before.
        ended: why the stage has ended before its last epoch, or None.
    """

    epoch: int = 1
    step: int = 0
    seconds: float = 0.0
    logs: dict[str, float] | None = None
    stopped: str | None = None
    stage: int = 0
    first_epoch: int = 1
    steps_before: int = 0
    ended: str | None = None

    def after(self, epoch: int, stopped: str | None = None, ended: str | None = None) -> Position:
        """Return where the training stands after an epoch."""
        return replace(self, epoch=epoch + 1, step=0, seconds=0.0, logs=None, stopped=stopped, ended=ended)

    def in_epoch(self, epoch: int, step: int, seconds: float, logs: dict[str, float] | None = None) -> Position:
        """Return where the training stands in an epoch."""
        return replace(self, epoch=epoch, step=step, seconds=seconds, logs=logs, stopped=None)


def epoch_order(rows: int, seed: int, epoch: int, shuffle: bool = True) -> np.ndarray:
    """Return the row numbers of one epoch, `(rows,)` int32: ours, and a function of (seed, epoch) only.

    Keras' `fit(shuffle=True)` repeats one permutation in every epoch once a seed is set (Keras 3.15), and another
    release changes it again. An order that is computed, not drawn from a stream, is the same after any interruption.

    Args:
        rows: number of training rows.
        seed: of the experiment.
        epoch: counted from 1.
        shuffle: False keeps the rows in their own order.
    """
    if not shuffle:
        return np.arange(rows, dtype=np.int32)
    return np.random.default_rng([seed, epoch]).permutation(rows).astype(np.int32)


class Chunks:
    """Sizes the next chunk by how long the last one took. The size changes no result, only how often Python looks.

    Between two calls of the compiled loop is the only time at which Python sees a signal, moves the progress bar or
    writes a checkpoint, and a call costs about 0.4 ms. Chunks of 150 ms cost nothing that can be measured (1.178 s
    against 1.175 s for one call per epoch).
    """

    def __init__(self, target_seconds: float = TARGET_SECONDS) -> None:
        self._target = target_seconds
        self._steps = 1

    def next(self, remaining: int) -> int:
        """Return how many of the `remaining` steps to run now."""
        return min(self._steps, remaining)

    def took(self, steps: int, seconds: float) -> None:
        """Learn from a chunk of `steps` that took `seconds`; it grows at most eightfold at a time."""
        wanted = self._target * steps / max(seconds, 1e-6)
        self._steps = max(1, int(min(wanted, 8 * steps)))
