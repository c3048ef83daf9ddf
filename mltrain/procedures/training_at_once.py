"""A folder of runs, several at once: each in a process of its own, with its share of the cores. They share nothing but
the folder. No TensorFlow here: the processes have it."""

from __future__ import annotations

import os
import signal
import time

from mltrain.comparison.compared_run import read_run
from mltrain.config.load import Loaded
from mltrain.errors import InterruptedRunError, MltrainError
from mltrain.procedures.end_of_command import pipe_of_command
from mltrain.procedures.folder_training import (
    FolderRequest,
    is_finished,
    refuse_other_data,
    refuse_others,
    train_runs,
    with_threads,
)
from mltrain.procedures.run_process import RunProcess
from mltrain.report.terminal import Terminal
from mltrain.report.text import duration, number
from mltrain.run.rundir import RunDirectory
from mltrain.training.signals import Interruption
from mltrain.wording import counted

_LOOKS = 0.05


def train_folder(request: FolderRequest, interruption: Interruption) -> None:
    """Train every run of a folder that is not finished: one after another in this process, or several at once.

    Raises:
        MltrainError: as `train_runs`. Of several runs that fail, the first in their order counts.
        WorkerError: a process was ended from outside.
    """
    at_once = min(request.parallel, len(request.configs))
    if at_once == 1:
        train_runs(request, interruption)
        return
    refuse_others(request)
    share = max(1, len(os.sched_getaffinity(0)) // at_once)
    terminal = Terminal(quiet=request.quiet)
    with pipe_of_command() as pipe:
        _Runs(request, terminal, pipe.watched, share).train(at_once, interruption)


class _Runs:
    """The runs of a folder: which wait, are trained and have ended.

    Args:
        request: what the command asks for.
        terminal: where to say what happens.
        launcher: the descriptor of a pipe that ends with the command.
        share: the threads of a run that has not begun.
    """

    def __init__(self, request: FolderRequest, terminal: Terminal, launcher: int, share: int) -> None:
        self._request, self._terminal, self._launcher, self._share = request, terminal, launcher, share
        self._waiting: dict[int, Loaded] = {}
        self._running: list[RunProcess] = []
        self._trained: list[int] = []
        self._failed: dict[int, MltrainError] = {}
        self._told = False  # of a signal that has come
        specs = [config.spec for config in request.configs.values()]
        self._may_download = any(each.source == "imagenet" for spec in specs for each in spec.model.stated_weights())

    def train(self, at_once: int, interruption: Interruption) -> None:
        """Train them, at most so many at once.

        Where one fails, the others write a checkpoint and stop, and no other begins: they would often fail, too.

        Raises:
            MltrainError: as `train_folder`.
        """
        self._look_for_finished()
        try:
            with interruption.told(self._tell_of_signal):
                while self._running or (self._waiting and not self._stopping):
                    while self._waiting and not self._stopping and len(self._running) < self._most(at_once):
                        self._begin()
                        if interruption.received is not None:  # it may have come before the process was known
                            self._tell_of_signal(interruption.received)
                    for each in [each for each in self._running if each.has_ended]:
                        self._running.remove(each)
                        self._end(each)
                    time.sleep(_LOOKS)
        finally:
            for each in self._running:
                each.kill()
        for name in self._request.configs:
            if name in self._failed:
                raise self._failed[name]
        if self._waiting or len(self._trained) < len(self._request.configs):
            number = interruption.received or signal.SIGTERM
            error = InterruptedRunError(f"stopped by {signal.Signals(number).name}", number)
            raise self._request.stopped(error, len(self._trained))

    @property
    def _stopping(self) -> bool:
        """Whether no other run begins, as a signal has come or a run has failed."""
        return self._told or bool(self._failed)

    def _look_for_finished(self) -> None:
        for name, config in self._request.configs.items():
            path = self._request.folder.run(name)
            loaded = with_threads(config, path, self._request.gates, self._share)
            if is_finished(path, loaded):
                self._terminal.note(f"{self._request.which(name)} is finished: {path}")
                self._trained.append(name)
            else:
                self._waiting[name] = loaded

    def _most(self, at_once: int) -> int:
        """Return how many may be trained now: one alone downloads weights, as Keras writes them where others read."""
        if self._may_download:
            trains = any(RunDirectory(each.path).has_splits() for each in self._running)
            self._may_download = not (trains or self._trained)
        return 1 if self._may_download else at_once

    def _begin(self) -> None:
        name = next(iter(self._waiting))
        loaded = self._waiting.pop(name)
        try:
            process = RunProcess(self._request, name, loaded, self._launcher)
        except MltrainError as error:
            self._fail(name, error)
        else:
            self._running.append(process)
            self._terminal.note(f"{self._request.which(name)}: {process.path}")

    def _end(self, process: RunProcess) -> None:
        """Take note of how a process has ended."""
        name, error = process.number, process.error()
        which = self._request.which(name)
        if error is None:
            self._trained.append(name)
            try:
                self._terminal.note(f"{which}: {self._result(process)}")
                refuse_other_data(self._request.folder, self._trained[0], name)
            except MltrainError as other:
                self._fail(name, other)
        elif not isinstance(error, InterruptedRunError):
            self._terminal.note(f"{which}: failed after {duration(process.seconds)}")
            self._fail(name, error)
        else:
            self._terminal.note(f"{which}: {error}")
            if not self._stopping:  # somebody has stopped this one alone
                self._fail(name, self._request.stopped(error, len(self._trained)))

    def _fail(self, name: int, error: MltrainError) -> None:
        """Let the others write a checkpoint and stop, where one has failed; no other begins."""
        if not self._stopping:
            self._tell_all(signal.SIGTERM)
        self._failed[name] = error

    def _result(self, process: RunProcess) -> str:
        """Return what came of a run, in a line."""
        run = read_run(RunDirectory(process.path), self._request.configs[process.number].plugins)
        warned = f", {counted(process.warnings, 'warning')} in {process.log}" if process.warnings else ""
        return f"{run.primary} {number(run.value(run.primary))}, in {duration(process.seconds)}{warned}"

    def _tell_of_signal(self, number: int) -> None:
        self._told = True
        self._tell_all(number)

    def _tell_all(self, number: int) -> None:
        for each in list(self._running):
            each.tell(number)
