"""The difference of a metric between two models on the same rows, with its 95 % interval."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import numpy as np

from mltrain.evaluation.draws import draw_margins
from mltrain.evaluation.interval_forms import around, percentiles, student_t
from mltrain.evaluation.intervals import FEWEST_ROWS, error_of, finite_value, numbered, of_draws, units_of
from mltrain.evaluation.margins import FROM_MARGINS
from mltrain.evaluation.metric import Metric, OwnMetric
from mltrain.evaluation.resampling import drawn_values
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.several import FROM_SUMS, SeveralRows, derivatives_of, draw_sums, from_sums


@dataclass(frozen=True)
class Difference:
    """A metric of one model minus that of another on the same rows, with its 95 % interval; NaN where there is none."""

    value: float
    low: float
    high: float


def paired_difference(
    metric: Metric,
    a: Rows | SeveralRows,
    b: Rows | SeveralRows,
    *,
    seed: int,
    draws: int = 1000,
    groups: np.ndarray | None = None,
) -> Difference:
    """Return the metric of a minus that of b: the same rows, each with the predictions of one model.

    Rows on which both are right, or equally wrong, do not widen its interval. What follows from counts is drawn from
    the table of target, a and b; of the rest the variances of the differences of each row are taken, for ROC AUC as by
    DeLong; metrics of plugins are measured on the same draws of the rows for both, unless they are means.

    Args:
        metric: what to compare.
        a: the rows with the predictions of one model, and by its threshold.
        b: with those of the other.
        seed: of the draws.
        draws: how many, for metrics that need some.
        groups: as for `intervals`.

    Raises:
        PluginError: as `measure`.
    """
    numbers = numbered(groups)
    value, found = math.nan, None
    with suppress(UndefinedError):
        value = finite_value(metric, a) - finite_value(metric, b)
        both = (a.predicted, b.predicted) if metric.type in (*FROM_MARGINS, *FROM_SUMS) else ()
        if both and isinstance(a, SeveralRows):
            sums = draw_sums(a.target == 1, both, seed=seed, draws=draws, groups=numbers)
            found = percentiles(from_sums(metric, sums[0]) - from_sums(metric, sums[1]), value)
        elif both and isinstance(a, Rows):
            drawn = draw_margins(
                a.target, both, len(a.classes), seed=seed, draws=draws, groups=numbers, weights=a.weights
            )
            of_a, of_b = (FROM_MARGINS[metric.type](metric, a.task, margins) for margins in drawn)
            found = percentiles(of_a - of_b, value)
        elif units_of(a, numbers) >= FEWEST_ROWS:
            changes = [derivatives_of(metric, each) for each in (a, b)]
            if isinstance(metric, OwnMetric) and changes[0] is None:
                drawn_a, drawn_b = (drawn_values(metric, cast(Rows, each), seed, draws, numbers) for each in (a, b))
                found = of_draws(drawn_a - drawn_b, value)
            elif changes[0] is not None and changes[1] is not None:
                steps = student_t(units_of(a, numbers) - 1) * error_of(a, changes[0] - changes[1], numbers)
                found = around(value, steps)
    return Difference(value, found.low, found.high) if found else Difference(value, math.nan, math.nan)
