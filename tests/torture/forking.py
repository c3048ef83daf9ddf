"""How tests talk to the fork server: one call, or many at once on all cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

REPOSITORY = Path(__file__).parents[2]
KILLED = -9


@dataclass(frozen=True)
class Call:
    """One command, and what shall happen to it.

    Attributes:
        arguments: of `mltrain`.
        options: for the server: `fault` with `at`, `for_good` and `within` (see its `Faults`), or `after`,
            the seconds of training until SIGKILL.
    """

    arguments: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: exit code; the negative number of the signal that killed it.
        operations: of the disk that it did.
        chunks: of steps that it trained.
        seconds: from the first of them to the last.
        out: standard output.
        err: standard error.
    """

    code: int
    operations: int
    chunks: int
    seconds: float
    out: str
    err: str


def call(*arguments: object, **options: Any) -> Call:
    """Return the call of `mltrain` with these arguments."""
    return Call(tuple(map(str, arguments)), options)


class ForkServer:
    """The server process, and the folder in which commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._calls = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.server"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,  # Ctrl-C is for the tests
            # Threads of the mathematics libraries would be there before the fork.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "80"},
        )
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def __call__(self, *arguments: object, **options: Any) -> Ended:
        """Run one command to its end."""
        (ended,) = self.all([call(*arguments, **options)])
        return ended

    def all(self, calls: Iterable[Call], at_once: int = len(os.sched_getaffinity(0))) -> list[Ended]:
        """Run commands, so many at once, and return how each ended."""
        waiting = list(enumerate(calls))
        ended: dict[int, Ended] = {}
        under_way: dict[int, int] = {}
        while waiting or under_way:
            while waiting and len(under_way) < at_once:
                place, command = waiting.pop(0)
                under_way[self._send(command)] = place
            answer = self._read()
            number = answer.pop("id")
            ended[under_way.pop(number)] = self._ended(number, answer)
        return [ended[place] for place in sorted(ended)]

    def _send(self, command: Call) -> int:
        self._calls += 1
        out, err = self._files(self._calls)
        request = {"id": self._calls, "arguments": command.arguments, "cwd": str(self.folder)}
        request |= {"out": str(out), "err": str(err), **command.options}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        return self._calls

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the fork server has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self, number: int, answer: dict[str, Any]) -> Ended:
        out, err = self._files(number)
        ended = Ended(**answer, out=out.read_text("utf-8"), err=err.read_text("utf-8"))
        out.unlink()
        err.unlink()
        return ended

    def _files(self, number: int) -> tuple[Path, Path]:
        return self.folder / f"{number}.out", self.folder / f"{number}.err"
