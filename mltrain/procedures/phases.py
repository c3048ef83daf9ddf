"""The phases before a training: each is timed, and a place where a signal ends the command. No TensorFlow, no run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mltrain.stopwatch import NoStopwatch, PhaseName
from mltrain.task import Decision
from mltrain.training.device_names import PlaceOnMachine
from mltrain.training.signals import Interruption

if TYPE_CHECKING:
    from mltrain.config.plugins import Plugins
    from mltrain.first_weights.imagenet import ImagenetFile
    from mltrain.workers.team import Team


class Phases:
    """Where a process is on its way. `RunContext` is the same with a run, which is told of each phase.

    Args:
        interruption: of this process.
        stopwatch: notes where the time goes.

    Attributes:
        folder: of the run; None where there is none.
        plugins: what of the user's own a config may name; None where it is what installed packages have.
        team: of workers that train together; None where this process trains alone.
    """

    def __init__(self, interruption: Interruption, stopwatch: NoStopwatch) -> None:
        self.interruption = interruption
        self.stopwatch = stopwatch
        self.folder: Path | None = None
        self.plugins: Plugins | None = None
        self.team: Team | None = None

    @property
    def workers(self) -> int:
        """How many workers train together."""
        return 1 if self.team is None else self.team.count

    @property
    def workers_option(self) -> str:
        """What a command line needs to train on with as many workers; empty where it needs nothing."""
        launched = self.team is not None and self.team.cluster.source.startswith("--workers")
        return f" --workers {self.workers}" if launched else ""

    @property
    def worker_decisions(self) -> tuple[Decision, ...]:
        """How many workers train together, where they do, and how they talk."""
        if self.team is None:
            return ()
        cluster = self.team.cluster
        where = "on this machine" if cluster.hosts == 1 else f"on {cluster.hosts} machines"
        over = "sockets of this machine" if cluster.by_files else "TCP"
        how = f"{cluster.source}; each computes its rows of every batch, and they add their gradients over {over}"
        return (Decision("workers", f"{cluster.count} processes {where}", how),)

    def threads(self, stated: int | Literal["auto"]) -> int | Literal["auto"]:
        """Return how many threads an operation may use: the workers of a machine divide its cores."""
        if self.team is None or stated != "auto":
            return stated
        return max(1, len(os.sched_getaffinity(0)) // self.team.cluster.on_machine)

    @property
    def place_on_machine(self) -> PlaceOnMachine | None:
        """Which of the workers of its machine this one is; None where it is alone."""
        cluster = None if self.team is None else self.team.cluster
        return None if cluster is None else PlaceOnMachine(cluster.place, cluster.on_machine)

    def begin(self, phase: PhaseName) -> None:
        """Begin a phase before the training."""
        self.stopwatch.turn_to(phase)
        self.turn_to(phase)

    def download(self, file: ImagenetFile) -> None:
        """Download a file of weights into Keras' cache. Needs TensorFlow, which must have been started."""
        from mltrain.first_weights.imagenet import download_by_keras

        self.say_download(file)
        download_by_keras(self.raise_if_interrupted, shown=self.shows_progress)(file)

    @property
    def shows_progress(self) -> bool:
        """Whether the progress of a download is shown on stderr."""
        return False

    def say_download(self, file: ImagenetFile) -> None:
        """Say that a file is downloaded."""

    def turn_to(self, words: str, epoch: int = 0, step: int = 0) -> None:
        """Go on to what `words` say; raises InterruptedRunError where a signal has come."""
        self.raise_if_interrupted()

    def raise_if_interrupted(self) -> None:
        """Raise InterruptedRunError where a signal has come: between two parts of any longer work."""
        self.interruption.raise_if_received()
