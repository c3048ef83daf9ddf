"""Several workers on this machine, under one process: it owns their output, their signals, and the exit code."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from mltrain.errors import WorkerError
from mltrain.run.durable import make_directory, write_file
from mltrain.run.layout import WORKERS
from mltrain.training.signals import Interruption
from mltrain.workers.cluster import LISTENING, RUN_FILE, VARIABLE, Cluster

# Workers that are left when one is lost end by themselves; who does not is ended.
_LEAVES_WITHIN = 10.0
_SHOWN_LINES = 12


def launch(command: Sequence[str], count: int, interruption: Interruption) -> int:
    """Run a command in several processes that train together, and return the exit code of the first.

    The output of the first is that of the command. The others write logs, which are in `workers/` of the run.

    Raises:
        WorkerError: a worker was lost.
    """
    with ExitStack() as stack:
        stack.enter_context(interruption.deferred())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mltrain-workers-")))
        listening = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2 * count)) for _ in range(count)
        ]
        addresses = tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in listening)
        secret = secrets.token_hex(16)
        processes: list[subprocess.Popen[bytes]] = []
        for rank, own in enumerate(listening):
            cluster = Cluster(rank, addresses, secret, f"--workers {count}", on_machine=count)
            log = None if rank == 0 else stack.enter_context((folder / f"worker-{rank}.log").open("wb"))
            environment = {
                **os.environ,
                VARIABLE: cluster.as_text(),
                LISTENING: str(own.fileno()),
                RUN_FILE: str(folder / "run"),
            }
            processes.append(
                subprocess.Popen(  # noqa: S603 - the command line of this process, again
                    [sys.executable, "-m", "mltrain", *command],
                    env=environment,
                    pass_fds=(own.fileno(),),
                    stdin=None if rank == 0 else subprocess.DEVNULL,
                    stdout=None if rank == 0 else log,
                    stderr=None if rank == 0 else log,
                    start_new_session=True,  # Ctrl-C comes here alone
                )
            )
        for own in listening:
            own.close()
        try:
            return _end_of(processes, interruption, folder)
        finally:
            _end_all(processes)
            _keep_logs(folder)


def _end_of(processes: Sequence[subprocess.Popen[bytes]], interruption: Interruption, folder: Path) -> int:
    """Wait for the end of the first worker, and hand signals on to it.

    Raises:
        WorkerError: another one has ended before, or was ended by a signal.
    """
    told = False
    while True:
        if interruption.received is not None and not told:
            told = True
            processes[0].send_signal(interruption.received)
        first = processes[0].poll()
        if first is not None:
            break
        time.sleep(0.05)
    lost = _lost(processes, first)
    if lost is None:
        return first
    rank, code = lost
    what = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    log = folder / f"worker-{rank}.log"
    lines = log.read_text("utf-8", "replace").splitlines()[-_SHOWN_LINES:] if log.exists() else []
    last = f"; its last lines: {' | '.join(lines)}" if lines else ""
    raise WorkerError(f"worker {rank} of {len(processes)} {what}{last}")


def _lost(processes: Sequence[subprocess.Popen[bytes]], first: int) -> tuple[int, int] | None:
    """Return the rank and the exit code of the worker that ended the training; None where it is the first, which has
    said why."""
    if first < 0:
        return 0, first
    if first != WorkerError.exit_code:
        return None
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        ended = [(rank, each.poll()) for rank, each in enumerate(processes[1:], start=1)]
        own = [(rank, code) for rank, code in ended if code not in (None, 0, WorkerError.exit_code)]
        if own:
            rank, code = own[0]
            return rank, int(code or 0)
        time.sleep(0.05)
    return None


def _end_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _LEAVES_WITHIN / 2
    for each in processes:
        try:
            each.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.kill()
            each.wait()


def _keep_logs(folder: Path) -> None:
    """Put the logs of the other workers into the run."""
    known = folder / "run"
    if not known.exists():
        return
    target = Path(known.read_text(encoding="utf-8")) / WORKERS
    if target.parent.is_dir():
        make_directory(target)
        for log in sorted(folder.glob("worker-*.log")):
            write_file(target / log.name, log.read_bytes())
