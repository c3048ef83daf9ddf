"""What a training has beside its experiment: the run, the terminal, signals, the stopwatch, and the phase it is in.

Each phase is shown in status.json, timed, and a place where a signal ends the run. A resumption writes nothing before
it has read everything: until then the run stays as it is. Afterwards, an error makes it what it was before.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mltrain.errors import DivergedError, InterruptedRunError, MltrainError
from mltrain.procedures.phases import Phases
from mltrain.report.terminal import Terminal
from mltrain.run.former_state import FormerState
from mltrain.run.locked_run import LockedRun
from mltrain.run.status import Status, status
from mltrain.stopwatch import NoStopwatch
from mltrain.training.signals import Interruption

if TYPE_CHECKING:
    from mltrain.first_weights.imagenet import ImagenetFile
    from mltrain.workers.team import Team

_STATE = "state"


class RunContext(Phases):
    """The run that a process trains, and where it is on its way.

    Args:
        run: locked.
        terminal: where to say what happens.
        interruption: of this process.
        stopwatch: notes where the time goes.
        resumed: whether the run exists, so that nothing may be written before everything is read.
        team: of workers that train together, of which this one is the first; None where it trains alone.
    """

    def __init__(
        self,
        run: LockedRun,
        terminal: Terminal,
        interruption: Interruption,
        stopwatch: NoStopwatch,
        *,
        resumed: bool,
        team: Team | None = None,
    ) -> None:
        super().__init__(interruption, stopwatch)
        self.team = team
        self.run = run
        self.folder = run.path
        self.terminal = terminal
        self.writes = not resumed
        self._former: FormerState | None = None
        self._before: Status | None = run.status() if resumed and run.has_status() else None
        self._checkpoints = self._numbers()
        if self.writes:
            run.begin_writing()

    def turn_to(self, words: str, epoch: int = 0, step: int = 0) -> None:
        """Show in status.json what is being done; raises InterruptedRunError where a signal has come."""
        super().turn_to(words)
        if self.writes:
            self.run.write_status(status("running", words, epoch=epoch, step=step))

    @property
    def shows_progress(self) -> bool:
        """Whether the progress of a download is shown on stderr: in a terminal that is listened to."""
        return self.terminal.is_live

    def say_download(self, file: ImagenetFile) -> None:
        """Say that a file is downloaded."""
        self.terminal.note(f"downloading {file.address} to {file.folder} (`weights: imagenet`)")

    def write_from_now_on(self) -> None:
        """Begin to write a resumed run, of which everything has been read; a kill brings it back to what it was."""
        self.raise_if_interrupted()
        if not self.writes:
            self._former = self.run.keep_former_state()
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
            self.run.bring_back_former_state()

    def _stays(self, error: BaseException) -> bool:
        """Return whether what was written is worth more than what was there before."""
        if isinstance(error, (InterruptedRunError, KeyboardInterrupt, DivergedError)):
            return True
        finished = self._before is not None and self._before.state == "finished"
        return not finished and self._numbers()[-1:] > self._checkpoints[-1:]

    def _numbers(self) -> list[int]:
        from mltrain.run.checkpoint_files import numbers  # NumPy; a run that is in use is refused before that

        return numbers(self.run.checkpoints, _STATE)
