"""Whether a model beats a baseline, in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mltrain.evaluation.differences import Difference
from mltrain.evaluation.metric import Metric
from mltrain.wording import counted

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
        what = f"{self.split} {self.metric.name}"
        if math.isnan(self.difference.value):
            return f"{what}: cannot be compared with {self.baseline}, because one of them has no value"
        values, on = self._values(), self._on()
        if self._units < FEWEST_ROWS:
            of = "rows" if self.groups is None else "groups"
            return f"{what}: too few {of} to compare with {self.baseline} {on} ({values})"
        if not self.difference.value and not self.difference.low and not self.difference.high:
            return f"{what}: equal to {self.baseline} {on} ({values})"
        if self.resolved:
            better = (self.difference.value > 0) == (self.metric.direction == "max")
            return f"{what}: {'better' if better else 'worse'} than {self.baseline} {on} ({values}, {self._interval()})"
        return f"{what}: no significant difference from {self.baseline} {on} ({values}{self._why()})"

    @property
    def _units(self) -> int:
        return self.rows if self.groups is None else self.groups

    @property
    def _differs(self) -> bool:
        return self.difference.low > 0 or self.difference.high < 0

    def _on(self) -> str:
        rows = f"on {counted(self.rows, f'{self.split} row')}"
        return rows if self.groups is None else f"{rows} of {counted(self.groups, 'group')}"

    def _values(self) -> str:
        """Return both values with as many digits as show that they differ."""
        equal, digits = self.model_value == self.baseline_value, 3
        while True:
            model, other = (_number(value, digits) for value in (self.model_value, self.baseline_value))
            if equal or model != other or digits == 6:
                break
            digits += 1
        return f"{model} against {other}"

    def _interval(self) -> str:
        low, high = (_number(end, 3) for end in (self.difference.low, self.difference.high))
        if low == high:
            low, high = (_number(end, 6) for end in (self.difference.low, self.difference.high))
        return f"95 % interval of the difference {low} to {high}"

    def _why(self) -> str:
        """Return what says so: the sign test, or the interval where there is none; and which of two that disagree."""
        if math.isnan(self.difference.low):
            return ""
        if self.p_value is None:
            return f", {self._interval()}"
        p = f"p = {self.p_value:.2g}"
        if self._differs:  # an interval of few rows that differ is too narrow; the test is exact
            return f", {p} by the exact sign test, which decides where few rows differ"
        if self.p_value <= LEVEL:
            return f", {self._interval()}, which includes 0 although {p}"
        return f", {p}"


def nothing_held_out(rows: int) -> str:
    """Return the sentence on a model whose rows were all for training."""
    unknown = "the model cannot be compared with baselines: no rows are held out"
    # A fifth of them, held out, would be too few.
    few = f", and {counted(rows, 'row')} are too few to hold some out"
    return f"{unknown}{few}" if rows < 5 * FEWEST_ROWS else unknown


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


def _number(value: float, digits: int) -> str:
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}g}" if abs(value) < 1 else f"{value:.{max(digits, 4) + 2}g}"
