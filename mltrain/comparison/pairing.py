"""Two runs on the same rows: whether they can be paired, and what follows. No TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from mltrain.comparison.compared_run import ComparedRun
from mltrain.comparison.compared_seeds import compare_seeds
from mltrain.errors import RunError
from mltrain.evaluation.mcnemar import McNemar
from mltrain.evaluation.metric import Direction, Metric, OwnMetric, of_decisions
from mltrain.evaluation.over_seeds import OverSeeds
from mltrain.evaluation.paired import Paired
from mltrain.outputs import KINDS

if TYPE_CHECKING:  # NumPy costs 80 ms, and runs that cannot be paired need none
    import numpy as np

    from mltrain.evaluation.rows import Rows
    from mltrain.evaluation.several import SeveralRows
    from mltrain.forecast_rows import ForecastRows
    from mltrain.run.predictions import StoredPredictions

# At the level, a coin that shows one side only must have been tossed so often: 2 / 2^6 is the first below it.
_LEVEL, _FEWEST = 0.05, 6
# The draws of the bootstrap: the same two runs give the same interval again.
_SEED = 0


@dataclass(frozen=True)
class Pair:
    """A run beside another.

    Attributes:
        run: the one that is judged.
        other: what it is compared with.
        metric: `split.metric` by which.
        direction: whether larger or smaller is better.
        difference: the metric of the run minus that of the other, as recorded; None where one of them has none.
        paired: what the same rows say; None where they are not the same.
        why_not: why they are not paired; empty where they are.
        different: what makes their numbers mean different things: "tasks", "classes" or "data"; else empty.
        seeds: what their seeds say, where one of them has several; rows are then not paired.
    """

    run: ComparedRun
    other: ComparedRun
    metric: str
    direction: Direction
    difference: float | None
    paired: Paired | None
    why_not: str = ""
    different: str = ""
    seeds: OverSeeds | None = None

    @property
    def found(self) -> Paired | OverSeeds | None:
        """The difference with its interval; None where there is none."""
        return self.paired or self.seeds

    def sentence(self, name: str, other: str) -> str:
        """Return the finding in one sentence, with these names for the runs."""
        if self.found is not None:
            return self.found.sentence(name, other)
        if self.different:
            return f"{name} and {other} have different {self.different}, so their numbers cannot be compared"
        return self.sentence_of_values(name, other)

    def sentence_of_values(self, name: str, other: str) -> str:
        """Return how the recorded values differ, in one sentence, with these names for the runs."""
        if self.difference is None:
            return f"{name} and {other} cannot be compared by {self.metric}: {self.why_not}"
        size = (
            f"{abs(self.difference):.4g} {'higher' if self.difference > 0 else 'lower'}" if self.difference else "equal"
        )
        return f"{name} against {other}: {self.metric} is {size}, by the recorded values alone, as {self.why_not}"

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "run": str(self.run.directory.path),
            "against": str(self.other.directory.path),
            "metric": self.metric,
            "difference": self.difference,
            "verdict": self.found.verdict if self.found else None,
            "paired": self.paired.as_json() if self.paired else None,
            **({"seeds": self.seeds.as_json()} if self.seeds else {}),
            "why_not_paired": self.why_not or None,
        }


def pair(run: ComparedRun, other: ComparedRun, metric: str | None = None) -> Pair:
    """Compare two runs.

    Args:
        run: the one that is judged.
        other: what it is compared with.
        metric: `split.metric`, or a metric of the split that nothing was chosen by; None takes that of the objective
            of the other run.

    Raises:
        UsageError: the other run did not measure it, or it is not known which direction is better.
    """
    named = other.found_metric(metric) if metric is not None else other.primary
    if run.seeds or other.seeds:
        return _of_seeds(run, other, named)
    of_target = other.split_target(named)
    if of_target is not None and run.split_target(named) is not None:
        name, target = of_target
        return _of_target(pair(run.of_target(target), other.of_target(target), name), run, other, named)
    direction, difference = other.direction(named), _difference(run, other, named)
    try:
        paired = _paired(run, other, named)
    except _CannotPairError as reason:
        different = _different(run, other)
        # Of other tasks even the same name means something else.
        difference = None if different == "tasks" else difference
        return Pair(run, other, named, direction, difference, None, str(reason), different)
    return Pair(run, other, named, direction, difference, paired)


def _difference(run: ComparedRun, other: ComparedRun, named: str) -> float | None:
    mine, theirs = run.value(named), other.value(named)
    return None if mine is None or theirs is None else mine - theirs


def _of_seeds(run: ComparedRun, other: ComparedRun, named: str) -> Pair:
    """Compare means over seeds: what the rows say of single models is not what they say of the config."""
    found, difference = compare_seeds(run, other, named), _difference(run, other, named)
    direction = other.direction(named)
    if not isinstance(found, str):
        why = "one of them is the mean of several seeds"
        return Pair(run, other, named, direction, difference, None, why, seeds=found)
    different = _different(run, other)
    difference = None if different == "tasks" else difference
    return Pair(run, other, named, direction, difference, None, found, different)


def _of_target(found: Pair, run: ComparedRun, other: ComparedRun, named: str) -> Pair:
    """Return what was found for one of several targets as that of the whole runs."""
    paired = None if found.paired is None else replace(found.paired, metric=named)
    return replace(found, run=run, other=other, metric=named, paired=paired)


class _CannotPairError(Exception):
    """The two runs have different rows; the message says what differs."""


def _different(run: ComparedRun, other: ComparedRun) -> str:
    if run.task != other.task:
        return "tasks"
    if run.classes != other.classes:
        return "classes"
    return "data" if run.data is None or run.data != other.data else ""


def _paired(run: ComparedRun, other: ComparedRun, named: str) -> Paired:
    split, _, name = named.partition(".")
    metric = other.exact(name)
    if metric is None:
        raise _CannotPairError(f"{name} is not an exact metric, so it cannot be measured again on single rows")
    if isinstance(metric, OwnMetric) and metric.function is None:
        raise _CannotPairError(f"{name} is a metric of {metric.origin.words}: {metric.origin.advice}")
    if (run.task, run.classes) != (other.task, other.classes):
        raise _CannotPairError("they have other tasks or classes")
    if run.data is None or run.data != other.data:
        raise _CannotPairError("they are from other data")
    first, second = _stored(other, split), _stored(run, split)

    import numpy as np

    from mltrain.evaluation.differences import paired_difference
    from mltrain.evaluation.several import rows_of

    if not np.array_equal(np.sort(first.rows), np.sort(second.rows)):
        raise _CannotPairError(f"their {split} rows are not the same")
    # The same rows may stand in another order, as where other columns are read.
    first, second = (stored.take(np.argsort(stored.rows, kind="stable")) for stored in (first, second))
    if not np.array_equal(first.target, second.target):
        raise _CannotPairError(f"the targets of their {split} rows are not the same")
    if first.values.shape != second.values.shape:
        raise _CannotPairError(f"their predictions have other shapes: {first.values.shape} and {second.values.shape}")
    theirs, mine = first.values, second.values
    if other.task == "binary" and of_decisions(metric):
        # Each by its own threshold: as certain decisions they are what every formula makes of them.
        theirs, mine = other.decided(first).astype(np.float64), run.decided(second).astype(np.float64)
    groups = _groups(first, second)
    units = None if groups is None else len(np.unique(groups))
    forecasts = _forecasts(metric, first, second)
    weights = _weights(first, second)
    # McNemar's test counts rows; it says nothing of their weights.
    mcnemar = _mcnemar(run, other, first, second, groups) if weights is None else None
    if np.array_equal(mine, theirs):
        return Paired(named, metric.direction, len(first.rows), 0.0, 0.0, 0.0, mcnemar, groups=units)
    a, b = (
        rows_of(other.task, first.target, each, other.classes, forecasts=forecasts, weights=weights)
        for each in (mine, theirs)
    )
    found = paired_difference(metric, a, b, seed=_SEED, groups=groups)
    if not np.isfinite([found.value, found.low, found.high]).all():
        raise _CannotPairError(f"the difference of {name} has no interval on these rows")
    ends = found.value, found.low, found.high
    confirmed = _confirmed(metric, mcnemar, units is not None)
    if weights is not None and of_decisions(metric):
        confirmed = _weighted_confirmed(metric, (a, b), weights, groups)
    return Paired(named, metric.direction, len(first.rows), *ends, mcnemar, confirmed, units)


def _stored(run: ComparedRun, split: str) -> StoredPredictions:
    try:
        stored = run.predictions(split)
    except RunError as error:
        raise _CannotPairError(str(error)) from error
    if stored is None:
        raise _CannotPairError(f"{run.name} keeps no predictions of its {split} rows")
    if not run.fits(stored):
        raise _CannotPairError(f"the predictions that {run.name} keeps are not those of a {run.task}")
    return stored


def _groups(first: StoredPredictions, second: StoredPredictions) -> np.ndarray | None:
    """Return which rows belong together by what either run says; a run that was split otherwise says nothing."""
    import numpy as np

    if first.groups is None or second.groups is None:
        return second.groups if first.groups is None else first.groups
    pairs = np.unique(np.stack([first.groups, second.groups]), axis=1)
    if not len(np.unique(first.groups)) == len(np.unique(second.groups)) == pairs.shape[1]:
        raise _CannotPairError("other rows of theirs belong together in groups")
    return first.groups


def _weights(first: StoredPredictions, second: StoredPredictions) -> np.ndarray | None:
    """Return how much each row counts in the metrics of both runs."""
    import numpy as np

    if (first.weights is None) != (second.weights is None):
        raise _CannotPairError("the metrics of only one of them are weighted (evaluation.sample_weight)")
    if first.weights is not None and not np.array_equal(first.weights, cast("np.ndarray", second.weights)):
        raise _CannotPairError("the weights of their rows are not the same")
    return first.weights


def _weighted_confirmed(
    metric: Metric, rows: tuple[Rows | SeveralRows, ...], weights: np.ndarray, groups: np.ndarray | None
) -> bool:
    """Return whether a sign test of the weighted rows agrees, as `_confirmed` says of the plain ones."""
    import numpy as np

    from mltrain.evaluation.intervals import numbered
    from mltrain.evaluation.weighting import sign_test

    one, two = (each.predicted == each.target for each in rows)
    if metric.type == "accuracy":
        return sign_test(one, two, weights, numbered(groups)) <= _LEVEL
    differ = (one != two) & (weights > 0)
    return (int(differ.sum()) if groups is None else len(np.unique(groups[differ]))) >= _FEWEST


def _forecasts(metric: Metric, first: StoredPredictions, second: StoredPredictions) -> ForecastRows | None:
    """Return what either run knows of its rows as forecasts: errors resemble those of neighbouring times."""
    import numpy as np

    if first.forecasts is None or second.forecasts is None:
        return second.forecasts if first.forecasts is None else first.forecasts
    if not np.array_equal(first.forecasts.times, second.forecasts.times):
        raise _CannotPairError("the times of their rows are not the same")
    same_scale = np.array_equal(first.forecasts.scale, second.forecasts.scale, equal_nan=True)
    if metric.type == "mase" and not same_scale:
        raise _CannotPairError("their errors are in units of other naive errors: their seasons or horizons differ")
    return max(first.forecasts, second.forecasts, key=lambda each: each.horizon)


def _mcnemar(
    run: ComparedRun,
    other: ComparedRun,
    first: StoredPredictions,
    second: StoredPredictions,
    groups: np.ndarray | None,
) -> McNemar | None:
    if KINDS[run.task].of_numbers:
        return None
    from mltrain.evaluation.mcnemar import mcnemar, right_more_often

    rows = len(first.rows)  # a row of several labels is right where all of them are
    right = (other.decided(first) == first.target, run.decided(second) == second.target)
    one, two = (each.reshape(rows, -1).all(axis=1) for each in right)
    return mcnemar(*((one, two) if groups is None else right_more_often(one, two, groups)))


def _confirmed(metric: Metric, mcnemar: McNemar | None, grouped: bool) -> bool:
    """Return whether an exact test agrees: for the accuracy that is McNemar's own; what else follows from predicted
    classes needs as many rows that tell the two apart as could ever be significant in it, and of groups as many."""
    if mcnemar is None or not of_decisions(metric):
        return True
    if metric.type == "accuracy" and not grouped:
        return mcnemar.p_value <= _LEVEL
    return mcnemar.only_first + mcnemar.only_second >= _FEWEST
