"""Permutation importance: how much worse a metric becomes when a column says nothing of its row any more.

The values of one column are dealt out anew among the rows, all else stays, and the model predicts again: Breiman,
Random forests, 2001, section 10. That is a U-statistic of pairs of rows, one that is given a value and one whose value
is given: Fisher, Rudin and Dominici, All models are wrong, but many are useful, JMLR 20(177), 2019, section 3. So each
row stands in the variance with both parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from mltrain.evaluation.catalogue import loss_metric
from mltrain.evaluation.influence import DERIVATIVES, standard_error
from mltrain.evaluation.interval_forms import Interval, around, student_t
from mltrain.evaluation.intervals import FEWEST_ROWS, numbered, units_of
from mltrain.evaluation.metric import Metric
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.several import SeveralRows, derivatives_of, value_of


@dataclass(frozen=True)
class Importance:
    """By how much a metric is worse without what a column says of its row.

    Attributes:
        value: positive where it is worse, whether large values of the metric are good or bad; the mean over the
            permutations.
        interval: of 95 %; None of too few rows.
    """

    value: float
    interval: Interval | None


def importance_metric(metrics: Sequence[Metric], objective: str, rows: Rows | SeveralRows) -> Metric | None:
    """Return the metric in which importance is measured; None where the predictions are not finite.

    It is that of the objective, else the first of the run, of those that have a derivative by the weight of a row: F1
    and others that follow from counts have none. Where none has, it is the one that is nearest to the usual loss.

    Args:
        metrics: of the run.
        objective: the name of its metric, without the split.
        rows: as they are.
    """
    usual = loss_metric(rows.task)
    for metric in (*sorted(metrics, key=lambda each: each.name != objective), usual):
        with suppress(UndefinedError):
            if metric.type in DERIVATIVES:
                _value_and_derivatives(metric, rows)
                return metric
    return None


def importance(
    metric: Metric,
    rows: Rows | SeveralRows,
    permuted: Iterable[tuple[np.ndarray, Rows | SeveralRows]],
    groups: np.ndarray | None = None,
) -> Importance:
    """Return the importance of a column.

    With the derivatives D of the metric by the weights of the rows, D' after permutation k, and δ = D - D', row i adds

        Δ(i) = mean over k of (δ(i) + δ(the row that was given the value of row i)),

    and the standard error is the root of Σ Δ(i)². It is that of other rows and other permutations: what differs from
    one permutation to the next is in the mean of K such terms, which makes the variance too large by a part of 1 / K.
    The interval is the value ± Student's t with n - 1 degrees of freedom times that. Rows of one group count as one: Δ
    is summed over each, and n is the number of groups.

    Args:
        metric: one that `importance_metric` returns.
        rows: as they are (n,).
        permuted: for each permutation the numbers (n,) of the rows whose values the rows were given, and the rows with
            what is predicted then.
        groups: (n,) of any values, equal for rows that belong together; None where each is for itself.

    Raises:
        UndefinedError: a prediction is NaN or infinite then.
    """
    before, derivatives = _value_and_derivatives(metric, rows)
    lost, influence = [], np.zeros(len(derivatives))
    for giver, shuffled in permuted:
        after, then = _value_and_derivatives(metric, shuffled)
        lost.append(before - after)
        influence += derivatives - then
        influence[giver] += derivatives - then
    value = float(np.mean(lost)) * (1 if metric.direction == "max" else -1)
    together = numbered(groups)
    units = units_of(rows, together)
    if units < FEWEST_ROWS:
        return Importance(value, None)
    error = standard_error(influence / len(lost), together)
    return Importance(value, around(value, student_t(units - 1) * error))


def _value_and_derivatives(metric: Metric, rows: Rows | SeveralRows) -> tuple[float, np.ndarray]:
    if not np.isfinite(rows.predictions).all():
        raise UndefinedError("a prediction is NaN or infinite")
    derivatives = derivatives_of(metric, rows)
    if derivatives is None:
        raise UndefinedError(f"'{metric.name}' has no derivative by the weight of a row")
    return value_of(metric, rows), derivatives
