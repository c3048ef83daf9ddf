"""Measuring every split with the model of a run, in the form of metrics.json. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mltrain.data.preparation import Examples
from mltrain.evaluation.chance import against_chance
from mltrain.evaluation.counts import confusion_matrix, decide
from mltrain.evaluation.split_results import class_results, draw_seed, metric_results
from mltrain.procedures.network import Network
from mltrain.procedures.slices import Slice

# A slice of fewer rows is measured, and its intervals are wide; that it is small is what there is to say first.
FEW_ROWS = 20


def measure_split(
    network: Network,
    examples: Examples,
    name: str,
    slices: Sequence[Slice] = (),
    between_chunks: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Any], np.ndarray]:
    """Measure one split.

    The rows of the training have no intervals, classes or slices: they are no sample of the rows that will come.

    Args:
        network: with the weights to measure.
        examples: of the split.
        name: of the split, or of the file that the rows are from.
        slices: rows of the split to measure apart, too.
        between_chunks: as for `EvaluationLoop.run`.

    Returns:
        The split's part of metrics.json, and the predictions as `Network.predictions` describes them.
    """
    logs, outputs = network.evaluation(examples).run(between_chunks)
    predictions, truth = network.predictions(outputs), examples.truth
    task, classes, held_out = network.info.task, network.info.classes, name != "train"
    metrics = network.spec.evaluation.metrics_for(task)

    def results(rows: slice | np.ndarray, of_what: str) -> dict[str, Any]:
        seed = draw_seed(network.spec.seed, of_what) if held_out else None
        return metric_results(metrics, task, truth[rows], predictions[rows], classes, seed)

    losses = {key: {"value": value if math.isfinite(value) else None} for key, value in logs.items()}
    result: dict[str, Any] = {"n": len(truth), "metrics": losses | results(slice(None), name)}
    if examples.missing:
        result["missing_values"] = dict(examples.missing)
    if examples.unknown:
        result["unknown_categories"] = dict(examples.unknown)
    if task != "regression":
        confusion = confusion_matrix(truth, decide(task, predictions), len(classes))
        result["confusion_matrix"] = confusion.tolist()
        if held_out:
            result["classes"] = class_results(metrics, task, truth, predictions, classes)
    if slices:
        result["slices"] = []
    for each in slices:
        part: dict[str, Any] = {"slice": each.name, "n": len(each.rows), "metrics": results(each.rows, each.name)}
        if len(each.rows) < FEW_ROWS:
            part["few_rows"] = True
        result["slices"].append(part)
        between_chunks()
    return result, predictions


def chance_of(
    network: Network, examples: Examples, predictions: np.ndarray, training_truth: np.ndarray, split: str
) -> Any:
    """Return what a test on the counts says of the accuracy of a split, for metrics.json; None for regression."""
    if network.info.task == "regression":
        return None
    predicted = decide(network.info.task, predictions)
    chance = against_chance(examples.truth, predicted, network.info.classes, training_truth)
    return {
        "split": split,
        "correct": chance.correct,
        "expected": chance.expected,
        "p_value": chance.p_value,
        "better": chance.better,
        "sentence": chance.sentence(split),
    }
