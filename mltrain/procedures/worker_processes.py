"""The processes of several workers. Each runs the command line of this one: forked from it, or started anew."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, Protocol

from mltrain.training.signals import SIGNALS, held_back

# A driver of GPUs is in use from the import of TensorFlow on, and cannot be forked.
DRIVERS = ("/dev/nvidiactl", "/dev/kfd")


class WorkerProcess(Protocol):
    """A process that was started."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """Return its exit code, or the negative number of the signal that has ended it; None while it runs."""

    def wait(self) -> int:
        """Wait for its end, and return the same."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it runs."""

    def kill(self) -> None:
        """End it, if it runs."""


@dataclass(frozen=True)
class Surroundings:
    """What a worker has of this process.

    Attributes:
        environment: all variables.
        kept: descriptors that it uses.
        closed: those that it must not hold.
        log: where its output goes, with nothing to read; None leaves it the streams of this process.
    """

    environment: Mapping[str, str]
    kept: Sequence[int]
    closed: Sequence[int]
    log: IO[bytes] | None


def may_fork() -> bool:
    """Return whether workers can be forked from this process: what it has imported and read, each of them then has,
    too, and the machine has it once.

    A process that has computed with TensorFlow cannot be forked, as the threads of that would be missing. So this one
    must not have imported it before: a plugin or a program that calls mltrain may have done more than that.
    """
    return sys.platform == "linux" and "tensorflow" not in sys.modules and not any(map(os.path.exists, DRIVERS))


def own_python() -> list[str]:
    """Return the beginning of the command line of another process of this program.

    `python -m` finds modules in the working directory first, where the command `mltrain` does not: a `random.py` of the
    user's would take the place of Python's own.
    """
    return [sys.executable, *(() if {"", str(Path.cwd())} & set(sys.path) else ("-P",)), "-m"]


def spawned(command: Sequence[str], given: Surroundings) -> WorkerProcess:
    """Start `mltrain` with these arguments, in a process of its own."""
    with held_back():
        return subprocess.Popen(  # noqa: S603 - the command line of this process, again
            [*own_python(), "mltrain", *command],
            env=dict(given.environment),
            pass_fds=tuple(given.kept),
            stdin=None if given.log is None else subprocess.DEVNULL,
            stdout=given.log,
            stderr=given.log,
            start_new_session=True,  # Ctrl-C comes to the launcher alone
        )


def forked(run: Callable[[], NoReturn], given: Surroundings) -> WorkerProcess:
    """Fork a process that calls `run`, which ends it."""
    sys.stdout.flush()
    sys.stderr.flush()
    with held_back():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: those of OpenBLAS, which follow a fork
            number = os.fork()
        if number == 0:
            _become(run, given)
    return _Forked(number)


def _become(run: Callable[[], NoReturn], given: Surroundings) -> NoReturn:
    """Be a worker: nothing that this process does at its end or at a signal is that of the one it was forked from."""
    try:
        os.setsid()  # Ctrl-C comes to the launcher alone
        signal.set_wakeup_fd(-1)
        for each in SIGNALS:  # which are held back until `run` handles them
            signal.signal(each, signal.SIG_DFL)
        atexit._clear()
        for descriptor in given.closed:
            os.close(descriptor)
        if given.log is not None:
            nothing = os.open(os.devnull, os.O_RDONLY)
            for descriptor, stream in ((nothing, 0), (given.log.fileno(), 1), (given.log.fileno(), 2)):
                os.dup2(descriptor, stream)
        os.environ.clear()
        os.environ.update(given.environment)
        run()
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(1)


class _Forked:
    """As `subprocess.Popen`, of a process that was forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, or the negative number of the signal that has ended it; None while it runs."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int:
        """Wait for its end, and return the same."""
        code = self._ended(0)
        return 0 if code is None else code

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it, if it runs."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, options: int) -> int | None:
        if self._code is None:
            with suppress(ChildProcessError):  # asked from a signal handler, in the middle of being asked
                number, status = os.waitpid(self.pid, options)
                if number:
                    self._code = os.waitstatus_to_exitcode(status)
        return self._code
