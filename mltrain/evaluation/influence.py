"""What each row contributes to the error of a metric: its derivative by the weight of the row.

For a metric of weighted rows, the sum of the squared derivatives is the variance that the bootstrap of the rows tends
to (the infinitesimal jackknife: Jaeckel, 1972; Efron, Nonparametric estimates of standard error, 1981), without a draw,
and for ROC AUC it is that of DeLong. Rows that have weights of their own are drawn with them: the squares are then
those of the sandwich variance of weighted rows. The derivatives of two models on the same rows, subtracted, give the
paired difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mltrain.evaluation import weighting
from mltrain.evaluation.catalogue import Mse
from mltrain.evaluation.formulas import class_pr_auc, class_roc_auc
from mltrain.evaluation.losses import LOSSES
from mltrain.evaluation.metric import Metric, OwnMetric
from mltrain.evaluation.own_values import own_losses
from mltrain.evaluation.ranking import Ranking
from mltrain.evaluation.rows import Rows, UndefinedError


def standard_error(derivatives: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Return the standard error of a metric.

    Args:
        derivatives: of each row (n,).
        groups: (n,) whole numbers from 0, each of which occurs: rows of one group are drawn together. None where every
            row is for itself.
    """
    units = derivatives if groups is None else np.bincount(groups, derivatives)
    of_few_groups = 1.0 if groups is None else len(units) / max(len(units) - 1, 1)
    largest = float(np.abs(units).max())  # the square of an error in Euros or in metres may be no float
    return largest and largest * math.sqrt(of_few_groups * float(np.sum((units / largest) ** 2)))


def _mean_loss(metric: Metric, rows: Rows) -> np.ndarray:
    losses = own_losses(metric, rows) if isinstance(metric, OwnMetric) else LOSSES[metric.type](metric, rows)
    return _of_rows(losses - rows.mean(losses), rows)


def _rmse(metric: Metric, rows: Rows) -> np.ndarray:
    value, of_mse = np.sqrt(rows.mean(rows.errors**2)), _mean_loss(Mse(), rows)
    return of_mse / (2 * value) if value else of_mse


def _explained(errors: np.ndarray, rows: Rows) -> np.ndarray:
    unexplained, deviation = errors**2, (rows.target - rows.mean(rows.target)) ** 2
    whole = rows.mean(deviation)
    if not whole:
        raise UndefinedError("the target is constant")
    ratio = rows.mean(unexplained) / whole
    if rows.weights is None:
        return (ratio * deviation - unexplained) / (whole * _unbiased(len(rows.target)))
    return _of_rows((ratio * deviation - unexplained) / whole, rows)


def _r2(metric: Metric, rows: Rows) -> np.ndarray:
    return _explained(rows.errors, rows)


def _explained_variance(metric: Metric, rows: Rows) -> np.ndarray:
    return _explained(rows.errors - rows.mean(rows.errors), rows)


def _roc_auc(metric: Metric, rows: Rows) -> np.ndarray:
    return _mean_of_classes(_class_roc_auc, rows)


def _class_roc_auc(ranking: Ranking) -> np.ndarray:
    """The structural components of DeLong, DeLong and Clarke-Pearson, 1988, from midranks as in Sun and Xu, Fast
    implementation of DeLong's algorithm, 2014."""
    positives, negatives, value = ranking.positives, ranking.negatives, class_roc_auc(ranking)
    others = ranking.count - ranking.found
    below = negatives - np.cumsum(others) + others / 2
    above = np.cumsum(ranking.found) - ranking.found / 2
    if ranking.weights is not None:
        member = ranking.member
        shares = np.where(member, *(weighting.unbiased(ranking.weights * each) for each in (member, ~member)))
        return shares * (
            np.where(member, (below / negatives)[ranking.threshold], (above / positives)[ranking.threshold]) - value
        )
    of_positive = (below / negatives - value) / _unbiased(positives)
    of_negative = (above / positives - value) / _unbiased(negatives)
    return np.where(ranking.member, of_positive[ranking.threshold], of_negative[ranking.threshold])


def _pr_auc(metric: Metric, rows: Rows) -> np.ndarray:
    return _mean_of_classes(_class_pr_auc, rows)


def _class_pr_auc(ranking: Ranking) -> np.ndarray:
    """The derivative of the sum over the rows of the class of (rows of it / rows) at its score and above.

    A row has its own term if it is of the class, and stands in the two sums of every row with its score or a lower one.
    """
    rows_above, value = np.cumsum(ranking.count), class_pr_auc(ranking)
    as_found = np.cumsum((ranking.found / rows_above)[::-1])[::-1]
    as_row = np.cumsum((ranking.found * ranking.precision / rows_above)[::-1])[::-1]
    own = (ranking.precision - value + as_found)[ranking.threshold]
    found = np.where(ranking.member, own, 0.0) - as_row[ranking.threshold]
    if ranking.weights is None:
        return found / _unbiased(ranking.positives)
    rows = weighting.effective(ranking.weights * ranking.member)
    return found * ranking.weights / ranking.positives * (math.sqrt(rows / (rows - 1)) if rows > 1 else 1.0)


def _mean_of_classes(of_class: Callable[[Ranking], np.ndarray], rows: Rows) -> np.ndarray:
    mean = np.zeros(len(rows.target))
    counting = slice(None) if rows.weights is None else rows.weights > 0  # a ranking has no other rows
    for ranking in rows.rankings():
        mean[counting] += of_class(ranking) / (1 if rows.task == "binary" else len(rows.classes))
    return mean


def _of_rows(deviations: np.ndarray, rows: Rows) -> np.ndarray:
    """Return the derivatives of a mean from the deviations of the rows from it (n,)."""
    if rows.weights is None:
        return deviations / _unbiased(len(deviations))
    return deviations * weighting.unbiased(rows.weights)


def _unbiased(n: float) -> float:
    """Return what stands for n so that the squares of n deviations from their mean give an unbiased variance."""
    return float(np.sqrt(n * max(n - 1, 1)))


# Each takes the metric of its own name, which a dict's type cannot say.
DERIVATIVES: dict[str, Callable[[Any, Rows], np.ndarray]] = {
    **dict.fromkeys(LOSSES, _mean_loss),
    "roc_auc": _roc_auc,
    "pr_auc": _pr_auc,
    "rmse": _rmse,
    "r2": _r2,
    "explained_variance": _explained_variance,
}


def derivatives_of(metric: Metric, rows: Rows) -> np.ndarray | None:
    """Return the derivatives of a metric (n,), ours or a plugin's; None where none are known.

    Raises:
        UndefinedError: there are none for these rows.
        PluginError: a metric of a plugin fails.
    """
    if isinstance(metric, OwnMetric):
        return _mean_loss(metric, rows) if metric.given().of_rows else None
    return DERIVATIVES[metric.type](metric, rows) if metric.type in DERIVATIVES else None
