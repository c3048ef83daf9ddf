"""The mean of every number over several seeds, and how far chance in the training can move it. No NumPy here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from mltrain.evaluation.metric import Metric
from mltrain.evaluation.student import t_quantile
from mltrain.run.seeds_form import SeedMean, SeedSplit
from mltrain.run.split_result import MetricValue, Part, SliceResult, SplitResult

# What there is of one model only: a mean of these says nothing.
_OF_ONE_MODEL = ("calibration", "confusion_matrix", "verdict")
_DIFFERS = object()


def seed_mean(values: Sequence[float]) -> SeedMean:
    """Return the mean of one number per seed, two or more, with its 95 % interval by Student's t.

    The seeds are independent draws of what chance does in a training. The rows are the same in all of them, so that the
    interval says nothing of what other rows would give.

    Raises:
        OverflowError: they are too large for a mean.
    """
    mean, deviation = fmean(values), stdev(values)
    half = t_quantile(len(values) - 1) * deviation / math.sqrt(len(values))
    if not math.isfinite(abs(mean) + half):
        raise OverflowError("the values are too large")
    return SeedMean(value=mean, low=mean - half, high=mean + half, std=deviation, min=min(values), max=max(values))


class SeedMeans:
    """What every seed measured, as one."""

    def __init__(self, seeds: Sequence[int], exact: Callable[[str], Metric | None]) -> None:
        """Keep what a mean needs.

        Args:
            seeds: of the runs, in their order.
            exact: gives a metric by its name; None where its bounds are not known.
        """
        self.seeds = seeds
        self.exact = exact

    def split(self, results: Sequence[SplitResult]) -> SeedSplit:
        """Return the results on the same rows, one per seed, with a mean in the place of each number.

        What only some of the runs have is left out.

        Raises:
            ValidationError: they are not of the same rows.
        """
        return SeedSplit(**self._fields(results))

    def value(self, values: Sequence[MetricValue], name: str = "") -> SeedMean:
        """Return the mean of a metric; where a seed has no value there is none, with the reason.

        Args:
            values: one per seed.
            name: of the metric, whose best possible value cuts off the interval: t knows no bounds. Empty for a
                difference, which has none.
        """
        numbers = []
        for seed, each in zip(self.seeds, values, strict=True):
            if each.value is None:
                return SeedMean(value=None, undefined=f"seed {seed}: {each.undefined or 'it has no value'}")
            numbers.append(each.value)
        try:
            found, metric = seed_mean(numbers), self.exact(name)
        except OverflowError:
            return SeedMean(value=None, undefined="the values are too large for a mean")
        if metric is None or metric.perfect is None or found.low is None or found.high is None:
            return found
        if metric.direction == "min" and min(numbers) < metric.perfect:
            return found  # a loss with a negative penalty, of a layer of the user's own
        ends = {"high": min(found.high, metric.perfect)} if metric.direction == "max" else {}
        ends = ends or {"low": max(found.low, metric.perfect)}
        return found.model_copy(update=ends)

    def _fields(self, parts: Sequence[Part]) -> dict[str, Any]:
        first = parts[0]
        names = [name for name in first.model_fields_set if name not in _OF_ONE_MODEL]
        found = {name: self._together([getattr(each, name) for each in parts], name) for name in names}
        return {name: value for name, value in found.items() if value is not _DIFFERS}

    def _together(self, values: Sequence[Any], name: str) -> Any:
        first = values[0]
        if any(type(each) is not type(first) for each in values):
            return _DIFFERS
        if isinstance(first, MetricValue):
            return self.value(values, name)
        if isinstance(first, Mapping):
            # The differences from a baseline have the names of metrics, and not their bounds.
            keys = [key for key in first if all(key in each for each in values)]
            inner = {key: self._together([each[key] for each in values], _inner(name, key)) for key in keys}
            return {key: value for key, value in inner.items() if value is not _DIFFERS}
        if isinstance(first, tuple) and first and isinstance(first[0], SliceResult):
            by_name = [{each.slice: each for each in slices} for slices in values]
            return tuple(self._together(by_name, "slices").values())
        if isinstance(first, Part):
            return type(first)(**self._fields(values))
        return first if all(each == first for each in values) else _DIFFERS


def _inner(name: str, key: str) -> str:
    return "" if name == "difference" else key
