"""`mltrain train --workers N`, and a worker of it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mltrain.workers.cluster import LISTENING, RUN_FILE, VARIABLE, described

if TYPE_CHECKING:
    from mltrain.config.load import Loaded
    from mltrain.procedures.train import Announce
    from mltrain.run.locked_run import LockedRun
    from mltrain.training.signals import Interruption
    from mltrain.workers.team import Team


def launched(workers: int | None, interruption: Interruption) -> bool:
    """Start the workers that are asked for, and wait for their end; False where this process is the one that trains.

    Raises:
        typer.Exit: with the exit code of the first worker.
        WorkerError: a worker was lost.
    """
    if workers in (None, 1) or VARIABLE in os.environ:
        return False
    from mltrain.procedures.launching import launch

    code = launch(sys.argv[1:], workers, interruption)
    if code:
        raise typer.Exit(code)
    return True


def team_of_cluster(loaded: Loaded, interruption: Interruption, stack: ExitStack) -> Team | None:
    """Return the other workers of the first one; None where it trains alone.

    A worker that is not the first trains here until the end, and the process ends.

    Raises:
        typer.Exit: this worker was not the first, and has trained.
        MltrainError: it could not.
    """
    cluster = described(os.environ)
    if cluster is None:
        return None
    from mltrain.procedures.following import follow
    from mltrain.workers.team import Team

    listening = os.environ.get(LISTENING)
    own = None if listening is None else socket.socket(fileno=int(listening))
    team = Team.of(cluster, own, interruption.raise_if_received, interruption.receive)
    if cluster.rank == 0:
        return stack.enter_context(team)
    with team:
        follow(loaded, team, interruption)
    raise typer.Exit


def announced(print_run: Callable[[LockedRun, Loaded | None], object] | None) -> Announce:
    """Return what is done with a run that begins: it is printed, and the launcher learns where it is."""

    def announce(run: LockedRun, loaded: Loaded | None) -> None:
        if print_run is not None:
            print_run(run, loaded)
        if known := os.environ.get(RUN_FILE):
            Path(known).write_text(str(run.path.absolute()), encoding="utf-8")

    return announce
