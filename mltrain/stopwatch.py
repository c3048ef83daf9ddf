"""Where the time of a process goes: every moment from its start belongs to exactly one phase."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PhaseName = Literal[
    "start-up",
    "importing TensorFlow",
    "reading the data",
    "data audit",
    "building the model",
    "measuring the pace",
    "finding the learning rate",
    "tracing",
    "steps",
    "validation",
    "callbacks",
    "checkpoints",
    "history and terminal",
    "measuring the splits",
    "baselines",
    "diagnosis",
    "explanation",
    "model.keras",
    "plots",
    "report",
    "self-check",
    "verifying model.keras",
    "run files",
    "other",
]


@dataclass
class Lap:
    """What went into a phase so far.

    Attributes:
        seconds: its own, without those of the phases inside it.
        times: how often it began.
    """

    seconds: float = 0.0
    times: int = 0


class NoStopwatch:
    """A stopwatch that does nothing."""

    def turn_to(self, phase: PhaseName) -> None:
        """End the current phase, and begin another."""

    def phase(self, phase: PhaseName) -> AbstractContextManager[None]:
        """Return a context that is a phase of its own; the time inside is not that of the phase around it."""
        return nullcontext()

    def laps(self) -> dict[PhaseName, Lap]:
        """Return what went into each phase until now, in the order in which they first began; empty without times."""
        return {}


class Stopwatch(NoStopwatch):
    """Runs from the start of the process, in the phase "start-up"."""

    def __init__(self) -> None:
        self._since = time.perf_counter() - _age()
        self._phase: PhaseName = "start-up"
        self._laps: dict[PhaseName, Lap] = {self._phase: Lap(times=1)}

    def turn_to(self, phase: PhaseName) -> None:
        """End the current phase, and begin another."""
        self._switch(phase)
        self._laps[phase].times += 1

    @contextmanager
    def phase(self, phase: PhaseName) -> Iterator[None]:
        """Begin a phase; afterwards the one around it continues."""
        around = self._phase
        self.turn_to(phase)
        try:
            yield
        finally:
            self._switch(around)

    def laps(self) -> dict[PhaseName, Lap]:
        """Return what went into each phase until now, in the order in which they first began."""
        self._switch(self._phase)
        return self._laps

    def _switch(self, phase: PhaseName) -> None:
        now = time.perf_counter()
        self._laps[self._phase].seconds += now - self._since
        self._since, self._phase = now, phase
        self._laps.setdefault(phase, Lap())


NO_STOPWATCH = NoStopwatch()


def _age() -> float:
    """Return the seconds since this process was started: what Python and the first imports took."""
    if sys.platform != "linux":
        return time.process_time()  # what it has computed: until now it has waited for little else
    # The name of the program, in parentheses, may hold spaces; of the fields behind it, the start is the twentieth.
    fields = Path("/proc/self/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
