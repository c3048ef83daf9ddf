"""Several workers on this machine, under one process: it owns their output, their signals, and the exit code."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mltrain.errors import InterruptedRunError, WorkerError, WriteError
from mltrain.procedures.end_of_command import pipe_of_command
from mltrain.procedures.worker_processes import Surroundings, WorkerProcess
from mltrain.run.durable import make_directories, write_file
from mltrain.run.layout import WORKERS
from mltrain.run.rundir import RunDirectory
from mltrain.training.signals import SIGNALS, Interruption
from mltrain.workers.cluster import FOLDER, LAUNCHER, LISTENING, LOST_FILE, RUN_FILE, TAKEN_UP, VARIABLE, Cluster
from mltrain.workers.connections import listen_at

_LOOKS = 0.05
# Where one worker is lost, the others know it and end by themselves, each with the reason; who does not is stopped.
_ENDS_WITHIN = 2.5
_SHOWN_LINES = 8
# Stands in the log of a worker before what it says: one that starts again goes on in the same file.
_STARTS = "-- the worker starts --"


@dataclass(frozen=True)
class Launched:
    """The workers that are started.

    Attributes:
        count: how many.
        why: so many, as it is said and recorded: `--workers 2`.
        start: starts a process that runs the command.
    """

    count: int
    why: str
    start: Callable[[Surroundings], WorkerProcess]


def launch(team: Launched, restarts: int, interruption: Interruption, say: Callable[[str], object]) -> int:
    """Run a command in several processes that train together, and return the exit code of the first.

    The output of the first is that of the command. The others write logs, which are in `workers/` of the run.

    Args:
        team: the workers.
        restarts: how often all are started again where one is lost: from the last checkpoint, if there is a run.
        interruption: of this process.
        say: is called with a sentence where they are started again.

    Raises:
        WorkerError: a worker was lost, and no restart is left.
    """
    with interruption.deferred(), tempfile.TemporaryDirectory(prefix="mltrain-workers-") as name:
        folder = Path(name)
        while True:
            try:
                return _once(team, folder, interruption)
            except WorkerError as error:
                if not restarts or interruption.received is not None:
                    raise WorkerError(f"{error}{_advice(_run_of(folder), team)}") from error
                restarts -= 1
                (folder / LOST_FILE).unlink(missing_ok=True)
                place = "" if _run_of(folder) is None else " from the last checkpoint"
                say(f"{error}; all workers are started again{place} ({restarts} left)")


def _advice(run: Path | None, team: Launched) -> str:
    """Return how the training goes on, where there is a run."""
    if run is None or not RunDirectory(run).has_begun():
        return ""
    option = f" {team.why}" if team.why.startswith("--") else ""
    return f"; `mltrain resume {run}{option}` continues from the last checkpoint"


def _once(team: Launched, folder: Path, interruption: Interruption) -> int:
    with ExitStack() as stack:
        processes = stack.enter_context(_workers(team, folder))
        try:
            return _end_of(processes, interruption, folder)
        finally:
            for each in processes:
                if each.poll() is None:
                    each.kill()
                each.wait()
            with suppress(WriteError):  # how the training ended counts, as where a disk is full
                keep_logs(folder)


@contextmanager
def _workers(team: Launched, folder: Path) -> Iterator[list[WorkerProcess]]:
    """Start the processes; what they have of this one is closed at the end."""
    with ExitStack() as stack:
        listening, addresses = _listening(folder, team.count, stack)
        secret, taken_up = secrets.token_hex(16), _run_of(folder)
        pipe = stack.enter_context(pipe_of_command())
        logs = [None, *(stack.enter_context(_log(folder, rank).open("ab")) for rank in range(1, team.count))]
        for each in filter(None, logs):
            each.write(f"{_STARTS}\n".encode())
            each.flush()
        held = {pipe.held, *(each.fileno() for each in (*listening, *logs) if each is not None)}
        processes = []
        for rank, (own, log) in enumerate(zip(listening, logs, strict=True)):
            cluster = Cluster(rank, addresses, secret, team.why, on_machine=team.count, place=rank)
            environment = {
                **os.environ,
                VARIABLE: cluster.as_text(),
                LISTENING: str(own.fileno()),
                LAUNCHER: str(pipe.watched),
                FOLDER: str(folder),
                **({} if taken_up is None else {TAKEN_UP: str(taken_up)}),
            }
            used = {own.fileno(), pipe.watched} | ({log.fileno()} if log else set())
            processes.append(team.start(Surroundings(environment, tuple(used), tuple(held - used), log)))
        for own in listening:
            own.close()
        yield processes


def _listening(folder: Path, count: int, stack: ExitStack) -> tuple[list[socket.socket], tuple[str, ...]]:
    """Return a socket for each worker, at which the others reach it, and the addresses.

    They are files of the folder, or ports where its name is too long for one.
    """
    files = [folder.absolute() / f"worker-{rank}.socket" for rank in range(count)]
    try:
        for each in files:
            each.unlink(missing_ok=True)  # of workers that were lost
        return [stack.enter_context(listen_at(str(each), 2 * count)) for each in files], tuple(map(str, files))
    except OSError:
        free = [stack.enter_context(listen_at("127.0.0.1:0", 2 * count)) for _ in range(count)]
        return free, tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in free)


def _end_of(processes: Sequence[WorkerProcess], interruption: Interruption, folder: Path) -> int:
    """Wait for the end of the workers, hand signals on to the first, and return its exit code.

    Raises:
        InterruptedRunError: another one was stopped by a signal, before it could tell the first.
        WorkerError: another one has ended before, or one was ended by a signal.
    """
    late = None
    with interruption.told(processes[0].send_signal):
        while (code := processes[0].poll()) is None:
            if any(each.poll() not in (None, 0) for each in processes[1:]):
                late = late or time.monotonic() + _ENDS_WITHIN
                if time.monotonic() > late:  # it does not know that one is gone, or cannot say so: it may be stopped
                    raise _reason(processes, folder)
            time.sleep(_LOOKS)
    _wait_for_all(processes, code)
    if code < 0 or code == WorkerError.exit_code:
        raise _reason(processes, folder)
    return code


def _reason(processes: Sequence[WorkerProcess], folder: Path) -> InterruptedRunError | WorkerError:
    """Return why the first worker cannot train on."""
    codes = [each.poll() for each in processes]
    for number in SIGNALS:
        if 128 + number in codes:
            return InterruptedRunError(f"stopped by {signal.Signals(number).name}", number)
    return WorkerError(_lost(list(enumerate(codes)), folder))


def _wait_for_all(processes: Sequence[WorkerProcess], code: int) -> None:
    """Wait until all have ended, or had the time for it, after the first has with this code."""
    if code - 128 in SIGNALS:
        for each in processes:
            each.send_signal(code - 128)  # who is still on its way to the first has not heard of it
    deadline = time.monotonic() + _ENDS_WITHIN
    while time.monotonic() < deadline and any(each.poll() is None for each in processes):
        time.sleep(_LOOKS)


def _lost(ended: Sequence[tuple[int, int | None]], folder: Path) -> str:
    """Return which worker was lost, how, and its last lines."""
    for rank, code in ended:
        if code not in (None, 0, WorkerError.exit_code):
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            lines = _last_lines(folder, rank)
            last = f"; its last lines: {' | '.join(lines)}" if lines else ""
            return f"worker {rank} of {len(ended)} {how}{last}"
    # Nobody has ended but of that: it does not answer, and the others say so.
    said = folder / LOST_FILE
    if said.exists():
        return said.read_text(encoding="utf-8")
    words = [line for rank, code in ended if code == WorkerError.exit_code for line in _last_lines(folder, rank)[-1:]]
    return words[0].removeprefix("error: ") if words else "a worker is lost"


def _last_lines(folder: Path, rank: int) -> list[str]:
    log = _log(folder, rank)
    if not log.exists():
        return []
    said = log.read_text("utf-8", "replace").rpartition(f"{_STARTS}\n")[2]
    return said.splitlines()[-_SHOWN_LINES:]


def _log(folder: Path, rank: int) -> Path:
    return folder / f"worker-{rank}.log"


def _run_of(folder: Path) -> Path | None:
    """Return where the run is; None where it has not begun."""
    known = folder / RUN_FILE
    return Path(known.read_text(encoding="utf-8")) if known.exists() else None


def keep_logs(folder: Path) -> None:
    """Put the logs of the other workers into the run, from the folder that they share with the launcher."""
    run = _run_of(folder)
    if run is None or not run.is_dir():
        return
    make_directories(run / WORKERS)
    for log in sorted(folder.glob("worker-*.log")):
        write_file(run / WORKERS / log.name, log.read_bytes())
