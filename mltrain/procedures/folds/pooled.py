"""The tests of all folds taken as one: each row as it was predicted by the run that has it in its test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mltrain.comparison.compared_run import ComparedRun
from mltrain.errors import RunError
from mltrain.evaluation.counts import confusion_matrix
from mltrain.evaluation.metric import Metric, OwnMetric, of_decisions
from mltrain.evaluation.several import rows_of
from mltrain.evaluation.split_results import metric_results
from mltrain.outputs import KINDS
from mltrain.run.folds_form import Pooled
from mltrain.run.predictions import StoredPredictions
from mltrain.run.split_result import MetricValue

_RANKINGS = ("roc_auc", "pr_auc")


def pooled(runs: Sequence[ComparedRun]) -> Pooled:
    """Return the metrics of all rows at once, as far as they mean something there.

    A ranking over rows of several models does not, as their scores are not comparable; of counts, as those behind F1,
    pooling is the least biased (Forman and Scholz, "Apples-to-apples in cross-validation studies", SIGKDD Explorations
    12(1), 2010).

    Raises:
        RunError: they are not the folds of one set of rows.
    """
    stored = [_test(run) for run in runs]
    _refuse_strangers(runs, stored)
    first = runs[0]
    task, classes = first.task, first.classes
    target = np.concatenate([each.target for each in stored])
    values = np.concatenate([each.values for each in stored])
    decided = values
    if task == "binary":
        # Each by the threshold of its own run: as certain predictions they are what every formula makes of them.
        of_each = [run.decided(each) for run, each in zip(runs, stored, strict=True)]
        decided = np.concatenate(of_each).astype(np.float64)
    known = [each.weights for each in stored if each.weights is not None]
    weights = np.concatenate(known) if len(known) == len(stored) else None
    left_out = {metric.name: why for metric in first.measured if (why := _unsound(metric))}
    results: dict[str, MetricValue] = {}
    for metric in first.measured:
        if metric.name not in left_out:
            predictions = decided if of_decisions(metric) else values
            results |= metric_results([metric], rows_of(task, target, predictions, classes, weights=weights), seed=None)
    kind = KINDS[task]
    matrix = confusion_matrix(target, kind.decide(decided), len(classes)).tolist() if kind.of_classes else ()
    return Pooled(n=len(target), metrics=results, confusion_matrix=tuple(map(tuple, matrix)), left_out=left_out)


def _test(run: ComparedRun) -> StoredPredictions:
    stored = run.directory.predictions("test")
    if stored is None:
        raise RunError(f"{run.directory.path}: the run has no predictions of test rows")
    if not run.fits(stored):
        raise RunError(f"{run.directory.path}: the predictions that it keeps are not those of a {run.task}")
    return stored


def _refuse_strangers(runs: Sequence[ComparedRun], stored: Sequence[StoredPredictions]) -> None:
    """Refuse runs of other data, or whose tests are not each row once."""
    first = runs[0]
    for run, each in zip(runs, stored, strict=True):
        if run.data is None or run.data != first.data:
            raise RunError(f"{run.directory.path}: was trained on other data than {first.directory.path.name}")
        same_form = _form(each) == _form(stored[0])
        if (run.task, run.classes) != (first.task, first.classes) or not same_form:
            raise RunError(f"{run.directory.path}: has another task or other classes than {first.directory.path.name}")
    data = first.directory.record().data
    tested = np.sort(np.concatenate([each.rows for each in stored]))
    if data is None or not np.array_equal(tested, np.arange(data.rows)):
        where = first.directory.path.parent
        raise RunError(
            f"{where}: the folds do not test every row exactly once, so they are not from one cross-validation"
        )


def _form(stored: StoredPredictions) -> tuple[object, ...]:
    return stored.target.dtype, stored.target.shape[1:], stored.values.shape[1:]


def _unsound(metric: Metric) -> str | None:
    if isinstance(metric, OwnMetric):
        function = metric.given()
        known = function.of_rows or function.takes == "classes"
        return None if known else "a metric of a plugin may rank, and scores of several models are not comparable"
    if metric.type in _RANKINGS:
        return "the scores of several models are not comparable, so that their rows have no common ranking"
    return None
