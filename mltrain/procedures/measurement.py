"""Measuring every split with the model of a run, in the form of metrics.json. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.splits.keys import several
from mltrain.evaluation.calibration import calibration, tempered
from mltrain.evaluation.chance import against_chance
from mltrain.evaluation.rows import Rows
from mltrain.evaluation.several import SeveralRows, rows_of
from mltrain.evaluation.split_results import class_results, draw_seed, metric_results, output_results
from mltrain.evaluation.weighting import effective
from mltrain.outputs import KINDS
from mltrain.procedures.network import Network
from mltrain.procedures.slices import Slice
from mltrain.run.decision import DecisionRule
from mltrain.run.results import ChanceResult
from mltrain.run.split_result import Groups, MetricValue, SliceResult, SplitResult, Weights

# A slice of fewer rows is measured, and its intervals are wide; that it is small is what there is to say first.
FEW_ROWS = 20


@dataclass(frozen=True)
class Predicted:
    """What a network says of a split.

    Attributes:
        logs: the loss and the metrics of Keras, by name.
        values: the predictions as `Network.predictions` describes them.
    """

    logs: Mapping[str, float]
    values: np.ndarray

    def tempered(self, network: Network, rule: DecisionRule) -> Predicted:
        """Return these with the temperature of `rule` in the probabilities; the loss stays that of the network."""
        if rule.temperature is None:
            return self
        return Predicted(self.logs, tempered(network.info.task, self.values, rule.temperature))


def predict_split(network: Network, examples: Examples, between_chunks: Callable[[], None] = lambda: None) -> Predicted:
    """Return what a network with the weights to measure says of a split."""
    logs, outputs = network.evaluation(examples).run(between_chunks)
    return Predicted(logs, network.predictions(outputs))


def measure_split(
    network: Network,
    examples: Examples,
    predicted: Predicted,
    threshold: float,
    name: str,
    slices: Sequence[Slice] = (),
    between_chunks: Callable[[], None] = lambda: None,
) -> SplitResult:
    """Return the results of a split.

    The rows of the training have no intervals, classes or slices: they are no sample of the rows that will come.

    Args:
        network: that predicted.
        examples: of the split.
        predicted: for them, with the temperature of the run in it.
        threshold: of the run.
        name: of the split, or of the file that the rows are from.
        slices: rows of the split to measure apart, too.
        between_chunks: called after each slice.
    """
    predictions, truth = predicted.values, examples.truth
    task, held_out = network.info.task, name != "train"
    metrics = network.spec.evaluation.metrics_for(task)

    def results(part: slice | np.ndarray, of_what: str) -> tuple[dict[str, MetricValue], Rows | SeveralRows]:
        seed = draw_seed(network.spec.seed, of_what) if held_out else None
        groups = None if examples.groups is None else several(examples.groups[part])
        forecasts = None if examples.forecasts is None else examples.forecasts.take(part)
        weights = None if examples.weights is None else examples.weights[part]
        classes = network.info.output.classes
        rows = rows_of(task, truth[part], predictions[part], classes, threshold, forecasts, weights)
        return metric_results(metrics, rows, seed, groups), rows

    losses = {key: MetricValue(value=value if math.isfinite(value) else None) for key, value in predicted.logs.items()}
    measured, rows = results(slice(None), name)
    result: dict[str, Any] = {"n": len(truth), "metrics": losses | measured}
    if examples.groups is not None and held_out:
        columns = network.spec.data.split.key_columns
        result["groups"] = Groups(columns=columns, n=len(np.unique(examples.groups)))
    if examples.weights is not None:
        column, rows_in_effect = str(network.spec.data.sample_weight), effective(examples.weights)
        result["weights"] = Weights(column=column, effective_rows=rows_in_effect)
    if examples.missing:
        result["missing_values"] = dict(examples.missing)
    if examples.unknown:
        result["unknown_categories"] = dict(examples.unknown)
    bins = network.spec.evaluation.calibration.bins
    if isinstance(rows, SeveralRows):
        seed = draw_seed(network.spec.seed, name) if held_out else None
        names = network.info.output.columns
        result["outputs"] = output_results(metrics, rows, names, seed, bins, examples.groups)
    elif KINDS[task].of_classes:
        result["confusion_matrix"] = rows.confusion.tolist()
        if held_out:
            result["classes"] = class_results(metrics, rows, examples.groups)
            if np.isfinite(predictions).all():
                result["calibration"] = calibration(task, truth, predictions, bins, examples.weights).result()
    if slices:
        result["slices"] = []
    for each in _measured(slices, examples):
        units = len(each.rows) if examples.groups is None else len(np.unique(examples.groups[each.rows]))
        few = {"few_rows": True} if units < FEW_ROWS else {}
        measured, _ = results(each.rows, each.name)
        result["slices"].append(SliceResult(slice=each.name, n=len(each.rows), metrics=measured, **few))
        between_chunks()
    return SplitResult(**result)


def _measured(slices: Sequence[Slice], examples: Examples) -> list[Slice]:
    """Return the slices that can be measured: of which a row counts."""
    return [each for each in slices if examples.weights is None or examples.weights[each.rows].any()]


def chance_of(
    network: Network,
    examples: Examples,
    predictions: np.ndarray,
    threshold: float,
    training_truth: np.ndarray,
    split: str,
) -> ChanceResult:
    """Return what a test on the counts says of the accuracy of a split, which has one target with classes."""
    predicted = KINDS[network.info.task].decide(predictions, threshold)
    chance = against_chance(examples.truth, predicted, network.info.output.classes, training_truth, examples.groups)
    return ChanceResult(
        split=split,
        correct=chance.correct,
        expected=chance.expected,
        p_value=chance.p_value,
        better=chance.better,
        sentence=chance.sentence(split),
    )
