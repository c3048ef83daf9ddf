"""Methods compared over sets: normalised scores, mean ranks, wins and losses, and ratios of time.

The unit is the set: intervals are percentile bootstraps over sets, since what is to be known is how a method does on a
set that is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata, t

from benchmarks.tables.cache import Result
from benchmarks.tables.scores import MAIN

RESAMPLES = 5_000
TEST_OVER_TRAINING = 0.2 / 0.6


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Table:
    """The scores of all methods on the sets and splits that every one of them has.

    Attributes:
        methods: their names.
        sets: their names.
        scores: of each set, `(methods, splits)`; more is better.
        left_out: sets that some method lacks.
    """

    methods: tuple[str, ...]
    sets: tuple[str, ...]
    scores: dict[str, np.ndarray]
    left_out: tuple[str, ...]


def table(results: Mapping[tuple[str, int, str], Result], methods: Sequence[str], sets: Sequence[str]) -> Table:
    """Collect the main scores. R² below 0 counts as 0, as in Grinsztajn et al. (2022): how much worse than the mean a
    method is says nothing of the others, and would make them all alike on the normalised scale."""
    scores: dict[str, np.ndarray] = {}
    for name in sets:
        splits = [
            split
            for split in sorted({split for place, split, _ in results if place == name})
            if all((name, split, method) in results for method in methods)
        ]
        if splits:
            scores[name] = np.array(
                [[_main(results[name, split, method]) for split in splits] for method in methods], dtype=float
            )
    return Table(tuple(methods), tuple(scores), scores, tuple(name for name in sets if name not in scores))


def _main(result: Result) -> float:
    score = result.scores[MAIN[result.task]]
    return max(score, 0.0) if result.task == "regression" else score


def normalised(found: Table) -> np.ndarray:
    """Return `(sets, methods)`: the mean score of a set, 0 for its worst method and 1 for its best."""
    rows = []
    for name in found.sets:
        means = found.scores[name].mean(axis=1)
        spread = means.max() - means.min()
        rows.append((means - means.min()) / spread if spread > 0 else np.ones_like(means))
    return np.array(rows)


def ranks(found: Table) -> np.ndarray:
    """Return `(sets, methods)`: the rank of the mean score of a set, 1 for the best; equals share theirs."""
    return np.array([rankdata(-found.scores[name].mean(axis=1).round(10)) for name in found.sets])


def over_sets(values: np.ndarray, statistic: Callable[..., np.ndarray] = np.mean) -> Interval:
    """Return the statistic of one value for each set, with its interval."""
    draws = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.percentile(statistic(values[draws], axis=1), [2.5, 97.5])
    return Interval(float(statistic(values, axis=0)), float(low), float(high))


def difference(mine: np.ndarray, theirs: np.ndarray) -> Interval:
    """Return the mean difference over the splits, with an interval.

    The training rows of two splits are mostly the same, so the splits are no independent draws. The variance is
    enlarged as in Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52 (2003): by the test
    rows as a share of the training rows.
    """
    differences = mine - theirs
    count = len(differences)
    mean = float(differences.mean())
    if count < 2:
        return Interval(mean, -np.inf, np.inf)
    variance = float(differences.var(ddof=1)) * (1 / count + TEST_OVER_TRAINING)
    half = float(t.ppf(0.975, count - 1)) * variance**0.5
    return Interval(mean, mean - half, mean + half)


def duel(found: Table, mine: str, theirs: str) -> dict[str, list[str]]:
    """Return the sets that `mine` wins and loses by more than the interval, and those where the two are not told
    apart."""
    first, second = found.methods.index(mine), found.methods.index(theirs)
    sets: dict[str, list[str]] = {"won": [], "lost": [], "undecided": []}
    for name in found.sets:
        seen = difference(found.scores[name][first], found.scores[name][second])
        sets["won" if seen.low > 0 else "lost" if seen.high < 0 else "undecided"].append(name)
    return sets


def times(results: Mapping[tuple[str, int, str], Result], mine: str, theirs: str, sets: Sequence[str]) -> np.ndarray:
    """Return, for each set that has both, the median seconds of `theirs` over those of `mine`; as logarithms.

    Only commands that ran alone, with as many threads as the other, are compared.
    """
    logs = []
    for name in sets:
        pairs = [
            (results[name, split, theirs], results[name, split, mine])
            for split in range(5)
            if (name, split, mine) in results and (name, split, theirs) in results
        ]
        fair = [(one, other) for one, other in pairs if _fair(one, other)]
        if fair:
            ratio = np.median([one.seconds for one, _ in fair]) / np.median([other.seconds for _, other in fair])
            logs.append(np.log(ratio))
    return np.array(logs)


def _fair(one: Result, other: Result) -> bool:
    alone = one.alone and other.alone
    return alone and one.threads == other.threads and not (one.failed or other.failed)
