"""How fast the whole training will be: its own loop, for as long as it takes to know. Imports TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mltrain.stopwatch import NoStopwatch
from mltrain.training.signals import Interruption
from mltrain.training.training import Training

# Seconds of steps and validations, once the loop is compiled.
_SECONDS = 1.2


class _TimeIsOverError(Exception):
    """Enough was measured."""


class Deadline(Interruption):
    """The interruption of a process, which also ends a training after some time.

    Attributes:
        end: the time of `time.perf_counter` to end at; None while there is none.
    """

    def __init__(self, of_process: Interruption) -> None:
        super().__init__()
        self._of_process = of_process
        self.end: float | None = None

    def raise_if_received(self) -> None:
        """Raise if a signal has come, or the time is over."""
        self._of_process.raise_if_received()
        if self.end is not None and time.perf_counter() >= self.end:
            raise _TimeIsOverError


@dataclass(frozen=True)
class Call:
    """One call of the compiled loop.

    Attributes:
        epoch: whose steps it ran.
        steps: how many.
        seconds: that it took.
        ends: whether the epoch ends with it.
    """

    epoch: int
    steps: int
    seconds: float
    ends: bool


@dataclass(frozen=True)
class Pace:
    """How fast a training is.

    Attributes:
        seconds_per_step: of an update of the weights.
        seconds_beside: of what comes after the steps of an epoch, the validation and callbacks; None where no epoch
            has ended.
        first: seconds that what is done for the first time takes more, beside compiling the loop: a last batch that is
            smaller is compiled in its first step.
    """

    seconds_per_step: float
    seconds_beside: float | None
    first: float


def measure_pace(training: Training, deadline: Deadline, stopwatch: NoStopwatch) -> Pace:
    """Train for a moment, and return what that took. The weights change.

    Args:
        training: at its first step; it asks `deadline`.
        deadline: has no end yet.
        stopwatch: of the training.

    Raises:
        DivergedError: the loss, a metric or a prediction is NaN or infinite.
        InterruptedRunError: a signal came.
    """
    calls: list[Call] = []
    epochs: list[tuple[float, float]] = []  # all of it, and its steps
    done_before, last = 0, time.perf_counter()

    def begin() -> None:
        nonlocal last
        if deadline.end is None:
            deadline.end = time.perf_counter() + _SECONDS
        last = time.perf_counter()

    def chunk_ended(epoch: int, done: int, steps: int, loss: float) -> None:
        nonlocal done_before
        calls.append(Call(epoch, done - done_before, time.perf_counter() - last, done == steps))
        done_before = 0 if done == steps else done
        begin()

    try:
        for record in training.epochs(chunk_ended):
            epochs.append((record.seconds, sum(each.seconds for each in calls if each.epoch == record.epoch)))
            begin()
    except _TimeIsOverError:
        pass
    finally:
        deadline.end = None
    laps = stopwatch.laps()
    tracing = laps["tracing"].seconds if "tracing" in laps else 0.0
    return pace_of(calls, epochs, training.steps_of_epoch, tracing)


def pace_of(calls: Sequence[Call], epochs: Sequence[tuple[float, float]], steps: int, tracing: float) -> Pace:
    """Return what the calls of a loop say.

    Args:
        calls: in their order; none where epochs have shared calls.
        epochs: the seconds of each that has ended, and those of its steps.
        steps: of an epoch.
        tracing: seconds of compiling, which are in the first call.
    """
    # In the first epoch the loop is compiled, and what it does for the first time takes longer.
    later = epochs[1:] or epochs
    if not calls:  # epochs that share calls
        return Pace(sum(whole for whole, _ in later) / len(later) / steps, 0.0, 0.0)
    first = calls[0].epoch
    late = [each for each in calls[1:] if not (each.epoch == first and each.ends and each.steps == 1)]
    early = [each for each in calls if each not in late]
    if not late:
        late, early = [replace(calls[0], seconds=max(calls[0].seconds - tracing, 0.0)), *calls[1:]], []
    seconds = sum(each.seconds for each in late) / sum(each.steps for each in late)
    more = sum(each.seconds - each.steps * seconds for each in early) - (tracing if early else 0.0)
    if not later:
        return Pace(seconds, None, max(0.0, more))
    # The seconds of the first call have the compiling in them, and those of its epoch have not.
    beside = [
        max(0.0, whole - of_steps + (0.0 if number else tracing)) for number, (whole, of_steps) in enumerate(epochs)
    ]
    usual = sum(beside[-len(later) :]) / len(later)
    return Pace(seconds, usual, max(0.0, more) + max(0.0, beside[0] - usual))
