"""`--workers N`, and a worker of it."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mltrain.workers.cluster import (
    FOLDER,
    LAUNCHER,
    LISTENING,
    LOST_FILE,
    RESTARTED,
    RUN_FILE,
    TAKEN_UP,
    VARIABLE,
    described,
)

if TYPE_CHECKING:
    from mltrain.config.load import Loaded
    from mltrain.config.plugins import Plugins
    from mltrain.experiment.spec import ExperimentSpec
    from mltrain.procedures.train import Announce
    from mltrain.procedures.worker_processes import Surroundings, WorkerProcess
    from mltrain.run.locked_run import LockedRun
    from mltrain.training.signals import Interruption
    from mltrain.workers.team import Team


def refuse_workers(workers: int | None, *, from_stdin: bool = False, seeds: bool = False) -> None:
    """Refuse several workers where they cannot be.

    Raises:
        UsageError: says why.
    """
    from mltrain.errors import UsageError

    several = workers is not None and workers > 1
    if seeds or workers is not None:
        refuse_within_cluster("--seeds" if seeds else "--workers")
    if several and seeds:
        raise UsageError("--seeds and --workers were both given: train the seeds one after another, without --workers")
    if several and from_stdin:
        raise UsageError(
            "several workers (--workers, or several devices) need a config in a file: each worker reads it, and stdin "
            "can be read only once"
        )


def refuse_within_cluster(what: str) -> None:
    """Refuse what this machine does by itself where a scheduler has started workers on several.

    Args:
        what: `--workers`, or a command.

    Raises:
        UsageError: this process is one of them.
    """
    from mltrain.errors import UsageError

    cluster = None if is_launched() else described(os.environ)
    if cluster is not None:
        raise UsageError(
            f"{what} does not go with the {cluster.count} workers that {cluster.source} describes, of which this "
            f"process is one: unset the variables of {cluster.source}, or leave it out"
        )


def refuse_restarts(workers: int | None, restarts: int) -> None:
    """Refuse `--restarts` where one process trains.

    Raises:
        UsageError: it does.
    """
    from mltrain.errors import UsageError

    if restarts and (workers is None or workers == 1) and described(os.environ) is None:
        raise UsageError(
            "--restarts needs --workers N with N of at least 2, or several devices: a process alone has nobody to lose"
        )


def is_launched() -> bool:
    """Return whether this process is a worker that the launcher has started."""
    return VARIABLE in os.environ


def is_worker(workers: int | None = None) -> bool:
    """Return whether somebody else has started this process as one of several workers."""
    return is_launched() or (workers is None and described(os.environ) is not None)


@dataclass(frozen=True)
class Many:
    """Workers that are asked for.

    Attributes:
        count: how many; None for none.
        stated: on the command line; None where the devices say how many.
        experiment: returns what is trained, so that its data are read once; None leaves that to each worker.
    """

    count: int | None
    stated: int | None
    experiment: Callable[[], ExperimentSpec | None]


def launched(asked: Many, restarts: int, interruption: Interruption) -> bool:
    """Start workers, and wait for their end; False where this process is the one that trains.

    Args:
        asked: the workers.
        restarts: how often they are started again where one is lost.
        interruption: of this process.

    Raises:
        typer.Exit: with the exit code of the first worker.
        WorkerError: a worker was lost.
    """
    if is_launched() or asked.count is None or asked.count == 1:
        return False
    from mltrain.procedures.launching import Launched, launch

    with interruption.deferred():
        start = _starting(asked.experiment)
    interruption.raise_if_received()
    why = "one for each device" if asked.stated is None else f"--workers {asked.count}"
    team = Launched(asked.count, why, start)
    code = launch(team, restarts, interruption, lambda words: typer.echo(f"warning: {words}", err=True))
    if code:
        raise typer.Exit(code)
    return True


def _starting(experiment: Callable[[], ExperimentSpec | None]) -> Callable[[Surroundings], WorkerProcess]:
    """Return what starts a worker."""
    from mltrain.cli.app import is_the_process, main
    from mltrain.procedures.worker_processes import forked, may_fork, spawned

    if not (may_fork() and is_the_process()):
        return lambda given: spawned(sys.argv[1:], given)
    from mltrain.procedures.data_of_launcher import read_for_workers
    from mltrain.tensorflow_start import start_tensorflow

    start_tensorflow()  # 2 to 5 s, once for all
    read_for_workers(experiment)
    return lambda given: forked(main, given)


def team_of_cluster(
    loaded: Loaded | None, plugins: Plugins, restarts: int, interruption: Interruption, stack: ExitStack, *, quiet: bool
) -> Team | None:
    """Return the other workers of the first one; None where it trains alone.

    A worker that is not the first trains here until the end, and the process ends.

    Args:
        loaded: the experiment; None where the first worker has it.
        plugins: with which it is read.
        restarts: how often this process starts again where a worker is lost, if no launcher does it.
        interruption: of this process.
        stack: on which the team of the first worker leaves.
        quiet: whether another worker says nothing.

    Raises:
        typer.Exit: this worker was not the first, and has trained.
        MltrainError: it could not.
    """
    cluster = described(os.environ)
    if cluster is None:
        return None
    from mltrain.procedures.end_of_command import stop_when_the_command_is_gone
    from mltrain.procedures.following import follow
    from mltrain.workers.team import Team

    launcher_is_gone = threading.Event()
    if pipe := os.environ.get(LAUNCHER):
        launcher_is_gone = stop_when_the_command_is_gone(int(pipe), interruption, at_the_second=False)
    if cluster.rank == 0:
        stack.callback(_tidy_up, launcher_is_gone)
    listening = os.environ.get(LISTENING)
    own = None if listening is None else socket.socket(fileno=int(listening))
    stack.enter_context(_when_one_is_lost(restarts, interruption, first=cluster.rank == 0))
    team = stack.enter_context(Team.of(cluster, own, interruption.raise_if_received, interruption.receive))
    if cluster.rank == 0:
        return team
    if not (quiet or is_launched()):  # it has a terminal or a log of its own, which would be empty
        first = cluster.addresses[0]
        typer.echo(
            f"worker {cluster.rank} of {cluster.count}: trains with worker 0 at {first}, which writes the run", err=True
        )
    follow(loaded, plugins, team, interruption)
    team.leave()
    raise typer.Exit


def taken_up() -> Path | None:
    """Return the run that is resumed after a worker was lost; None where it is the first time."""
    path = os.environ.get(TAKEN_UP)
    return None if path is None else Path(path)


def announced(print_run: Callable[[LockedRun, Loaded | None], object] | None) -> Announce:
    """Return what is done with a run that begins: it is printed, and the launcher learns where it is."""

    def announce(run: LockedRun, loaded: Loaded | None) -> None:
        if print_run is not None and taken_up() is None:
            print_run(run, loaded)
        if known := os.environ.get(FOLDER):
            (Path(known) / RUN_FILE).write_text(str(run.path.absolute()), encoding="utf-8")
        elif described(os.environ) is not None:
            os.environ[TAKEN_UP] = str(run.path.absolute())  # for this process, where it starts again

    return announce


@contextmanager
def _when_one_is_lost(restarts: int, interruption: Interruption, *, first: bool) -> Iterator[None]:
    """Leave it to the launcher to say that a worker is lost, which knows how. Without one, start this process again.

    Raises:
        typer.Exit: a worker is lost, and the launcher will say so.
        WorkerError: a worker is lost, and no restart is left.
    """
    from mltrain.errors import WorkerError, WorkersDifferError

    try:
        yield
    except WorkersDifferError:
        raise
    except WorkerError as error:
        folder, began = os.environ.get(FOLDER), int(os.environ.get(RESTARTED, "0"))
        if folder is not None and first:
            (Path(folder) / LOST_FILE).write_text(str(error), encoding="utf-8")
            raise typer.Exit(error.exit_code) from error
        if folder is not None or began >= restarts or interruption.received is not None:
            raise
        left = restarts - began - 1
        typer.echo(f"warning: {error}; this worker starts again, and waits for the others ({left} left)", err=True)
        os.environ[RESTARTED] = str(began + 1)
        from mltrain.procedures.worker_processes import own_python

        again = [*own_python(), "mltrain", *sys.argv[1:]]
        os.execv(sys.executable, again)  # noqa: S606 - the command line of this process, again


def _tidy_up(launcher_is_gone: threading.Event) -> None:
    """Do what the launcher would do at its end, where it is gone."""
    folder = os.environ.get(FOLDER)
    if folder is not None and launcher_is_gone.is_set():
        from mltrain.errors import WriteError
        from mltrain.procedures.launching import keep_logs
        from mltrain.run.durable import remove_tree

        with suppress(WriteError):  # how the training ended counts
            keep_logs(Path(folder))
            remove_tree(Path(folder))
