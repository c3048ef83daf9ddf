"""How these benchmarks measure: two ways of doing one thing, in turns, and the ratio of their times."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata

from mltrain.run.record import processor


@dataclass(frozen=True)
class Ratio:
    """How long one thing takes, as a multiple of another: the median of the rounds, the lowest and the highest."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def in_turns(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each action in each round.

    Every round runs every action once, so that what else the machine does meets all of them. One more round goes
    before, unmeasured: it fills the disk cache.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: list[float], of: list[float]) -> Ratio:
    """Return `seconds` as a multiple of `of`, round by round."""
    ratios = [mine / theirs for mine, theirs in zip(seconds, of, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def machine() -> str:
    """Return what measured: ratios change with it."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("mltrain", "tensorflow", "keras", "numpy"))
    return f"{len(os.sched_getaffinity(0))} cores of {processor()}, Python {platform.python_version()}, {versions}"
