"""Measuring every split with the model of a run, in the form of metrics.json. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mltrain.data.preparation import Examples
from mltrain.evaluation.chance import against_chance
from mltrain.evaluation.counts import confusion_matrix, decide
from mltrain.evaluation.metrics import measure, undefined
from mltrain.procedures.network import Network


def measure_split(
    network: Network, examples: Examples, between_chunks: Callable[[], None] = lambda: None
) -> tuple[dict[str, Any], np.ndarray]:
    """Measure one split.

    Args:
        network: with the weights to measure.
        examples: of the split.
        between_chunks: as for `EvaluationLoop.run`.

    Returns:
        The split's part of metrics.json, and the predictions as `Network.predictions` describes them.
    """
    logs, outputs = network.evaluation(examples).run(between_chunks)
    predictions = network.predictions(outputs)
    task, classes = network.info.task, network.info.classes
    metrics = network.spec.evaluation.metrics_for(task)
    values = logs | measure(metrics, task, examples.truth, predictions, classes)
    reasons = undefined(metrics, task, examples.truth, predictions, classes)
    result: dict[str, Any] = {"n": len(examples.truth), "metrics": {}}
    for name, value in values.items():
        result["metrics"][name] = {"value": value if math.isfinite(value) else None}
        if name in reasons:
            result["metrics"][name]["undefined"] = reasons[name]
    if examples.missing:
        result["missing_values"] = dict(examples.missing)
    if examples.unknown:
        result["unknown_categories"] = dict(examples.unknown)
    if task != "regression":
        confusion = confusion_matrix(examples.truth, decide(task, predictions), len(classes))
        result["confusion_matrix"] = confusion.tolist()
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
