"""Whether one model is better than another by the means over their seeds, in words. No NumPy here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev, variance
from typing import Any, Literal

from mltrain.evaluation.metric import Direction
from mltrain.evaluation.paired import Verdict, difference_words, verdict_of
from mltrain.evaluation.student import t_quantile
from mltrain.wording import counted

# How the interval is made: of the differences of equal seeds, of two independent means, or of one run and a mean.
Way = Literal["paired by seed", "Welch", "one run"]


@dataclass(frozen=True)
class OverSeeds:
    """The seeds of one model against those of another, on the same rows.

    Attributes:
        metric: `split.metric` by which they are compared.
        direction: whether larger or smaller is better.
        seeds: how many the model has, and how many the other; 1 for a plain run.
        value: the mean of the model minus that of the other.
        low: the lower end of the 95 % interval of the difference: what chance in the training explains.
        high: its upper end.
        way: how the interval is made.
    """

    metric: str
    direction: Direction
    seeds: tuple[int, int]
    value: float
    low: float
    high: float
    way: Way

    @property
    def verdict(self) -> Verdict:
        """Whether the model is better than the other; not resolved where the interval contains 0."""
        return verdict_of(self.value, self.low, self.high, self.direction)

    def sentence(self, name: str, other: str) -> str:
        """Return the finding in one sentence.

        Args:
            name: of the model.
            other: the name of the one it is compared with.
        """
        mine, theirs = (counted(each, "seed") for each in self.seeds)
        if self.way == "one run":
            several = max(self.seeds)
            alone = name if self.seeds[0] == 1 else other
            over = (
                f"one run against the mean of {counted(several, 'seed')}; {alone} has no spread of its own, so the "
                "interval takes that of the seeds"
            )
        elif self.way == "Welch":
            over = f"means of {mine} and {theirs}"
        else:
            over = f"means of the same {mine}"
        scope = "it covers chance in the training, not other rows"
        if self.verdict == "equal":
            return f"{name} and {other} are equal in {self.metric} ({over})"
        found = f"{self.metric} is {difference_words(self.value, self.low, self.high)}, {over}; {scope}"
        if self.verdict == "not resolved":
            return f"no significant difference between {name} and {other}: {found}"
        return f"{name} is {self.verdict} than {other}: {found}"

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "metric": self.metric,
            "seeds": list(self.seeds),
            "difference": {"value": self.value, "low": self.low, "high": self.high},
            "way": self.way,
            "verdict": self.verdict,
        }


def over_seeds(
    metric: str, direction: Direction, mine: Sequence[float], theirs: Sequence[float], *, paired: bool
) -> OverSeeds:
    """Compare the values of one metric.

    Equal seeds on the same rows are paired: the interval is that of the mean of their differences. Other seeds are
    independent: Welch, "The generalization of 'Student's' problem", Biometrika 34, 1947, with the degrees of freedom
    rounded down. Of one run alone the spread is not known: the interval is that of one more draw beside the mean of
    the seeds, as if the run varied as they do.

    Args:
        metric: `split.metric`.
        direction: whether larger or smaller is better.
        mine: of the model, one value per seed.
        theirs: of the other; at least one of the two has two or more.
        paired: whether they are of the same seeds, in the same order.
    """
    value, sizes = fmean(mine) - fmean(theirs), (len(mine), len(theirs))
    way: Way
    if min(sizes) == 1:
        way, several = "one run", max(mine, theirs, key=len)
        half = t_quantile(len(several) - 1) * stdev(several) * math.sqrt(1 + 1 / len(several))
    elif paired:
        way, apart = "paired by seed", [one - other for one, other in zip(mine, theirs, strict=True)]
        half = t_quantile(len(apart) - 1) * stdev(apart) / math.sqrt(len(apart))
    else:
        way, half = "Welch", _welch(mine, theirs)
    return OverSeeds(metric, direction, sizes, value, value - half, value + half, way)


def _welch(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """Return half the width of the 95 % interval of the difference of two means."""
    parts = [(variance(each) / len(each), len(each) - 1) for each in (mine, theirs)]
    total = sum(part for part, _ in parts)
    if total == 0:
        return 0.0
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    return t_quantile(max(1, math.floor(freedom))) * math.sqrt(total)
