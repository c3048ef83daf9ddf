"""What is measured on the rows of a split, in the form of metrics.json: values, their intervals, and the classes."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from mltrain.evaluation.calibration import calibration
from mltrain.evaluation.catalogue import OF_LABEL
from mltrain.evaluation.interval_forms import Interval, f1_interval, wilson
from mltrain.evaluation.intervals import class_intervals, intervals, weighted_share
from mltrain.evaluation.margins import Margins, per_class
from mltrain.evaluation.metric import Metric
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.rows import Rows
from mltrain.evaluation.several import SeveralRows
from mltrain.run.split_result import ClassResult, MetricValue, OutputResult


def draw_seed(seed: int, name: str) -> int:
    """Return the seed of the draws for some rows, from the experiment's and the name of the rows: `test`, `sex=f`."""
    return zlib.crc32(f"{seed} {name}".encode("utf-8", "backslashreplace"))


def metric_results(
    metrics: Sequence[Metric], rows: Rows | SeveralRows, seed: int | None, groups: np.ndarray | None = None
) -> dict[str, MetricValue]:
    """Return the value of each metric by its name, with its interval as far as it has one.

    Args:
        metrics: as for `measure`, and so are the rows.
        seed: of the draws; None for rows whose values need no interval.
        groups: as for `intervals`.
    """
    values, reasons = measure(metrics, rows)
    found = {} if seed is None else intervals(metrics, rows, seed=seed, groups=groups)
    return {name: _result(value, found.get(name), reasons.get(name)) for name, value in values.items()}


def class_results(metrics: Sequence[Metric], rows: Rows, groups: np.ndarray | None = None) -> dict[str, ClassResult]:
    """Return rows, precision, recall and F1 of each class by its name; of several classes also its areas against the
    rest, where they are among the metrics. Arguments as for `metric_results`."""
    margins = Margins.of(rows.confusion)
    shown = margins if rows.weights is None else Margins.of(rows.table)
    values = {kind: per_class(kind, shown).tolist() for kind in ("precision", "recall", "f1")}
    areas = [metric for metric in metrics if metric.type in ("roc_auc", "pr_auc")] if rows.task == "multiclass" else []
    columns = zip(margins.correct.tolist(), margins.of_class.tolist(), margins.as_class.tolist(), strict=True)
    drawn = None if groups is None else class_intervals(rows, groups, seed=0)
    table = {}
    for number, (name, (correct, of_class, as_class)) in enumerate(zip(rows.classes, columns, strict=True)):
        found = {
            "precision": wilson(correct, as_class),
            "recall": wilson(correct, of_class),
            "f1": f1_interval(correct, of_class + as_class - 2 * correct),
        }
        if rows.weights is not None:
            found = {kind: weighted_share(kind, rows, rows.weights, number) for kind in found}
        if drawn is not None:
            found = {kind: None if each is None else drawn[kind][number] for kind, each in found.items()}
        measured: dict[str, Any] = {kind: _result(values[kind][number], found[kind]) for kind in found}
        if areas:  # which need no draws
            measured |= metric_results(areas, rows.against_rest(number), seed=0, groups=groups)
        table[name] = ClassResult(n=of_class, **measured)
    return table


def output_results(
    metrics: Sequence[Metric],
    rows: SeveralRows,
    names: Sequence[str],
    seed: int | None,
    bins: int,
    groups: np.ndarray | None = None,
) -> dict[str, OutputResult]:
    """Return what is measured of each of several targets by its name: of a label the usual metrics of two classes, its
    confusion matrix and its calibration, of numbers the metrics that are measured of all.

    Args:
        metrics: as for `metric_results`, and so are rows, seed and groups.
        names: of the targets.
        bins: of the reliability curve.
    """
    found = {}
    for name, one in zip(names, rows.outputs, strict=True):
        if rows.task != "multilabel":
            found[name] = OutputResult(metrics=metric_results(metrics, one, seed, groups))
            continue
        calibrated: dict[str, Any] = {}
        if seed is not None and np.isfinite(one.predictions).all():
            calibrated["calibration"] = calibration(one.task, one.target, one.predictions, bins).result()
        measured = metric_results(OF_LABEL, one, seed, groups)
        found[name] = OutputResult(metrics=measured, confusion_matrix=one.confusion.tolist(), **calibrated)
    return found


def _result(value: float, interval: Interval | None, reason: str | None = None) -> MetricValue:
    found: dict[str, Any] = {} if interval is None else {"low": interval.low, "high": interval.high}
    if reason is not None:
        found["undefined"] = reason
    return MetricValue(value=value if math.isfinite(value) else None, **found)
