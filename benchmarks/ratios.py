"""How these benchmarks measure: ways of doing one thing, in turns, and the ratio of their times.

A number is always `reference ÷ mltrain`, of seconds or of bytes: more is better, and 1 is as good as the reference.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from mltrain.run.record import processor

RESAMPLES = 5_000


@dataclass(frozen=True)
class Ratio:
    """How long one thing takes, as a multiple of another: the median of the rounds, the lowest and the highest."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        work: what was done.
        reference: what it is compared with.
        at_least: what the ratio shall be; None where nothing is promised.
        measured: the ratio, or why there is none.
        results: how far what the two computed agrees, or "–".
    """

    work: str
    reference: str
    at_least: float | None
    measured: Ratio | str
    results: str = "–"

    def __str__(self) -> str:
        bound = "–" if self.at_least is None else f"{self.at_least:g}"
        below = isinstance(self.measured, Ratio) and self.at_least is not None and self.measured.median < self.at_least
        measured = f"**{self.measured}**" if below else str(self.measured)
        return f"| {self.work} | {self.reference} | {bound} | {measured} | {self.results} |"


def show(rows: Iterable[Row]) -> None:
    """Print a table, each row as soon as it is measured; what is below its bound stands out."""
    print("| work | reference | at least | reference ÷ mltrain | results |\n|---|---|---|---|---|", flush=True)
    for row in rows:
        print(row, flush=True)


def quick(description: str | None) -> bool:
    """Read the command line of one part: whether it shall be quick."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small data and few rounds: to see that it runs")
    return bool(parser.parse_args().quick)


def in_turns(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each action in each round.

    Every round runs every action once, so that what else the machine does meets all of them, and every other round
    runs them backwards, so that a machine that grows slower favours none. One more round goes before, unmeasured: it
    fills the disk cache, and compiles. An action that measures itself returns its seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name in list(actions) if number % 2 else list(actions)[::-1]:
            started = time.perf_counter()
            own = actions[name]()
            took = own if isinstance(own, float) else time.perf_counter() - started
            if number:
                seconds[name].append(took)
    return seconds


def ratio(seconds: Sequence[float], of: Sequence[float]) -> Ratio:
    """Return `seconds` as a multiple of `of`, round by round."""
    ratios = [mine / theirs for mine, theirs in zip(seconds, of, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def interval(seconds: Sequence[float], of: Sequence[float], confidence: float = 0.95) -> Ratio:
    """Return `seconds` as a multiple of `of`, with an interval in place of the lowest and the highest.

    The rounds are pairs. The interval is the percentile bootstrap of the median of their log ratios (Efron &
    Tibshirani, An Introduction to the Bootstrap, chapter 13); where 1 is inside, no difference was seen.
    """
    logs = [math.log(mine / theirs) for mine, theirs in zip(seconds, of, strict=True)]
    draws = random.Random(0)  # noqa: S311 (no secret: the same pairs give the same interval)
    medians = sorted(statistics.median(draws.choices(logs, k=len(logs))) for _ in range(RESAMPLES))
    tail = int(RESAMPLES * (1 - confidence) / 2)
    low, high = medians[tail], medians[RESAMPLES - 1 - tail]
    return Ratio(math.exp(statistics.median(logs)), math.exp(low), math.exp(high))


def machine() -> str:
    """Return what measured: ratios change with it."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow", "keras", "numpy"))
    return f"{len(os.sched_getaffinity(0))} cores of {processor()}, Python {platform.python_version()}, {versions}"
