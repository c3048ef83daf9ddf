"""The formulas of the metrics, vectorised over the rows, in float64.

They equal scikit-learn's (`zero_division=0`) to rounding, without its second of import time. Where a metric has no
value, as the ROC AUC of rows of one class, the formula raises `UndefinedError`; scikit-learn gives a number in some of
these cases (average precision without a positive row: 0; explained variance of one row: 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mltrain.evaluation import weighting
from mltrain.evaluation.losses import LOSSES
from mltrain.evaluation.margins import FROM_MARGINS, Margins
from mltrain.evaluation.metric import Metric, OwnMetric
from mltrain.evaluation.own_values import own_value
from mltrain.evaluation.ranking import Ranking
from mltrain.evaluation.rows import Rows, UndefinedError


def _mean_loss(metric: Metric, rows: Rows) -> float:
    return rows.mean(LOSSES[metric.type](metric, rows))


def _of_margins(metric: Metric, rows: Rows) -> float:
    return FROM_MARGINS[metric.type](metric, rows.task, Margins.of(rows.table)).item()


def _cohen_kappa(metric: Metric, rows: Rows) -> float:
    if np.trace(rows.table) == rows.table.sum() == rows.table.sum(axis=1).max():
        raise UndefinedError("all rows belong to one class and are predicted as that class")
    return _of_margins(metric, rows)


def _roc_auc(metric: Metric, rows: Rows) -> float:
    return float(np.mean([class_roc_auc(ranking) for ranking in rows.rankings()]))


def class_roc_auc(ranking: Ranking) -> float:
    """Mann-Whitney's U over its maximum, from midranks; in integers (twice the rank), so that ties cost no digits."""
    positives, negatives = ranking.positives, ranking.negatives
    if not positives or not negatives:
        raise UndefinedError(f"{'all' if positives else 'no'} rows are of class '{ranking.name}'")
    count = ranking.count
    if ranking.weights is not None:
        others = count - ranking.found
        below = np.cumsum(others[::-1])[::-1] - others / 2
        return float((ranking.found * below).sum() / (positives * others.sum()))
    twice_rank = 2 * np.cumsum(count[::-1])[::-1] - count + 1
    twice_u = int((twice_rank * ranking.found).sum()) - positives * (positives + 1)
    return twice_u / (2 * positives * negatives)


def _pr_auc(metric: Metric, rows: Rows) -> float:
    return float(np.mean([class_pr_auc(ranking) for ranking in rows.rankings()]))


def class_pr_auc(ranking: Ranking) -> float:
    """Sum over the thresholds of precision times the step in recall; interpolating between them is too optimistic."""
    if not ranking.positives:
        raise UndefinedError(f"no rows are of class '{ranking.name}'")
    return float((ranking.precision * ranking.found).sum() / ranking.positives)


def _rmse(metric: Metric, rows: Rows) -> float:
    return np.sqrt(rows.mean(rows.errors**2))


def _median_absolute_error(metric: Metric, rows: Rows) -> float:
    if rows.weights is not None:
        return weighting.median(np.abs(rows.errors), rows.weights)
    return np.median(np.abs(rows.errors))


def _explained(errors: np.ndarray, rows: Rows) -> float:
    """Return 1 - sum of squares of errors / of target; of a constant target 1 if it is met, else 0, as scikit-learn."""
    weights, deviations = rows.weights, rows.target - rows.mean(rows.target)
    if (len(rows.target) if weights is None else np.count_nonzero(weights)) < 2:
        raise UndefinedError("one row has no variance")
    unexplained, whole = (np.sum(each**2 if weights is None else weights * each**2) for each in (errors, deviations))
    return 1 - unexplained / whole if whole else float(unexplained == 0)


def _r2(metric: Metric, rows: Rows) -> float:
    return _explained(rows.errors, rows)


def _explained_variance(metric: Metric, rows: Rows) -> float:
    return _explained(rows.errors - rows.mean(rows.errors), rows)


# Each formula takes the metric of its own name, which a dict's type cannot say.
FORMULAS: dict[str, Callable[[Any, Rows], float]] = {
    **dict.fromkeys(FROM_MARGINS, _of_margins),
    **dict.fromkeys(LOSSES, _mean_loss),
    "cohen_kappa": _cohen_kappa,
    "roc_auc": _roc_auc,
    "pr_auc": _pr_auc,
    "rmse": _rmse,
    "median_absolute_error": _median_absolute_error,
    "r2": _r2,
    "explained_variance": _explained_variance,
}


def value_of(metric: Metric, rows: Rows) -> float:
    """Return the value of a metric, ours or a plugin's.

    Raises:
        UndefinedError: it has none for these rows.
        PluginError: a metric of a plugin fails.
    """
    return own_value(metric, rows) if isinstance(metric, OwnMetric) else float(FORMULAS[metric.type](metric, rows))
