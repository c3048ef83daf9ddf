"""Several workers in the fork server: the launcher forks them, instead of starting Python and TensorFlow for each.

What is left out is the import alone. The launcher, its signals and pipes, the sockets, the processes, and how they end
are those of `mltrain train --workers N`; `tests/procedures/test_launching.py` has the same with real starts.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mltrain.procedures import worker_processes
from mltrain.procedures.worker_processes import Surroundings, WorkerProcess
from mltrain.workers.cluster import VARIABLE

BeMltrain = Callable[[dict[str, Any], bool], None]


@dataclass(frozen=True)
class Plan:
    """What shall happen to the workers of one command.

    Attributes:
        victims: for each start of all workers the rank of one, and what happens to it: the options of a call, or
            `from_start`, the seconds from its start until SIGKILL.
        log: a file in which each worker that is killed, or has ended, gets a line.
    """

    victims: Sequence[tuple[int, dict[str, Any]]]
    log: Path | None

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Plan:
        """Return that of a request."""
        log = request.get("log")
        return cls(
            [(rank, options) for rank, options in request.get("victims", ())], None if log is None else Path(log)
        )

    def happens_to(self, start: int, rank: int) -> dict[str, Any]:
        """Return what happens to a worker of a start, counted from 0."""
        if start >= len(self.victims) or self.victims[start][0] != rank:
            return {}
        return self.victims[start][1]

    def counts(self, start: int, rank: int) -> bool:
        """Return whether what a worker does is counted: the one of the first start to which something happens."""
        return start == 0 and rank == (self.victims[0][0] if self.victims else 0)

    def note(self, what: str, start: int, rank: int) -> None:
        """Write a line, whole: several processes do it."""
        if self.log is not None:
            file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            os.write(file, f"{json.dumps([what, start, rank, time.monotonic()])}\n".encode())
            os.close(file)


class NotedWorker:
    """A worker whose end is noted.

    Args:
        process: the worker.
        note: is called once it is known to have ended.
    """

    def __init__(self, process: WorkerProcess, note: Callable[[], None]) -> None:
        self._process, self._note = process, note
        self._ended = False
        self.pid = process.pid

    def poll(self) -> int | None:
        """Return how it has ended; None while it runs."""
        return self._noted(self._process.poll())

    def wait(self) -> int | None:
        """Return how it has ended, once it has."""
        return self._noted(self._process.wait())

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it."""
        self._process.kill()

    def _noted(self, code: int | None) -> int | None:
        if code is not None and not self._ended:
            self._ended = True
            self._note()
        return code


def fork_workers(request: Mapping[str, Any], be_mltrain: BeMltrain) -> None:
    """Let the launcher of this process fork its workers, although it has imported TensorFlow: so has the server, which
    never computes with it.

    Args:
        request: with what shall happen to them.
        be_mltrain: is called in the new process with what happens to it, and whether what it does is counted; it never
            returns.
    """
    plan, started = Plan.of(request), []

    def start(command: Sequence[str], given: Surroundings) -> NotedWorker:
        rank = json.loads(given.environment[VARIABLE])["rank"]
        number = started.count(rank)
        started.append(rank)

        def die() -> None:
            plan.note("killed", number, rank)
            os.kill(os.getpid(), signal.SIGKILL)

        def run() -> NoReturn:
            happens = plan.happens_to(number, rank)
            if "from_start" in happens:
                timer = threading.Timer(happens["from_start"], die)
                timer.daemon = True
                timer.start()
            sys.argv = ["mltrain", *command]
            be_mltrain(happens, plan.counts(number, rank))
            raise AssertionError("a worker ends its process")

        return NotedWorker(worker_processes.forked(run, given), lambda: plan.note("gone", number, rank))

    worker_processes.spawned = start
