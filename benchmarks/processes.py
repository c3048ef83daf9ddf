"""Commands as processes of their own: their seconds, and the most memory that each had.

As a program it is the launcher of one: Linux starts the count of a process's memory with that of the process that it
was forked from, so what launches it must be small, and a benchmark that has just made its data is not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Attributes:
        seconds: from its start to its end.
        megabytes: of memory at its largest, resident, in 2**20 bytes.
    """

    seconds: float
    megabytes: float


def cost(*arguments: str) -> Cost:
    """Run Python with `arguments` to its end.

    Raises:
        SystemExit: it failed; with what it said.
    """
    launcher = [sys.executable, __file__, *arguments]
    done = subprocess.run(launcher, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    seconds, kilobytes = done.stdout.split()
    return Cost(float(seconds), int(kilobytes) / 1024)


def command(*arguments: str) -> Callable[[], float]:
    """Return an action that runs Python with `arguments` and returns its seconds."""
    return lambda: cost(*arguments).seconds


class FreshRuns:
    """Runs `mltrain train` again and again, each into a directory of its own below one place."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._number = 0

    def train(self, config: Path, *options: str) -> Cost:
        """Train, and return what it took."""
        self._number += 1
        return cost("-m", "mltrain", "train", str(config), "--quiet", "--run-dir", str(self.last), *options)

    @property
    def last(self) -> Path:
        """The newest run directory."""
        return self._place / f"run-{self._number}"


def _launch() -> None:
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # of this child alone
    print(time.perf_counter() - started, usage.ru_maxrss)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    _launch()
