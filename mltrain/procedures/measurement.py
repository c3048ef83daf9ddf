"""Measuring every split with the model of a run, in the form of metrics.json. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.splits.keys import several
from mltrain.evaluation.calibration import calibration
from mltrain.evaluation.chance import against_chance
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.rows import Rows
from mltrain.evaluation.several import SeveralRows, rows_of
from mltrain.evaluation.split_results import class_results, draw_seed, metric_results, output_results
from mltrain.evaluation.weighting import effective
from mltrain.outputs import KINDS
from mltrain.procedures.decision import with_temperature
from mltrain.procedures.member_folds import MemberFolds
from mltrain.procedures.network import Network
from mltrain.procedures.networks_apart import NetworksApart
from mltrain.procedures.outputs_apart import apart
from mltrain.procedures.slices import Slice
from mltrain.run.decision import AS_IT_IS, DecisionRule
from mltrain.run.results import ChanceResult
from mltrain.run.split_result import Groups, MetricValue, OutputResult, SliceResult, SplitResult, Weights
from mltrain.task import of_target

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
        return Predicted(self.logs, with_temperature(network.info.output, self.values, rule))


def predict_split(network: Network, examples: Examples, between_chunks: Callable[[], None] = lambda: None) -> Predicted:
    """Return what a network with the weights to measure says of a split."""
    logs, outputs = network.evaluation(examples).run(between_chunks)
    for number, part in enumerate(network.info.output.parts):
        if np.isnan(examples.truth[:, number]).all():
            logs.pop(of_target("loss", part.name))  # a mean of no rows
    return Predicted(logs, network.predictions(outputs))


def predict_out_of_fold(
    network: Network, folds: MemberFolds, train: Examples, between_blocks: Callable[[], None] = lambda: None
) -> Predicted:
    """Return what the networks of an ensemble say of the training rows, each of those that it has left out."""
    of_networks = NetworksApart(network, AS_IT_IS).predictions(train.model_inputs, between_blocks)
    return Predicted({}, folds.out_of_fold(of_networks))


def exact_values(
    network: Network, examples: Examples, values: np.ndarray, rule: DecisionRule = AS_IT_IS
) -> dict[str, float]:
    """Return the value of each exact metric of predictions by its name in results, NaN where it has none."""
    spec, output = network.spec, network.info.output
    if KINDS[output.task].mixed:
        found: dict[str, float] = {}
        for one, each in zip(network.of_outputs(), apart(output, examples, values), strict=True):
            name = each.output.name
            if len(each.rows):
                of_one = exact_values(one, each.examples, each.values, rule.of_output(name))
                found |= {of_target(metric, name): value for metric, value in of_one.items()}
        return found
    metrics = spec.evaluation.metrics_for(output.task)
    threshold, forecasts = rule.threshold, examples.forecasts
    rows = rows_of(output.task, examples.truth, values, output.classes, threshold, forecasts, examples.weights)
    return measure(metrics, rows)[0]


def measure_split(
    network: Network,
    examples: Examples,
    predicted: Predicted,
    rule: DecisionRule,
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
        rule: of the run.
        name: of the split, or of the file that the rows are from.
        slices: rows of the split to measure apart, too.
        between_chunks: called after each slice.
    """
    if KINDS[network.info.task].mixed:
        return _measure_outputs(network, examples, predicted, rule, name, slices, between_chunks)
    predictions, truth = predicted.values, examples.truth
    task, held_out = network.info.task, name != "train"
    metrics = network.spec.evaluation.metrics_for(task)

    def results(part: slice | np.ndarray, of_what: str) -> tuple[dict[str, MetricValue], Rows | SeveralRows]:
        seed = draw_seed(network.spec.seed, of_what) if held_out else None
        groups = None if examples.groups is None else several(examples.groups[part])
        forecasts = None if examples.forecasts is None else examples.forecasts.take(part)
        weights = None if examples.weights is None else examples.weights[part]
        classes = network.info.output.classes
        rows = rows_of(task, truth[part], predictions[part], classes, rule.threshold, forecasts, weights)
        return metric_results(metrics, rows, seed, groups), rows

    measured, rows = results(slice(None), name)
    result: dict[str, Any] = {"n": len(truth), "metrics": _losses(predicted) | measured}
    result |= _about_rows(network, examples, held_out)
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


def _losses(predicted: Predicted) -> dict[str, MetricValue]:
    return {key: MetricValue(value=value if math.isfinite(value) else None) for key, value in predicted.logs.items()}


def _about_rows(network: Network, examples: Examples, held_out: bool) -> dict[str, Any]:
    """Return what the results of a split say of its rows, whatever is learned of them."""
    found: dict[str, Any] = {}
    if examples.groups is not None and held_out:
        columns = network.spec.data.split.key_columns
        found["groups"] = Groups(columns=columns, n=len(np.unique(examples.groups)))
    if examples.weights is not None:
        column, rows_in_effect = str(network.spec.data.sample_weight), effective(examples.weights)
        found["weights"] = Weights(column=column, effective_rows=rows_in_effect)
    if examples.missing:
        found["missing_values"] = dict(examples.missing)
    if examples.unknown:
        found["unknown_categories"] = dict(examples.unknown)
    return found


def _measure_outputs(
    network: Network,
    examples: Examples,
    predicted: Predicted,
    rule: DecisionRule,
    name: str,
    slices: Sequence[Slice],
    between_chunks: Callable[[], None],
) -> SplitResult:
    """Return the results of a split with targets of different kinds: each is measured on the rows that have it, as if
    it were the only one."""
    outputs: dict[str, OutputResult] = {}
    metrics = _losses(predicted)
    for_slices: dict[str, dict[str, MetricValue]] = {each.name: {} for each in slices}
    for one, each in zip(network.of_outputs(), apart(network.info.output, examples, predicted.values), strict=True):
        target, part = each.output.name, network.info.output.parts[each.number]
        if not len(each.rows):
            outputs[target] = OutputResult(task=part.task, n=0, names=part.classes, metrics={})
            continue
        own = [Slice(of.name, places) for of in slices if len(places := _among(of.rows, each.rows))]
        values = Predicted({}, each.values)
        found = measure_split(one, each.examples, values, rule.of_output(target), name, own, between_chunks)
        also = {key: getattr(found, key) for key in ("classes", "calibration", "slices") if getattr(found, key)}
        if found.confusion_matrix:
            also["confusion_matrix"] = found.confusion_matrix
        if part.task == "binary":
            also["threshold"] = rule.of_output(target).threshold
        outputs[target] = OutputResult(task=part.task, n=found.n, names=part.classes, metrics=found.metrics, **also)
        metrics |= {of_target(key, target): value for key, value in found.metrics.items()}
        for of in found.slices:
            for_slices[of.slice] |= {of_target(key, target): value for key, value in of.metrics.items()}
    result: dict[str, Any] = {"n": len(examples.truth), "metrics": metrics, "outputs": outputs}
    result |= _about_rows(network, examples, held_out=name != "train")
    if slices:
        few = {of.name: {"few_rows": True} if len(of.rows) < FEW_ROWS else {} for of in slices}
        result["slices"] = [
            SliceResult(slice=of.name, n=len(of.rows), metrics=for_slices[of.name], **few[of.name]) for of in slices
        ]
    return SplitResult(**result)


def _among(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the places of those of `rows` among `known`, which are ascending."""
    found = np.searchsorted(known, rows)
    return found[(found < len(known)) & (known[np.minimum(found, len(known) - 1)] == rows)]


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
