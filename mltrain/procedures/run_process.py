"""A process that trains one run of a folder: how it is started, and how it ended. No TensorFlow here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mltrain.config.load import Loaded
from mltrain.errors import FailedRunError, InterruptedRunError, MltrainError, WorkerError
from mltrain.procedures.folder_training import FolderRequest
from mltrain.procedures.run_job import RunJob
from mltrain.procedures.worker_processes import own_python
from mltrain.run.durable import growing_file, make_directories
from mltrain.training.signals import held_back
from mltrain.wording import counted

_SHOWN_LINES = 3
_LONGEST_SHOWN = 2000


class RunProcess:
    """A process that trains a run, which has begun.

    Args:
        request: what the command asks for.
        number: of the fold or the seed.
        loaded: its config.
        launcher: the descriptor of a pipe that ends with the command.

    Attributes:
        number: of the fold or the seed.
        path: of the run.
        log: the file of what it says.

    Raises:
        WriteError: its log cannot be written.
        WorkerError: there can be no such process.
    """

    def __init__(self, request: FolderRequest, number: int, loaded: Loaded, launcher: int) -> None:
        self.number, self.path = number, request.folder.run(number)
        self._which, self._advice = request.which(number), request.advice
        self.log = request.folder.log(number)
        self._began = time.monotonic()
        self._told, self._kept = False, ExitStack()
        make_directories(self.log.parent)
        with ExitStack() as stack:
            log = growing_file(self.log)
            stack.callback(os.close, log)
            self._log_began = os.fstat(log).st_size
            job = stack.enter_context(tempfile.TemporaryFile())
            job.write(_job(request, self.path, loaded, launcher).as_text().encode())
            job.seek(0)
            self._answer = self._kept.enter_context(tempfile.TemporaryFile())
            program = [*own_python(), "mltrain.cli.one_of_folder", str(self.path), "--json"]
            try:
                with held_back():
                    self._process = subprocess.Popen(  # noqa: S603 - this program, with nothing of the user's but a path
                        program,
                        # A GPU is shared: without this, TensorFlow would take all of its memory for the first process.
                        env={"TF_FORCE_GPU_ALLOW_GROWTH": "true", **os.environ},
                        pass_fds=(launcher,),
                        stdin=job,
                        stdout=self._answer,
                        stderr=log,
                        start_new_session=True,  # Ctrl-C comes to the command alone
                    )
            except OSError as error:  # no memory, or too many processes
                raise WorkerError(f"{self._which}: cannot start a process: {error.strerror}; {self._advice}") from error

    @property
    def has_ended(self) -> bool:
        """Whether it has."""
        return self._process.poll() is not None

    @property
    def seconds(self) -> float:
        """For how long it has been there."""
        return time.monotonic() - self._began

    @property
    def warnings(self) -> int:
        """How many warnings it has said."""
        return sum(line.startswith("warning: ") for line in self._said())

    def tell(self, number: int) -> None:
        """Send it a signal, once: it writes a checkpoint and ends."""
        told, self._told = self._told, True
        if not told and not self.has_ended:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, if it has not ended, and forget it."""
        if not self.has_ended:
            self._process.kill()
        self._process.wait()
        self._kept.close()

    def error(self) -> MltrainError | None:
        """Return how it ended; None where the run is finished. An InterruptedRunError where a signal has ended it."""
        code = self._process.wait()
        found = self._described()
        self._kept.close()
        if code == 0:
            return None
        sent = -code if code < 0 else code - 128
        if sent in (signal.SIGINT, signal.SIGTERM) and (found or self._told):
            message = f"stopped by {signal.Signals(sent).name}" if found is None else str(found["message"])
            return InterruptedRunError(message, sent)
        if found is not None and code > 0:
            return FailedRunError(
                str(found["message"]), code, found.get("problems", ()), traceback=found.get("traceback")
            )
        return WorkerError(f"{self._which} ({self.path}) {self._how(code)}; {self._advice}")

    def _how(self, code: int) -> str:
        how = f"ended with exit code {code}" if code > 0 else f"was ended by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            how += ", as the system does it where memory is short (fewer runs at once need less)"
        lines = self._said()[-_SHOWN_LINES:]
        return f"{how}; its last {counted(len(lines), 'line')}: {' | '.join(lines)}" if lines else how

    def _said(self) -> list[str]:
        """Return what it has said, by lines."""
        with self.log.open("rb") as file:
            file.seek(self._log_began)
            return file.read().decode("utf-8", "replace").splitlines()

    def _described(self) -> dict[str, Any] | None:
        """Return the error that it has described; None where it has none, or could not."""
        self._answer.seek(0)
        *_, last = self._answer.read().decode("utf-8", "replace").splitlines() or [""]
        try:
            error = json.loads(last)["error"]
        except (ValueError, KeyError, TypeError):
            return None
        return error if isinstance(error, dict) and "message" in error else None


def _job(request: FolderRequest, path: Path, loaded: Loaded, launcher: int) -> RunJob:
    return RunJob(
        config=loaded.text,
        path=None if loaded.path is None else str(loaded.path),
        overrides=loaded.overrides,
        gates=request.gates,
        plugins=tuple(map(str, request.plugins)),
        folder=str(request.folder.path),
        run=str(path),
        command=request.command,
        launcher=launcher,
        allow_inexact=request.allow_inexact,
        verify_export=request.verify_export,
        profile=request.profile,
    )
