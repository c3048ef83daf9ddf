"""How the probabilities of a trained model become decisions: temperature and threshold, from the validation rows only.
No TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.errors import MisfitError
from mltrain.evaluation.calibration import HOTTEST, fit_temperature, tempered
from mltrain.evaluation.threshold import choose_threshold
from mltrain.evaluation.threshold_aim import ThresholdAim
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.outputs import KINDS
from mltrain.outputs.each_output import each_output, values_of
from mltrain.run.decision import DecisionRule
from mltrain.run.results import Threshold
from mltrain.task import Output, Task, about_target


@dataclass(frozen=True)
class Chosen:
    """A decision rule, and how it came about.

    Attributes:
        rule: to apply and to keep.
        results: what `Results` says of it, by its fields there.
    """

    rule: DecisionRule
    results: dict[str, Any]


def check_both_classes(spec: EvaluationSpec, prepared: Prepared) -> None:
    """Refuse to choose a threshold on rows of one class, before the training instead of after it.

    Raises:
        MisfitError: names the class that no validation row has.
    """
    info = prepared.info
    if isinstance(spec.threshold, ThresholdAim) and info.task == "binary":
        held_out = prepared.examples["validation"]
        counting = np.ones(len(held_out.truth)) if held_out.weights is None else held_out.weights
        _check_both_classes(info.output, held_out.truth[counting > 0], ("evaluation", "threshold"))
    for number, part in enumerate(info.output.parts):
        if isinstance(spec.for_output(part.name).threshold, ThresholdAim) and part.task == "binary":
            truth = prepared.examples["validation"].truth[:, number]
            path = ("evaluation", "outputs", part.name, "threshold")
            _check_both_classes(part, truth[~np.isnan(truth)].astype(np.int64), path)


def _check_both_classes(output: Output, truth: np.ndarray, path: tuple[str | int, ...]) -> None:
    counts = np.bincount(truth, minlength=2)
    if not counts.all():
        name = output.classes[int(counts.argmin())]
        message = f"a threshold is chosen on validation rows of both classes, and none is '{name}': set "
        raise MisfitError(path, f"{message}data.split.stratify: true, or state a number")


def with_temperature(output: Output, values: np.ndarray, rule: DecisionRule) -> np.ndarray:
    """Return predictions, as `Network.predictions` describes them, with the temperature of a run in probabilities."""
    if KINDS[output.task].mixed:
        values = values.copy()
        for part, place in output.placed:
            of_part = with_temperature(part, values_of(part, place, values), rule.of_output(part.name))
            values[:, place] = of_part.reshape(len(values), -1)
        return values
    return values if rule.temperature is None else tempered(output.task, values, rule.temperature)


def choose_each(
    spec: EvaluationSpec, output: Output, truth: np.ndarray | None, predictions: np.ndarray | None
) -> Chosen:
    """Return what the validation rows say of each of several outputs of different kinds; its results are sentences.

    Args:
        spec: the `evaluation` section.
        output: of all.
        truth: of the validation rows (n, targets); None where there are none.
        predictions: for them (n, units).
    """
    found = {part.name: choose(spec.for_output(part.name), part.task, None, None) for part in output.parts}
    if truth is not None and predictions is not None:
        for each in each_output(output, truth, predictions):
            if len(each.rows):
                of_one = spec.for_output(each.output.name)
                found[each.output.name] = choose(of_one, each.output.task, each.truth, each.values)
    sentences = [
        f"{about_target(name)}{sentence}"
        for name, each in found.items()
        for sentence in each.results.get("decision_sentences", ())
    ]
    rule = DecisionRule(outputs={name: each.rule for name, each in found.items()})
    return Chosen(rule, {"decision_sentences": sentences} if spec.decides else {})


def choose(
    spec: EvaluationSpec,
    task: Task,
    truth: np.ndarray | None,
    predictions: np.ndarray | None,
    weights: np.ndarray | None = None,
) -> Chosen:
    """Return what the validation rows say; for numbers and labels, and by the defaults, nothing is done to predictions.

    Args:
        spec: the `evaluation` section.
        task: what is learned.
        truth: class indices of the validation rows (n,); None where there are none.
        predictions: for them, of the model of the run.
        weights: of the same rows (n,); None where all count the same.
    """
    if not KINDS[task].of_classes:
        return Chosen(DecisionRule(), {})
    sentences: list[str] = []
    results: dict[str, Any] = {"decision_sentences": sentences} if spec.decides else {}
    threshold, temperature = 0.5, None
    if predictions is not None and not np.isfinite(predictions).all():
        predictions = None  # the metrics say so, and why they have no value
    if spec.calibration.temperature is not False and truth is not None and predictions is not None:
        temperature, sentence = _temperature(spec, task, truth, predictions, weights)
        sentences.append(sentence)
        if temperature is not None:
            results["temperature"] = temperature
            predictions = tempered(task, predictions, temperature)
    if task == "binary":
        results["threshold"], sentence = _threshold(spec.threshold, truth, predictions, weights)
        threshold = results["threshold"].value
        sentences += [sentence] if sentence else []
    return Chosen(DecisionRule(threshold=threshold, temperature=temperature), results)


def _temperature(
    spec: EvaluationSpec, task: Task, truth: np.ndarray, predictions: np.ndarray, weights: np.ndarray | None
) -> tuple[float | None, str]:
    found = fit_temperature(task, truth, predictions, weights)
    if found.value is None:
        return None, (
            f"no temperature between {1 / HOTTEST:g} and {HOTTEST:g} is best for the {len(truth)} validation rows "
            "(for example because all are predicted right): the probabilities are not changed"
        )
    losses = f"the log loss on validation is {found.after:.4f} with it, {found.before:.4f} without"
    if spec.calibration.temperature == "auto" and not found.significant:
        return None, f"a temperature of {found.value:.4g} is not used: {losses}, which may be chance"
    return found.value, f"the temperature is {found.value:.4g}: {losses}"


def _threshold(
    stated: float | ThresholdAim,
    truth: np.ndarray | None,
    predictions: np.ndarray | None,
    weights: np.ndarray | None,
) -> tuple[Threshold, str]:
    """Return the threshold, and a sentence on it."""
    if not isinstance(stated, ThresholdAim):
        return Threshold(value=stated), ""
    about: dict[str, Any] = {"aim": stated.words, "split": "validation"}
    if truth is None or predictions is None:
        sentence = "the threshold is 0.5: predictions for the validation rows are NaN or infinite"
        return Threshold(value=0.5, **about), sentence
    choice = choose_threshold(stated, truth, predictions, weights)
    at = f"{choice.threshold:.4g}"
    if choice.reached:
        sentence = (
            f"the threshold is {at}: on validation the {stated.words} is {choice.value:.4f} there and "
            f"{choice.usual:.4f} at 0.5"
        )
    else:
        condition = "precision" if stated.aim == "recall" else "recall"
        sentence = (
            f"no threshold gives the {stated.words} on validation: {at} gives the highest {condition}, "
            f"{choice.nearest:.4f}, and a {stated.aim} of {choice.value:.4f}"
        )
    return Threshold(value=choice.threshold, **about, reached=choice.reached), sentence
