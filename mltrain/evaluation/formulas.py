"""The formulas of the metrics, vectorised over the rows, in float64.

They equal scikit-learn's (`zero_division=0`) to rounding, without its second of import time. Where a metric has no
value, as the ROC AUC of rows of one class, the formula raises `UndefinedError`; scikit-learn gives a number in some of
these cases (average precision without a positive row: 0; explained variance of one row: 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mltrain.evaluation.catalogue import AveragedMetric, Metric, TopKAccuracy
from mltrain.evaluation.counts import per_class
from mltrain.evaluation.rows import Rows, UndefinedError


def _averaged(metric: AveragedMetric, rows: Rows) -> float:
    values = per_class(metric.type, rows.confusion)
    of_class, as_class = rows.confusion.sum(axis=1), rows.confusion.sum(axis=0)
    if metric.average == "auto" and rows.task == "binary":
        return values[1]
    if metric.average == "micro":
        return _accuracy(metric, rows)
    if metric.average == "weighted":
        return values @ of_class / of_class.sum()
    # A class that neither occurs nor is predicted says nothing about the model.
    return values[of_class + as_class > 0].mean()


def _accuracy(metric: Metric, rows: Rows) -> float:
    return np.mean(rows.predicted == rows.target)


def _balanced_accuracy(metric: Metric, rows: Rows) -> float:
    return per_class("recall", rows.confusion)[rows.confusion.sum(axis=1) > 0].mean()


def _top_k_accuracy(metric: TopKAccuracy, rows: Rows) -> float:
    """Ties go to the first class, as in `decide`: k = 1 is the accuracy. scikit-learn gives them to the last one."""
    most_probable = np.argsort(-rows.predictions, axis=1, kind="stable")[:, : metric.k]
    return np.mean((most_probable == rows.target[:, None]).any(axis=1))


def _mcc(metric: Metric, rows: Rows) -> float:
    """Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004, equation 8."""
    n, correct = rows.confusion.sum(), np.trace(rows.confusion)
    of_class, as_class = rows.confusion.sum(axis=1).astype(np.float64), rows.confusion.sum(axis=0).astype(np.float64)
    spread = (n**2 - of_class @ of_class) * (n**2 - as_class @ as_class)
    return 0.0 if spread == 0 else (correct * n - of_class @ as_class) / np.sqrt(spread)


def _cohen_kappa(metric: Metric, rows: Rows) -> float:
    n, correct = rows.confusion.sum(), np.trace(rows.confusion)
    by_shares = rows.confusion.sum(axis=1) @ rows.confusion.sum(axis=0)
    if by_shares == n * n:
        raise UndefinedError("all rows are of one class, and predicted as that class")
    return 1 - (n - correct) / (n - by_shares / n)


def _one_against_rest(rows: Rows) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, membership (n,) and score (n,) of the positive class, for multiclass of every class."""
    if rows.task == "binary":
        yield rows.classes[1], rows.target == 1, rows.predictions
    else:
        for position, name in enumerate(rows.classes):
            yield name, rows.target == position, rows.predictions[:, position]


def _roc_auc(metric: Metric, rows: Rows) -> float:
    return float(np.mean([_class_roc_auc(*each) for each in _one_against_rest(rows)]))


def _class_roc_auc(name: str, member: np.ndarray, score: np.ndarray) -> float:
    """Mann-Whitney's U over its maximum, from midranks; in integers (twice the rank), so that ties cost no digits."""
    positives, negatives = int(member.sum()), int((~member).sum())
    if not positives or not negatives:
        raise UndefinedError(f"{'all' if positives else 'no'} rows are of class '{name}'")
    _, value, count = np.unique(score, return_inverse=True, return_counts=True)
    twice_rank = 2 * np.cumsum(count) - count + 1
    twice_u = int(twice_rank[value[member]].sum()) - positives * (positives + 1)
    return twice_u / (2 * positives * negatives)


def _pr_auc(metric: Metric, rows: Rows) -> float:
    return float(np.mean([_class_pr_auc(*each) for each in _one_against_rest(rows)]))


def _class_pr_auc(name: str, member: np.ndarray, score: np.ndarray) -> float:
    """Sum over the thresholds of precision times the step in recall; interpolating between them is too optimistic."""
    if not member.any():
        raise UndefinedError(f"no rows are of class '{name}'")
    _, value, count = np.unique(-score, return_inverse=True, return_counts=True)
    found = np.bincount(value, weights=member, minlength=len(count))
    precision = np.cumsum(found) / np.cumsum(count)
    return precision @ found / found.sum()


def _log_loss(metric: Metric, rows: Rows) -> float:
    if rows.task == "binary":
        probability = np.where(rows.target == 1, rows.predictions, 1 - rows.predictions)
    else:
        probability = rows.predictions[np.arange(len(rows.target)), rows.target]
    # A float32 sigmoid that says 1 means "above 1 - 1e-7": clipped there, one such error costs 16 and not 36.
    return -np.log(np.clip(probability, rows.resolution, 1 - rows.resolution)).mean()


def _brier(metric: Metric, rows: Rows) -> float:
    if rows.task == "binary":
        return np.mean((rows.predictions - rows.target) ** 2)
    return np.sum((rows.predictions - np.eye(len(rows.classes))[rows.target]) ** 2, axis=1).mean()


def _mse(metric: Metric, rows: Rows) -> float:
    return np.mean(rows.errors**2)


def _rmse(metric: Metric, rows: Rows) -> float:
    return np.sqrt(np.mean(rows.errors**2))


def _mae(metric: Metric, rows: Rows) -> float:
    return np.mean(np.abs(rows.errors))


def _median_absolute_error(metric: Metric, rows: Rows) -> float:
    return np.median(np.abs(rows.errors))


def _mape(metric: Metric, rows: Rows) -> float:
    return np.mean(np.abs(rows.errors) / np.maximum(np.abs(rows.target), np.finfo(np.float64).eps))


def _explained(errors: np.ndarray, target: np.ndarray) -> float:
    """Return 1 - sum of squares of errors / of target; of a constant target 1 if it is met, else 0, as scikit-learn."""
    if len(target) < 2:
        raise UndefinedError("one row has no variance")
    unexplained, whole = np.sum(errors**2), np.sum((target - target.mean()) ** 2)
    return 1 - unexplained / whole if whole else float(unexplained == 0)


def _r2(metric: Metric, rows: Rows) -> float:
    return _explained(rows.errors, rows.target)


def _explained_variance(metric: Metric, rows: Rows) -> float:
    return _explained(rows.errors - rows.errors.mean(), rows.target)


# Each formula takes the metric of its own name, which a dict's type cannot say.
FORMULAS: dict[str, Callable[[Any, Rows], float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": _averaged,
    "recall": _averaged,
    "f1": _averaged,
    "roc_auc": _roc_auc,
    "pr_auc": _pr_auc,
    "log_loss": _log_loss,
    "brier": _brier,
    "mcc": _mcc,
    "cohen_kappa": _cohen_kappa,
    "top_k_accuracy": _top_k_accuracy,
    "mse": _mse,
    "rmse": _rmse,
    "mae": _mae,
    "median_absolute_error": _median_absolute_error,
    "mape": _mape,
    "r2": _r2,
    "explained_variance": _explained_variance,
}
