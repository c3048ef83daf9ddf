"""Which of two models is better on the same rows, in words, and how many rows could tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from mltrain.evaluation.mcnemar import McNemar
from mltrain.evaluation.metric import Direction
from mltrain.wording import counted

Verdict = Literal["better", "worse", "equal", "not resolved"]


def verdict_of(value: float, low: float, high: float, direction: Direction) -> Verdict:
    """Return whether a model is better than another, from the difference of a metric and the ends of its interval."""
    if value == low == high == 0:
        return "equal"
    if low <= 0 <= high:
        return "not resolved"
    return "better" if (value > 0) == (direction == "max") else "worse"


def difference_words(value: float, low: float, high: float) -> str:
    """Return `0.02 lower (95 % interval 0.01 to 0.03)`: the ends are sizes in the direction of the difference, or each
    has its own."""
    size = f"{abs(value):.4g} {'higher' if value > 0 else 'lower'}" if value else "equal"
    if value and value * low >= 0 and value * high >= 0:
        smaller, larger = sorted((abs(low), abs(high)))
        return f"{size} (95 % interval {smaller:.4g} to {larger:.4g})"
    ends = (f"{abs(end):.4g} {'lower' if end < 0 else 'higher'}" for end in (low, high))
    return f"{size} (95 % interval {' to '.join(ends)})"


@dataclass(frozen=True)
class Paired:
    """One model against another on the same rows.

    Attributes:
        metric: `split.metric` by which they are compared.
        direction: whether larger or smaller is better.
        rows: on which both were measured.
        value: the metric of the model minus that of the other.
        low: lower end of the 95 % interval of the difference, in which what both do alike does not count.
        high: its upper end.
        mcnemar: of the two, the other one first; None for regressions.
        confirmed: whether an exact test agrees that there is a difference, where there is one. An interval from draws
            is too narrow where only a handful of rows tells the two apart.
        groups: how many there are, where rows belong together: the interval is then one of groups, and so is McNemar's
            test; None where every row is for itself.
    """

    metric: str
    direction: Direction
    rows: int
    value: float
    low: float
    high: float
    mcnemar: McNemar | None = None
    confirmed: bool = True
    groups: int | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the model is better than the other; not resolved where the interval holds 0, or by too few rows."""
        found = verdict_of(self.value, self.low, self.high, self.direction)
        return found if self.confirmed or found == "equal" else "not resolved"

    @property
    def rows_needed(self) -> int | None:
        """About how many rows could resolve a difference as large as this one; None where it is 0 or is resolved.

        The interval narrows with the root of the rows: it must become no wider than the difference on each side.
        """
        if self.verdict != "not resolved" or self.value == 0:
            return None
        needed = self.rows * ((self.high - self.low) / 2 / self.value) ** 2
        # Two digits are more than such an estimate is worth. More rows than now in any case: these do not resolve it.
        needed = max(needed, self.rows * 1.1)
        unit = 10 ** max(0, math.floor(math.log10(needed)) - 1)
        return math.ceil(needed / unit) * unit

    def sentence(self, name: str, other: str) -> str:
        """Return the finding in one sentence.

        Args:
            name: of the model.
            other: the name of the one it is compared with.
        """
        on = f"on the same {counted(self.rows, 'row')}" + ("" if self.groups is None else f" of {self.groups:,} groups")
        if self.verdict == "equal":
            return f"{name} and {other} are equal in {self.metric} {on}"
        found = f"{self.metric} is {difference_words(self.value, self.low, self.high)}, {on}"
        if self.verdict == "not resolved":
            more = f"; about {counted(self.rows_needed, 'row')} may be enough" if self.rows_needed else ""
            return f"no significant difference between {name} and {other}: {found}{more}{self._mcnemar(name, other)}"
        return f"{name} is {self.verdict} than {other}: {found}{self._mcnemar(name, other)}"

    def _mcnemar(self, name: str, other: str) -> str:
        test = self.mcnemar
        if test is None or test.only_first + test.only_second == 0:
            return ""
        if self.groups is not None:
            return (
                f"; groups in which {name} is right more often: {test.only_second}, {other}: {test.only_first} "
                f"(sign test: p = {test.p_value:.2g})"
            )
        return (
            f"; rows that only {name} predicts correctly: {test.only_second}, only {other}: {test.only_first} "
            f"(McNemar's exact test: p = {test.p_value:.2g})"
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "metric": self.metric,
            "rows": self.rows,
            "groups": self.groups,
            "difference": {"value": self.value, "low": self.low, "high": self.high},
            "verdict": self.verdict,
            "confirmed": self.confirmed,
            "rows_needed": self.rows_needed,
            "mcnemar": {
                "only_other": self.mcnemar.only_first,
                "only_run": self.mcnemar.only_second,
                "p_value": self.mcnemar.p_value,
            }
            if self.mcnemar
            else None,
        }
