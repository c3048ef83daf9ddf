"""The phases of a run: each is shown in status.json, timed, and a place where a signal ends the run.

A resumption writes nothing before it has read everything: until then the run stays as it is. Afterwards, an error makes
it what it was before.
"""

from __future__ import annotations

from contextlib import suppress

from mltrain.errors import DivergedError, InterruptedRunError, MltrainError
from mltrain.run.former_state import FormerState
from mltrain.run.locked_run import LockedRun
from mltrain.run.status import Status, status
from mltrain.stopwatch import NoStopwatch, PhaseName
from mltrain.training.signals import Interruption

_STATE = "state"


class Course:
    """Where a run is on its way.

    Args:
        run: locked.
        interruption: of this process.
        stopwatch: notes where the time goes.
        resumed: whether the run exists, so that nothing may be written before everything is read.
    """

    def __init__(self, run: LockedRun, interruption: Interruption, stopwatch: NoStopwatch, *, resumed: bool) -> None:
        self._run = run
        self._interruption = interruption
        self._stopwatch = stopwatch
        self._former: FormerState | None = None
        self._before: Status | None = run.status() if resumed and run.has_status() else None
        self._checkpoints = self._numbers()
        self.writes = not resumed
        if self.writes:
            run.begin_writing()

    def begin(self, phase: PhaseName) -> None:
        """Begin a phase before the training."""
        self._stopwatch.turn_to(phase)
        self.turn_to(phase)

    def turn_to(self, words: str, epoch: int = 0, step: int = 0) -> None:
        """Show in status.json what is being done; raises InterruptedRunError where a signal has come."""
        self._interruption.raise_if_received()
        if self.writes:
            self._run.write_status(status("running", words, epoch=epoch, step=step))

    def write_from_now_on(self) -> None:
        """Begin to write a resumed run, of which everything has been read; a kill brings it back to what it was."""
        self._interruption.raise_if_received()
        if not self.writes:
            self._former = self._run.keep_former_state()
            self.writes = True

    def first_files_are_written(self) -> None:
        """Note that the run can be resumed from here as it is: a kill leaves it so."""
        if self._former is not None:
            self._former.first_files_are_written()

    def ended(self, error: BaseException | None = None) -> None:
        """Drop the former state of a resumed run, or bring it back where the resumption failed."""
        if self._former is None:
            return
        if error is None or self._stays(error):
            self._former.forget()
            return
        # The error itself is what the user must see; the next process that locks the run brings it back.
        with suppress(MltrainError):
            self._run.bring_back_former_state()

    def _stays(self, error: BaseException) -> bool:
        """Return whether what was written is worth more than what was there before."""
        if isinstance(error, (InterruptedRunError, KeyboardInterrupt, DivergedError)):
            return True
        finished = self._before is not None and self._before.state == "finished"
        return not finished and self._numbers()[-1:] > self._checkpoints[-1:]

    def _numbers(self) -> list[int]:
        from mltrain.run.checkpoint_files import numbers  # NumPy; a run that is in use is refused before that

        return numbers(self._run.checkpoints, _STATE)
