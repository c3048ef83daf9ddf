"""The 95 % interval of every metric: what it might have been with other rows of the same kind.

Which form it has follows from the metric, each being the simplest that keeps what it promises also for a hundred rows:

- **shares of rows** (accuracy, top-k accuracy, and of binary: precision, recall, F1): Wilson's score interval, 1927.
  For 60 of 60 correct it says [0.94, 1], where bootstrap and normal form say [1, 1]. F1 is 2q / (1 + q) with the share
  q of true positives among the rows that are or are called positive: Lam, Gopal and Qian, Confidence intervals for the
  F1 score, arXiv:2309.14621, 2023.
- **other functions of the confusion matrix** (balanced accuracy, averages over classes, MCC, kappa): percentiles of
  draws of the matrix, `draws.py`.
- **ROC AUC of two classes**: the variance of DeLong in a score interval as Newcombe's, `roc_auc_interval`.
- **PR AUC, the mean ROC AUC of several classes, mean losses, explained shares**: a normal form with Student's t, with
  the variance of `influence.py`, on a scale on which the metric has no border and little skew: the log odds of an area
  (Boyd, Eng and Page, Area under the precision-recall curve, 2013), the logarithm of a loss, the logarithm of the
  unexplained share for R².
- **several targets**: what follows from decisions about labels from draws, `several.py`; of the rest, the mean over the
  targets, the same forms with the means of the derivatives.
- **the median of the errors**: two of the errors, chosen by rank: Woodruff, Confidence intervals for medians, 1952.
- **metrics of plugins**: as a mean loss where they are one, else percentiles of the plain bootstrap, `resampling.py`.

Rows of one group are drawn together everywhere: one weight a group in the draws, sums over groups in the variances
(for areas as Obuchowski, Nonparametric analysis of clustered ROC curve data, 1997). Shares of rows then follow from
draws, too: Wilson's form takes every row for one of its own. Forecasts resemble those before and after them: their
variances are those of a bootstrap of blocks, `forecast.py`. Rows of different weight count as their effective number,
`weighting.py`, in every form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from mltrain.evaluation import weighting
from mltrain.evaluation.draws import draw_margins
from mltrain.evaluation.influence import standard_error
from mltrain.evaluation.interval_forms import (
    Interval,
    Z,
    around,
    around_log,
    around_log_odds,
    f1_interval,
    holding,
    median_interval,
    percentiles,
    roc_auc_interval,
    student_t,
    wilson,
)
from mltrain.evaluation.losses import LOSSES
from mltrain.evaluation.margins import FROM_MARGINS, Margins, per_class
from mltrain.evaluation.metric import AveragedMetric, Metric, OwnMetric
from mltrain.evaluation.resampling import drawn_values
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.several import FROM_SUMS, SeveralRows, derivatives_of, draw_sums, from_sums, value_of
from mltrain.task import Task

# The spread of fewer rows says nothing of itself; shares and counts need none, they know theirs.
FEWEST_ROWS = 5
_DRAWS = 1000
_AREAS = ("roc_auc", "pr_auc")
_EXPLAINED = ("r2", "explained_variance")


def intervals(
    metrics: Sequence[Metric],
    rows: Rows | SeveralRows,
    *,
    seed: int,
    draws: int = _DRAWS,
    groups: np.ndarray | None = None,
) -> dict[str, Interval]:
    """Return the 95 % interval of each metric by its name in results; a metric that has none is left out.

    Args:
        metrics: as for `measure`, and so are the rows.
        seed: of the draws.
        draws: how many, for metrics that need some.
        groups: (n,) of any values: rows with the same one, as those of one patient, are drawn together.
    """
    sample = _Sample(rows, seed, draws, numbered(groups))
    found = {}
    for metric in metrics:
        with suppress(UndefinedError):
            interval = _interval(metric, sample)
            if interval is not None:
                found[metric.name] = interval
    return found


def class_intervals(rows: Rows, groups: np.ndarray, seed: int) -> dict[str, list[Interval]]:
    """Return the interval of the "precision", "recall" and "f1" of each class, in their order, from draws of groups.
    Arguments as for `intervals`."""
    drawn = _Sample(rows, seed, _DRAWS, numbered(groups)).margins
    counted = Margins.of(rows.table)
    return {
        kind: [
            percentiles(of_class, float(value))
            for of_class, value in zip(per_class(kind, drawn).T, per_class(kind, counted), strict=True)
        ]
        for kind in ("precision", "recall", "f1")
    }


@dataclass(frozen=True)
class _Sample:
    rows: Rows | SeveralRows
    seed: int
    draws: int
    groups: np.ndarray | None

    @cached_property
    def margins(self) -> Margins:
        rows = cast(Rows, self.rows)  # of several targets there are sums instead
        (drawn,) = draw_margins(
            rows.target,
            (rows.predicted,),
            len(rows.classes),
            seed=self.seed,
            draws=self.draws,
            groups=self.groups,
            weights=rows.weights,
        )
        return drawn

    @cached_property
    def sums(self) -> np.ndarray:
        target, predicted = self.rows.target == 1, self.rows.predicted
        (drawn,) = draw_sums(target, (predicted,), seed=self.seed, draws=self.draws, groups=self.groups)
        return drawn


def _interval(metric: Metric, sample: _Sample) -> Interval | None:
    rows, groups = sample.rows, sample.groups
    value = finite_value(metric, rows)
    if isinstance(rows, SeveralRows):
        if metric.type == "accuracy" and groups is None:
            return wilson(value * len(rows.target), len(rows.target))
        if metric.type in FROM_SUMS:
            return percentiles(from_sums(metric, sample.sums), value)
        return None if units_of(rows, groups) < FEWEST_ROWS else _of_rows(metric, rows, value, groups)
    if groups is None:
        if metric.type == "top_k_accuracy":
            if rows.weights is not None:
                return weighting.share(LOSSES[metric.type](metric, rows), rows.weights)
            return wilson(value * len(rows.target), len(rows.target))
        if _is_share(metric, rows.task):
            return _share_interval(metric, rows)
    if metric.type in FROM_MARGINS:
        return percentiles(FROM_MARGINS[metric.type](metric, rows.task, sample.margins), value)
    if units_of(rows, groups) < FEWEST_ROWS:
        return None
    if isinstance(metric, OwnMetric):
        return _of_plugin(metric, sample, value)
    return _of_rows(metric, rows, value, groups)


def _of_plugin(metric: OwnMetric, sample: _Sample, value: float) -> Interval | None:
    rows, groups = sample.rows, sample.groups
    derivatives = derivatives_of(metric, rows)
    if derivatives is None:
        return of_draws(drawn_values(metric, cast(Rows, rows), sample.seed, sample.draws, groups), value)
    steps = student_t(units_of(rows, groups) - 1) * standard_error(derivatives, groups)
    if not steps:  # every row is alike: nothing says how far others might be
        return None
    low, high = metric.given().bounds
    interval = around_log(value, steps) if low == 0 else around(value, steps)
    return None if interval is None else holding(value, max(interval.low, low), min(interval.high, high))


def of_draws(drawn: np.ndarray, value: float) -> Interval | None:
    """Return what the draws say; nothing, where one of them has no value or all are equal."""
    return percentiles(drawn, value) if np.isfinite(drawn).all() and np.ptp(drawn) else None


def _is_share(metric: Metric, task: Task) -> bool:
    if isinstance(metric, AveragedMetric):
        return metric.average == "micro" or (metric.average == "auto" and task == "binary")
    return metric.type == "accuracy"


def _share_interval(metric: Metric, rows: Rows) -> Interval | None:
    if rows.weights is not None:
        average = getattr(metric, "average", None)
        kind = metric.type if rows.task == "binary" and average == "auto" else "accuracy"
        return weighted_share(kind, rows, rows.weights)
    if rows.task == "binary" and getattr(metric, "average", None) == "auto":
        (_, false_alarms), (misses, correct) = rows.confusion.tolist()
        if metric.type == "f1":
            return f1_interval(correct, false_alarms + misses)
        return wilson(correct, correct + (misses if metric.type == "recall" else false_alarms))
    return wilson(int(np.trace(rows.confusion)), len(rows.target))


def weighted_share(kind: str, rows: Rows, weights: np.ndarray, number: int = 1) -> Interval | None:
    """Return the interval of the "accuracy" of weighted rows, or of the "precision", "recall" or "f1" of a class."""
    if kind == "accuracy":
        return weighting.share(rows.predicted == rows.target, weights)
    of_class, as_class = rows.target == number, rows.predicted == number
    counting = {"precision": as_class, "recall": of_class}.get(kind, of_class | as_class)
    found = weighting.share((of_class & as_class)[counting], weights[counting])
    return weighting.f1_share(found) if kind == "f1" else found


def _of_rows(metric: Metric, rows: Rows | SeveralRows, value: float, groups: np.ndarray | None) -> Interval | None:
    units = units_of(rows, groups)
    if metric.type == "median_absolute_error":
        if isinstance(rows, SeveralRows):  # as wide as if all targets erred together
            each = [_of_rows(metric, one, finite_value(metric, one), groups) for one in rows.outputs]
            known = [interval for interval in each if interval is not None]
            return Interval(*(float(np.mean(ends)) for ends in zip(*((i.low, i.high) for i in known), strict=True)))
        errors = np.abs(rows.errors)
        if rows.weights is not None:
            below = ((errors <= value) - 0.5) * rows.weights / rows.weights.sum()
            return weighting.median_interval(errors, rows.weights, Z * error_of(rows, below, groups))
        return median_interval(errors, Z * error_of(rows, ((errors <= value) - 0.5) / len(errors), groups))
    of_classes = _of_classes(rows, groups) if metric.type in _AREAS else [units]
    rarest = min(of_classes)
    derivatives = derivatives_of(metric, rows)
    if derivatives is None:
        return None
    error = error_of(rows, derivatives, groups)
    if metric.type == "roc_auc" and rows.task == "binary":
        return roc_auc_interval(value, error**2, *of_classes)
    if rarest < 2:
        return None
    steps = student_t(units - 1) * error
    if metric.type in _EXPLAINED:
        unexplained = around_log(1 - value, steps)
        return None if unexplained is None else holding(value, 1 - unexplained.high, 1 - unexplained.low)
    if metric.type in (*_AREAS, "top_k_accuracy"):
        at_border = not 1e-12 < value < 1 - 1e-12
        return wilson(value * rarest, rarest) if at_border else around_log_odds(value, steps)
    interval = around_log(value, steps)
    largest = {"brier": 2.0 if rows.task == "multiclass" else 1.0, "smape": 2.0}.get(metric.type, math.inf)
    return None if interval is None else Interval(interval.low, min(interval.high, largest))


def _of_classes(rows: Rows | SeveralRows, groups: np.ndarray | None) -> list[float]:
    """Return in how many rows, or groups, each class occurs; of several labels those of the one with the rarest."""
    if isinstance(rows, SeveralRows):
        return min((_of_classes(one, groups) for one in rows.outputs), key=min)
    classes, target = len(rows.classes), rows.target
    if rows.weights is not None:
        return [weighting.effective_units(rows.weights * (target == number), groups) for number in range(classes)]
    found = target if groups is None else np.unique(groups * classes + target) % classes
    return [int(count) for count in np.bincount(found, minlength=classes)]


def finite_value(metric: Metric, rows: Rows | SeveralRows) -> float:
    """Return the metric of the rows; raises UndefinedError where it has no finite value."""
    if not np.isfinite(rows.predictions).all():
        raise UndefinedError("a prediction is NaN or infinite")
    value = value_of(metric, rows)
    if not math.isfinite(value):
        raise UndefinedError("the value is larger than a float holds")
    return value


def error_of(rows: Rows | SeveralRows, derivatives: np.ndarray, groups: np.ndarray | None) -> float:
    """Return the standard error of a metric, of forecasts from blocks of times."""
    if rows.forecasts is not None:
        return rows.forecasts.standard_error(derivatives)
    return standard_error(derivatives, groups)


def units_of(rows: Rows | SeveralRows, groups: np.ndarray | None) -> float:
    """Return of how many that are drawn for themselves the rows are: times, groups or rows, their effective number
    where they have weights."""
    if rows.forecasts is not None:
        return rows.forecasts.units
    if isinstance(rows, Rows) and rows.weights is not None:
        return weighting.effective_units(rows.weights, groups)
    return len(rows.target) if groups is None else int(groups.max()) + 1


def numbered(groups: np.ndarray | None) -> np.ndarray | None:
    """Return groups of any values as numbers from 0, each of which occurs."""
    return None if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
