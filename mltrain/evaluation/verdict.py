"""Whether a model beats a baseline, in words that the rows bear out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mltrain.counted import counted
from mltrain.evaluation.differences import Difference
from mltrain.evaluation.metric import Metric

# Even if all of fewer rows speak for one side, a fair coin does that in more than 5 % of cases: 2 / 2^5 = 0.0625.
FEWEST_ROWS = 6
LEVEL = 0.05
_EXACT = 1000

Outcome = Literal["better", "worse", "equal", "unclear"]


@dataclass(frozen=True)
class Comparison:
    """A model beside a baseline on the same rows.

    Attributes:
        split: of the rows.
        metric: that is compared.
        baseline: in words, as "logistic regression".
        model_value: of the metric.
        baseline_value: of the metric.
        difference: model minus baseline.
        rows: how many.
        p_value: of the sign test on the rows that one of them gets right and the other wrong; None where there is no
            right and wrong.
        groups: how many there are, where rows belong together; the sign test is then that of the groups.
    """

    split: str
    metric: Metric
    baseline: str
    model_value: float
    baseline_value: float
    difference: Difference
    rows: int
    p_value: float | None
    groups: int | None = None

    @property
    def resolved(self) -> bool:
        """Whether the rows tell which of the two is better."""
        return self._differs and self._units >= FEWEST_ROWS and (self.p_value is None or self.p_value <= LEVEL)

    @property
    def outcome(self) -> Outcome:
        """The finding in one word: "unclear" where the rows are too few to decide."""
        if math.isnan(self.difference.value) or self._units < FEWEST_ROWS:
            return "unclear"
        if not self.difference.value and not self.difference.low and not self.difference.high:
            return "equal"
        if not self.resolved:
            return "unclear"
        return "better" if (self.difference.value > 0) == (self.metric.direction == "max") else "worse"

    def sentence(self) -> str:
        """Return the finding in one sentence."""
        model = f"the {self.split} {self.metric.name} of {_number(self.model_value)}"
        other = f"{_number(self.baseline_value)} of {self.baseline}"
        if math.isnan(self.difference.value):
            return f"{model} cannot be compared with {self.baseline}: one of them has no value"
        if self._units < FEWEST_ROWS:
            of = "row" if self.groups is None else "group"
            units = f"{self._units} {of}{'' if self._units == 1 else 's'}"
            return f"{model} beside the {other}: {units}, too few {of}s to tell which is better"
        if not self.difference.value and not self.difference.low and not self.difference.high:
            return f"{model} equals the {other}"
        better = (self.difference.value > 0) == (self.metric.direction == "max")
        if self.resolved:
            return f"{model} {'beats' if better else 'is worse than'} the {other} by {self._apart()}"
        side = "higher" if self.difference.value > 0 else "lower"
        rows = counted(self.rows, "row") + ("" if self.groups is None else f" of {self.groups} groups")
        return f"{model} is no better than the {other}, as far as {rows} tell: {self._apart()} {side}"

    @property
    def _units(self) -> int:
        return self.rows if self.groups is None else self.groups

    @property
    def _differs(self) -> bool:
        return self.difference.low > 0 or self.difference.high < 0

    def _apart(self) -> str:
        """Return the size of the difference with its interval, and the sign test where that overrules it."""
        low, high = self.difference.low, self.difference.high
        if self.difference.value < 0:
            low, high = -high, -low
        interval = "" if math.isnan(low) else f" [{_number(low)}, {_number(high)}]"
        overruled = self._differs and not self.resolved
        test = f" (sign test: p = {self.p_value:.2g})" if overruled and self.p_value is not None else ""
        return f"{_number(abs(self.difference.value))}{interval}{test}"


def nothing_held_out(rows: int) -> str:
    """Return the sentence on a model whose rows, so many, were all for training."""
    told = "whether the model beats anything cannot be told: no row is held out"
    # A fifth of them, held out, could not tell either.
    return f"{told}, and {rows} are too few rows to tell with some held out" if rows < 5 * FEWEST_ROWS else told


def sign_test(right_a: np.ndarray, right_b: np.ndarray) -> float:
    """Return the two-sided p-value of the rows that one gets right and the other wrong, given which each does (n,).

    McNemar, Note on the sampling error of the difference between correlated proportions, 1947, in its exact form; above
    1000 such rows the normal distribution with a correction of half a row.
    """
    for_a, for_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    differing, most = for_a + for_b, max(for_a, for_b)
    if 2 * most == differing:
        return 1.0
    if differing > _EXACT:
        return math.erfc((most - 0.5 - differing / 2) / math.sqrt(differing / 2))
    return min(1.0, 2 * sum(math.comb(differing, k) for k in range(most, differing + 1)) / 2**differing)


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"
