"""A fork server: TensorFlow is imported once, and every request is the real `main()` in a child of its own.

A child costs milliseconds instead of the seconds of an import, is a process that can be killed, and shares nothing with
the next one: the server itself never runs an operation of TensorFlow, so that it can be forked. One JSON object a line
comes in on stdin; one goes out on stdout when its child has ended.

    python -m tests.torture.server
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import selectors
import shutil
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from mltrain.cli.app import main
from mltrain.run import durable
from mltrain.tensorflow_start import start_tensorflow
from tests.flushes import leave_flushing_to_the_system
from tests.torture.forked_workers import fork_workers

_COUNTS = struct.Struct("qqd")
_ERRORS = {"enospc": errno.ENOSPC, "eio": errno.EIO}
_SIGNALS = ("SIGINT", "SIGTERM", "SIGKILL")
_PARENT_DEATH_SIGNAL = 1


class Counts:
    """What a child leaves in memory that it shares with the server: also when it is killed."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _COUNTS.size)
        self.operations = self.chunks = 0
        self.seconds = 0.0

    def store(self) -> None:
        self._memory[:] = _COUNTS.pack(self.operations, self.chunks, self.seconds)

    def load(self) -> dict[str, Any]:
        operations, chunks, seconds = _COUNTS.unpack(self._memory[:])
        return {"operations": operations, "chunks": chunks, "seconds": seconds}


class Faults:
    """Stands in the seam of `durable.perform`: counts the operations, and does at the n-th what was asked for.

    `torn` writes half of a write, and dies; `short` writes half of it; `enospc` and `eio` fail
    once, with `for_good` from then on, as a full disk does; a signal is sent before it. `kinds` is a file for the name
    of each operation.
    """

    def __init__(self, request: dict[str, Any], counts: Counts) -> None:
        self._kind: str | None = request.get("fault")
        self._at: int = request.get("at", 0)
        self._for_good: bool = request.get("for_good", False)
        self._within: str | None = request.get("within")
        self._kinds: str | None = request.get("kinds")
        self._counts = counts

    def perform(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if self._within is not None and operation.__name__ != self._within:
            return operation(*arguments, **options)
        self._counts.operations += 1
        self._counts.store()
        number = self._counts.operations
        if self._kinds is not None:
            with open(self._kinds, "a") as file:  # noqa: PTH123
                file.write(f"{operation.__name__}\n")
        if number == self._at or (self._for_good and number > self._at):
            if self._kind in _SIGNALS:
                os.kill(os.getpid(), getattr(signal, self._kind))
            if self._kind in _ERRORS:
                raise OSError(_ERRORS[self._kind], os.strerror(_ERRORS[self._kind]))
            if self._kind == "inside" and operation is shutil.rmtree:
                return _killed_midway(*arguments, **options)
            if self._kind in ("short", "torn") and operation is os.write:
                file, data = arguments
                written = os.write(file, data[: max(len(data) // 2, 1)])
                if self._kind == "torn":
                    os.kill(os.getpid(), signal.SIGKILL)
                return written
        return operation(*arguments, **options)


def _killed_midway(name: str, *, dir_fd: int) -> None:
    """Remove one of the files of a directory, and die."""
    directory = os.open(name, os.O_RDONLY, dir_fd=dir_fd)
    os.unlink(min(os.listdir(directory)), dir_fd=directory)  # noqa: PTH208 (Path knows no directory handles)
    os.kill(os.getpid(), signal.SIGKILL)


def _watch_training(request: dict[str, Any], counts: Counts) -> None:
    """Count the chunks of steps and their time; kill the process some time after the first one, if that was asked."""
    from mltrain.training.loop import CompiledSteps

    epoch, run = CompiledSteps.epoch, CompiledSteps.run
    began: list[float] = []

    def begin() -> None:
        began.append(time.monotonic())
        if "after" in request:
            timer = threading.Timer(request["after"], os.kill, (os.getpid(), signal.SIGKILL))
            timer.daemon = True
            timer.start()

    def watched(*arguments: Any, **options: Any) -> Iterator[int]:
        for done in epoch(*arguments, **options):
            counts.chunks += 1
            if began:
                counts.seconds = time.monotonic() - began[0]
            counts.store()
            yield done
            # Only now is the checkpoint of the first chunk written, where there is one to write.
            if not began:
                begin()

    def followed(*arguments: Any, **options: Any) -> None:
        """Run the steps that another worker names."""
        run(*arguments, **options)
        if not began:
            begin()

    CompiledSteps.epoch, CompiledSteps.run = watched, followed


def _without_pictures() -> None:
    """Leave out the drawing, which takes as long as the rest of a small run."""
    from mltrain.procedures import results

    results.draw = lambda *arguments: [("loss", b"no picture")]


def _child(request: dict[str, Any], counts: Counts) -> None:
    """Be `mltrain` with the arguments of the request; never returns."""
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    for descriptor, name in ((1, request["out"]), (2, request["err"])):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(file, descriptor)
        os.close(file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(request["cwd"])
    sys.argv = ["mltrain", *request["arguments"]]
    _without_pictures()
    if "--workers" in request["arguments"]:
        # What is asked for happens to one of the workers that this process launches, and what it does is counted.
        fork_workers(request, lambda happens, counted: _be_mltrain(happens, counts if counted else Counts()))
        _end(main)
    _be_mltrain(request, counts)


def _be_mltrain(happens: dict[str, Any], counts: Counts) -> None:
    durable.perform = Faults(happens, counts).perform
    _watch_training(happens, counts)
    _end(main)


def _end(command: Callable[[], object]) -> None:
    code = 1
    try:
        command()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 (none may reach the server's own code)
        traceback.print_exc()
    finally:
        # As at the end of an interpreter, but for the atexit handlers that the server has registered.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve() -> None:
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    reading = os.fdopen(0, "rb", buffering=0, closefd=False)
    children: dict[int, tuple[dict[str, Any], Counts, int]] = {}
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    while True:
        for key, _ in selector.select():
            if key.fd == 0:
                line = reading.readline()
                if not line:
                    return
                request, counts = json.loads(line), Counts()
                process = os.fork()
                if not process:
                    _child(request, counts)
                handle = os.pidfd_open(process)
                selector.register(handle, selectors.EVENT_READ)
                children[handle] = (request, counts, process)
            else:
                request, counts, process = children.pop(key.fd)
                code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                selector.unregister(key.fd)
                os.close(key.fd)
                answers.write(json.dumps({"id": request["id"], "code": code, **counts.load()}) + "\n")


def _import_all() -> None:
    """Import what a run imports, and run nothing."""
    start_tensorflow()
    import sklearn.metrics  # noqa: F401

    from mltrain.cli.commands import program

    program()  # imports every command
    import mltrain.data.preparation
    import mltrain.procedures.follower
    import mltrain.procedures.following
    import mltrain.procedures.results
    import mltrain.procedures.resume
    import mltrain.procedures.train
    import mltrain.report.plots
    import mltrain.training.devices  # noqa: F401


if __name__ == "__main__":
    leave_flushing_to_the_system()
    _import_all()
    sys.stdout.write("{}\n")  # ready
    sys.stdout.flush()
    _serve()
