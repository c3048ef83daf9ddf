"""Interrupt runs, go on, and hold the end against the run that never was interrupted."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mltrain.errors import WorkerError
from tests.torture.comparison import compare, resumptions, step_on_disk
from tests.torture.forking import KILLED, Call, Ended, ForkServer, call


class Battery:
    """Runs of experiments by name, in the folder of a server.

    Args:
        server: runs the commands.
        workers: that train together.
    """

    def __init__(self, server: ForkServer, workers: int = 1) -> None:
        self.server = server
        self.folder = server.folder
        self.workers = workers
        # How a command ends of which a process was killed: the launcher is not.
        self.killed = KILLED if workers == 1 else WorkerError.exit_code
        self._several = () if workers == 1 else ("--workers", str(workers))
        self._suffix = "" if workers == 1 else f"-by-{workers}"
        self._whole: dict[str, Ended] = {}
        self._runs = 0

    def whole(self, experiment: str) -> tuple[Path, Ended]:
        """Return the run that is not interrupted, and how its command ended."""
        run = self.folder / f"{experiment}{self._suffix}-whole"
        if experiment not in self._whole:
            kinds = {"kinds": str(self._kinds(experiment))} if self.workers == 1 else {}
            self._whole[experiment] = self.server(*self.training(experiment, run), **kinds)
            assert self._whole[experiment].code == 0, self._whole[experiment].err
        return run, self._whole[experiment]

    def after_changes(self, experiment: str) -> list[int]:
        """Return the numbers of the operations before which the one before has changed what is in a file, or its name.

        A kill before another one leaves the same files: a flush and an opened directory change nothing that a killed
        process leaves behind, and a new file has a name that nobody reads until it is renamed.
        """
        self.whole(experiment)
        kinds = self._kinds(experiment).read_text().split()
        return [1, *(number for number, kind in enumerate(kinds[:-1], start=2) if kind not in ("fsync", "open"))]

    def _kinds(self, experiment: str) -> Path:
        return self.folder / f"{experiment}-operations.txt"

    def new(self, experiment: str) -> Path:
        """Return the place of a run that is not there yet."""
        self._runs += 1
        return self.folder / f"{experiment}{self._suffix}-{self._runs}"

    def copy(self, run: Path) -> Path:
        """Return a copy of a run, under a new name."""
        place = self.new(run.name)
        shutil.copytree(run, place, symlinks=True)
        return place

    def training(self, experiment: str, run: Path, *more: str) -> tuple[object, ...]:
        """Return the arguments that train it."""
        return ("train", f"{experiment}.yaml", "--run-dir", run, "--quiet", *self._several, *more)

    def interrupted(self, experiment: str, faults: Sequence[dict[str, Any]]) -> list[tuple[Path, Ended]]:
        """Start a run for each of `faults`, which happens to it."""
        runs = [self.new(experiment) for _ in faults]
        calls = [call(*self.training(experiment, run), **fault) for run, fault in zip(runs, faults, strict=True)]
        return list(zip(runs, self.server.all(calls), strict=True))

    def end(self, experiment: str, runs: Iterable[Path]) -> list[int]:
        """Go on with each run to its end, which must be that of the whole one.

        Returns:
            From which step each went on; 0 where it had to start.
        """
        whole, _ = self.whole(experiment)
        runs = list(runs)
        steps = [step_on_disk(run) for run in runs]
        unfinished = [not is_finished(run) for run in runs]
        for run, ended in zip(runs, self.server.all(self._going_on(experiment, run) for run in runs), strict=True):
            assert ended.code == 0, (run.name, ended.err)
        for run, step, goes_on in zip(runs, steps, unfinished, strict=True):
            compare(whole, run)
            if goes_on and step:
                # A run that was started afresh with the same seed would look the same.
                taken_up = resumptions(run)[-1]
                assert taken_up["step"] == step > 0
                assert taken_up["inexact"] == []
            shutil.rmtree(run)
        return steps

    def killed_in_training(self, experiment: str, drawn: random.Random) -> Path:
        """Return a run of which a process was killed at a random time after its first checkpoint behind step 0."""
        _, whole = self.whole(experiment)
        while True:
            run = self.new(experiment)
            happens: dict[str, Any] = {"after": drawn.uniform(0, whole.seconds)}
            if self._several:
                happens = {"victims": [(drawn.randrange(self.workers), happens)]}
            ended = self.server(*self.training(experiment, run), **happens)
            # It may have been at its end already, or may have had no checkpoint yet.
            if ended.code == self.killed and step_on_disk(run) and not is_finished(run):
                return run
            assert ended.code in (0, self.killed), ended.err
            shutil.rmtree(run)

    def _going_on(self, experiment: str, run: Path) -> Call:
        # Before there is a record there is nothing to resume: `train --resume` starts, or goes on.
        if (run / "checkpoints").is_dir():
            return call("resume", run, "--quiet", *self._several)
        return call(*self.training(experiment, run, "--resume"))


def is_finished(run: Path) -> bool:
    """Return whether the status says that the run came to its end."""
    status = run / "status.json"
    return status.exists() and json.loads(status.read_text())["state"] == "finished"
