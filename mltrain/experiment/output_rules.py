"""What can be wrong with what a config says of targets of different kinds, and what may be asked of them. No TensorFlow
here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from mltrain.evaluation.catalogue import canonical_name
from mltrain.experiment.evaluation_section import path_of_output
from mltrain.experiment.spec import ExperimentSpec
from mltrain.gates.gate import Quantity, output_of
from mltrain.outputs import KINDS
from mltrain.rules import RuleProblem
from mltrain.spec import suggest
from mltrain.task import DataInfo, Task
from mltrain.wording import listed

# What each target may be, by its name: one task once the data is known.
Outputs: TypeAlias = Mapping[str, Sequence[Task]]

_OF_ONE_CLASS = ("precision", "recall", "f1")


def possible_outputs(experiment: ExperimentSpec) -> dict[str, tuple[Task, ...]]:
    """Return what each of several targets may turn out to be; empty where the config names no columns."""
    target = experiment.data.target
    tasks = tuple(task for task, kind in KINDS.items() if kind.recognised and not kind.several)
    found: dict[str, tuple[Task, ...]] = {}
    for name in target.columns if target is not None else ():
        stated = target.each[name].task if target is not None and name in target.each else "auto"
        found[name] = tasks if stated == "auto" else (stated,)
    return found


def known_outputs(info: DataInfo) -> dict[str, tuple[Task, ...]]:
    """Return what each target is; empty where there are no targets of different kinds."""
    return {part.name: (part.task,) for part in info.output.parts}


def output_problems(experiment: ExperimentSpec, outputs: Outputs) -> Iterator[RuleProblem]:
    """Yield what is wrong where targets are of different kinds.

    Args:
        experiment: the experiment.
        outputs: what each of them is, or may be.
    """
    training, evaluation = experiment.training, experiment.evaluation
    for section, named in (("training", training.outputs), ("evaluation", evaluation.outputs)):
        for name in named:
            if name not in outputs:
                message = f"'{name}' is not a target{suggest(name, outputs)} (targets: {listed(list(outputs))})"
                yield RuleProblem((section, "outputs", name), message)
    of_one = "targets of different kinds have one each: state it under {}.outputs, by the name of the target"
    stated = {
        ("training", "loss"): training.loss is not None,
        ("training", "class_weight"): training.class_weight is not None,
        ("evaluation", "metrics"): evaluation.metrics is not None,
        ("evaluation", "threshold"): evaluation.threshold != 0.5,
        ("evaluation", "calibration", "temperature"): evaluation.calibration.temperature is not False,
    }
    yield from (RuleProblem(path, of_one.format(path[0])) for path, wrong in stated.items() if wrong)
    if training.metrics:
        message = "no metric of Keras fits targets of different kinds: remove them, evaluation.outputs measures each"
        yield RuleProblem(("training", "metrics"), message)
    for name in experiment.model.output_names:
        if name not in outputs:
            message = f"'{name}' is not a target{suggest(name, outputs)} (targets: {listed(list(outputs))})"
            yield RuleProblem(("model", "outputs", name), message)
    for name, tasks in outputs.items():
        if len(tasks) == 1:
            for path, message in evaluation.for_output(name).misfits(tasks[0]):
                yield RuleProblem(("evaluation", "outputs", name, *path_of_output(path)), message)
        if (
            all(KINDS[task].of_numbers for task in tasks)
            and evaluation.for_output(name).calibration.temperature == "auto"
        ):
            message = f"a temperature is for classes, and '{name}' is of the kind {tasks[0]}: remove it"
            yield RuleProblem(("evaluation", "outputs", name, "temperature"), message)
        of_classes = training.of_output(name).class_weight is not None
        if of_classes and all(KINDS[task].of_numbers for task in tasks):
            message = f"class weights are for classes, and '{name}' is of the kind {tasks[0]}: remove them"
            yield RuleProblem(("training", "outputs", name, "class_weight"), message)
    if outputs and all(training.of_output(name).weight == 0 for name in outputs):
        message = "the weight of each loss is 0, so nothing would be learned: give one of them a weight above 0"
        yield RuleProblem(("training", "outputs"), message)


def needless_outputs(experiment: ExperimentSpec, why: str) -> Iterator[RuleProblem]:
    """Yield each section on targets of different kinds, where there are none; `why` says so."""
    for section, named in (("training", experiment.training.outputs), ("evaluation", experiment.evaluation.outputs)):
        if named:
            message = f"it is for targets of different kinds, and {why}: state the keys under {section} itself"
            yield RuleProblem((section, "outputs"), message)


def output_gate_problem(quantity: Quantity, experiment: ExperimentSpec, outputs: Outputs) -> str | None:
    """Return what is wrong with a gate on targets of different kinds, but for its split and its slice, or None."""
    plain = not quantity.is_of_rows and quantity.baseline is quantity.slice is None
    if quantity.of_class is None:
        if quantity.metric != "loss":
            example = next(iter(outputs), "price")
            return f"there are several targets: name one, as in {quantity.split}.{quantity.metric}({example})"
        return None if plain else "'loss' has a plain value only"
    name, of_class = output_of(quantity.of_class, outputs)
    if name not in outputs:
        return f"unknown target {name!r}{suggest(name, outputs) or f' (targets: {listed(list(outputs))})'}"
    if quantity.metric == "loss":
        return None if plain and of_class is None else "'loss' has a plain value only"
    if quantity.split == "train" and not plain:
        return "training rows have plain values only; intervals, slices, classes and baselines exist for held-out rows"
    if of_class is not None:
        if quantity.metric in _OF_ONE_CLASS:
            return None
        return f"'{quantity.metric}' is not measured for a single class: expected {', '.join(_OF_ONE_CLASS)}"
    tasks, evaluation = outputs[name], experiment.evaluation.for_output(name)
    known = list(dict.fromkeys(metric.name for task in tasks for metric in evaluation.metrics_for(task)))
    if quantity.metric not in known and canonical_name(quantity.metric) not in known:
        hint = suggest(quantity.metric, known) or f" (measured are {', '.join(known)})"
        return f"'{quantity.metric}' will not be measured of '{name}'{hint}"
    baselines = list(dict.fromkeys(each for task in tasks for each in KINDS[task].baselines))
    if quantity.baseline is not None and quantity.baseline not in baselines:
        hint = suggest(quantity.baseline, baselines) or f" (known: {', '.join(baselines)})"
        return f"unknown baseline {quantity.baseline!r}{hint}"
    return None
