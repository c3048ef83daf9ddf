"""What happens after each chunk of steps and after each epoch of a training. Imports TensorFlow.

The order in `listeners_of` matters: a checkpoint holds the history up to its boundary, so the row comes first, and what
people see comes after what is kept.
"""

from __future__ import annotations

import math
import time
from typing import Protocol

from mltrain.procedures.checkpoints import Checkpoints
from mltrain.procedures.diagnosing import LiveDiagnosis
from mltrain.procedures.network import Network
from mltrain.procedures.run_context import RunContext
from mltrain.report.terminal import Terminal
from mltrain.run.locked_run import LockedRun
from mltrain.run.status import status
from mltrain.stopwatch import PhaseName
from mltrain.training.progress import EpochRecord


class Listener(Protocol):
    """Follows a training: called after each chunk of steps and after each epoch, and by itself does nothing."""

    phase: PhaseName = "history and terminal"
    """To which its time belongs."""

    def chunk_ended(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """Look at a chunk of steps that has ended.

        Args:
            epoch: the epoch under way, counted from 1.
            done: its steps that are done.
            steps: all of its steps.
            loss: the running average of it.
        """
        return

    def epoch_ended(self, record: EpochRecord) -> None:
        """Look at an epoch that has ended."""
        return


class HistoryRows(Listener):
    """Appends each epoch to history.csv."""

    def __init__(self, run: LockedRun) -> None:
        self._file = run.history_file

    def epoch_ended(self, record: EpochRecord) -> None:
        """Append the row."""
        self._file.append(record.row)


class TerminalLines(Listener):
    """Shows each epoch, and moves the bar."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def chunk_ended(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """Move the bar."""
        self._terminal.steps(epoch, done, steps, loss)

    def epoch_ended(self, record: EpochRecord) -> None:
        """Show the epoch, and what callbacks did."""
        self._terminal.epoch_ended(record.epoch, record.row, record.improved, record.notes)


class ProgressInStatus(Listener):
    """Writes how far the training is into status.json, twice per second at most: an epoch may take a millisecond."""

    _BETWEEN = 0.5

    def __init__(self, run: LockedRun, checkpoints: Checkpoints) -> None:
        self._run = run
        self._checkpoints = checkpoints
        self._next = -math.inf

    def chunk_ended(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """Write it."""
        self._write()

    def epoch_ended(self, record: EpochRecord) -> None:
        """Write it."""
        self._write()

    def _write(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._BETWEEN
            done = self._checkpoints
            self._run.write_progress(status("running", "training", epoch=done.last_epoch, step=done.step))


class Warnings(Listener):
    """Warns of what is certain during a training."""

    def __init__(self, terminal: Terminal, diagnosis: LiveDiagnosis) -> None:
        self._terminal = terminal
        self._diagnosis = diagnosis

    def epoch_ended(self, record: EpochRecord) -> None:
        """Show what this epoch made certain."""
        for sentence in self._diagnosis.epoch_ended(record.row):
            self._terminal.warning(sentence)


def listeners_of(network: Network, checkpoints: Checkpoints, context: RunContext) -> tuple[Listener, ...]:
    """Return who listens to the training of a network, in their order."""
    run, terminal = context.run, context.terminal
    diagnosis = LiveDiagnosis(network, run.history())
    return (
        HistoryRows(run),
        checkpoints,
        TerminalLines(terminal),
        ProgressInStatus(run, checkpoints),
        Warnings(terminal, diagnosis),
    )
