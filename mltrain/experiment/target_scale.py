"""Whether the target of a regression is scaled for training where `data.target.scale` is auto. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.data.target_spec import STATED
from mltrain.experiment.spec import ExperimentSpec
from mltrain.expression import Comparison
from mltrain.outputs import KINDS
from mltrain.task import Task, split_target
from mltrain.training.callback import Monitoring
from mltrain.training.targets import needs_own_units

# What decides whether the target of a regression is scaled, and so what is measured under which name.
SCALE_FOLLOWS_FROM = (
    "data.target",
    "objective",
    "training.loss",
    "training.metrics",
    "training.callbacks",
    "training.stop_when",
    "evaluation.gates",
    "task",
)


def scales_target(experiment: ExperimentSpec, task: Task) -> bool:
    """Return whether the model learns the target in other units than its own."""
    if not KINDS[task].scaled:
        return False
    stated = experiment.data.stated_scale
    return why_unscaled(experiment) is None if stated == "auto" else stated in STATED


def why_unscaled(experiment: ExperimentSpec) -> str | None:
    """Return why the config needs the target in its own units while training; None where nothing does.

    Losses of logarithms and percentages need them, and so does a number in the config that is compared with the loss or
    with a metric of Keras: it was written for the units of the target.
    """
    return next(_needing_own_units(experiment), None)


def _needing_own_units(experiment: ExperimentSpec) -> Iterator[str]:
    training = experiment.training
    losses = (training.loss, *(each.loss for each in training.outputs.values()))
    for component in (*filter(None, losses), *(training.metrics or ())):
        if needs_own_units(component):
            yield f"{component.type} needs the target in its own units"
    for loss in filter(None, losses):
        if loss.own is not None:
            yield f"{loss.type} is a loss of your own, and gets the target in its own units"
    if any(loss is not None and loss.type == "Huber" and "delta" in loss.changed() for loss in losses):
        yield "delta of Huber is stated in the units of the target"
    objective = experiment.objective.metric
    if objective is not None and _only_in_own_units(objective):
        yield f"the objective '{objective}' is in the units of the target"
    if training.stop_when is not None and _follows_from_training(Comparison.parse(training.stop_when).metric):
        yield f"'{training.stop_when}' is stated in the units of the target"
    for callback in training.callbacks:
        if isinstance(callback, Monitoring):
            watched = callback.monitor or objective or "loss"
            if _only_in_own_units(watched) or (callback.states_a_number() and _follows_from_training(watched)):
                yield f"{type(callback).__name__} watches '{watched}' in the units of the target"
    for gate in experiment.evaluation.gates:
        if gate.quantity.metric == "loss" and gate.quantity.of_class is None:
            yield f"the gate '{gate}' is stated in the units of the target"


def _follows_from_training(metric: str) -> bool:
    """Return whether a quantity is the loss, or a metric of Keras: those of training rows have no other."""
    split, name = _split_and_name(metric)
    return name == "loss" or split == "train"


def _only_in_own_units(metric: str) -> bool:
    """Return whether a quantity is measured under this name only where the target is not scaled."""
    split, name = _split_and_name(metric)
    return split == "train" and split_target(name)[0] != "loss"  # `train.loss(price)` is that of one of several


def _split_and_name(metric: str) -> tuple[str, str]:
    """Return the parts of `split.metric`; the split is empty in a bare `loss`. The name of a target may have dots."""
    split, dot, name = metric.partition(".")
    return (split, name) if dot else ("", metric)
