"""Several workers in the fork server: the launcher forks them, instead of starting Python and TensorFlow for each.

What is left out is the import alone. The launcher, its signals and pipes, the sockets, the processes, and how they end
are those of `mltrain train --workers N`; `tests/procedures/test_launching.py` has the same with real starts.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mltrain.procedures import launching
from mltrain.workers.cluster import VARIABLE

# The arguments behind `python -m mltrain`.
_ARGUMENTS = 3
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


class ForkedWorker:
    """What the launcher needs of `subprocess.Popen`, by a fork.

    Args:
        plan: what shall happen.
        be_mltrain: is called in the new process with what happens to it, and whether what it does is counted; it never
            returns.
        started: the ranks that were started so far.
        command: with the arguments of mltrain.
        options: of `subprocess.Popen`.
    """

    def __init__(
        self,
        plan: Plan,
        be_mltrain: BeMltrain,
        started: list[int],
        command: Sequence[str],
        **options: Any,
    ) -> None:
        self._plan = plan
        self._rank = json.loads(options["env"][VARIABLE])["rank"]
        self._start = started.count(self._rank)
        started.append(self._rank)
        self.returncode: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _as_started(command, **options)
            happens = plan.happens_to(self._start, self._rank)
            if "from_start" in happens:
                timer = threading.Timer(happens["from_start"], self._die)
                timer.daemon = True
                timer.start()
            be_mltrain(happens, plan.counts(self._start, self._rank))

    def poll(self) -> int | None:
        """Return how it has ended; None while it runs."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int | None:
        """Return how it has ended, once it has."""
        return self._ended(0)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, options: int) -> int | None:
        if self.returncode is None:
            process, status = os.waitpid(self.pid, options)
            if process:
                self.returncode = os.waitstatus_to_exitcode(status)
                self._plan.note("gone", self._start, self._rank)
        return self.returncode

    def _die(self) -> None:
        self._plan.note("killed", self._start, self._rank)
        os.kill(os.getpid(), signal.SIGKILL)


def fork_workers(request: Mapping[str, Any], be_mltrain: BeMltrain) -> None:
    """Let the launcher of this process fork its workers."""
    forked = partial(ForkedWorker, Plan.of(request), be_mltrain, [])
    launching.subprocess = SimpleNamespace(Popen=forked, DEVNULL=subprocess.DEVNULL)


def _as_started(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    pass_fds: Sequence[int],
    stdin: Any,
    stdout: Any,
    stderr: Any,
    start_new_session: bool,
) -> None:
    """Make of a forked process what `subprocess.Popen` would have started, but for the program."""
    assert start_new_session
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if stdin is not None:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for place, stream in ((1, stdout), (2, stderr)):
        if stream is not None:
            os.dup2(stream.fileno(), place)
    for file in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
        if file > 2 and file not in pass_fds:
            with suppress(OSError):
                os.close(file)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["mltrain", *command[_ARGUMENTS:]]
