"""The Keras side of measuring: the loss and the metrics of the loop, by task, and their names. No TensorFlow here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mltrain.keras_api.components import KerasComponent, make
from mltrain.outputs import KINDS
from mltrain.task import Task
from mltrain.training.spec import TrainingSpec

# Keras metrics with the very definition of one of ours share its name, so that train and validation are one pair of
# curves. AUC is not here: Keras' is binned, and was seen at 0.500 where the exact one is 0.982.
_SAME_AS_OURS = {
    "BinaryAccuracy": "accuracy",
    "CategoricalAccuracy": "accuracy",
    "SparseCategoricalAccuracy": "accuracy",
    "MeanAbsoluteError": "mae",
    "MeanSquaredError": "mse",
    "RootMeanSquaredError": "rmse",
    "R2Score": "r2",
}
_OTHER_OF_SEVERAL = ("BinaryAccuracy", "RootMeanSquaredError")
_SMALLER_IS_BETTER = ("error", "crossentropy", "hinge", "divergence", "poisson")
_NO_DIRECTION = ("Mean", "Sum", "MeanTensor")


def default_loss(task: Task) -> KerasComponent:
    """Return the loss for `task` where none is stated."""
    return make("loss", KINDS[task].loss)


@dataclass(frozen=True)
class TrainingMetric:
    """A Keras metric that the loop averages.

    Attributes:
        name: in the history, without the split.
        direction: "min" or "max" is better, or None.
        component: the Keras metric.
    """

    name: str
    direction: str | None
    component: KerasComponent


def training_metrics(training: TrainingSpec, task: Task, scaled: bool) -> tuple[TrainingMetric, ...]:
    """Return the Keras metrics that the loop averages.

    Args:
        training: its `metrics`; None takes the usual one for the task.
        task: what is learned.
        scaled: whether the target is scaled for training. Keras' metrics are in the scaled units then, so none is
            usual, and those that are asked for keep Keras' names: `mae` is always in the units of the target.
    """
    if KINDS[task].mixed:  # the loss of each target is measured instead
        return ()
    components = training.metrics
    if components is None:
        components = () if scaled else (make("metric", KINDS[task].training_metric),)
    return tuple(TrainingMetric(_name(each, task, scaled), _direction(each), each) for each in components)


def _name(component: KerasComponent, task: Task, scaled: bool) -> str:
    name = component.changed().get("name")
    if isinstance(name, str):
        return name
    # Keras' accuracy of labels is the share of right ones, ours that of rows without a wrong one; its root of the mean
    # squared error is one of all numbers, ours the mean of one each.
    other = component.type in _OTHER_OF_SEVERAL and KINDS[task].several
    if component.type in _SAME_AS_OURS and not other and not scaled and not component.changed():
        return _SAME_AS_OURS[component.type]
    # The spelling of Keras' own to_snake_case: AUC is auc, MeanIoU is mean_io_u.
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", component.type)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _direction(component: KerasComponent) -> str | None:
    if component.type in _NO_DIRECTION:
        return None
    name = component.type.lower()
    smaller = name.endswith(_SMALLER_IS_BETTER) or name.startswith("false")
    return "min" if smaller else "max"


def name_problems(metrics: tuple[TrainingMetric, ...]) -> Iterator[tuple[int, str]]:
    """Yield the position and the problem of each metric whose name is taken: the loop would keep one of the two."""
    names = ["loss"]
    for position, metric in enumerate(metrics):
        if metric.name == "loss":
            yield position, "'loss' is the name of the loss: give the metric another name"
        elif metric.name in names:
            yield position, f"'{metric.name}' is listed twice: remove one, or give it another name"
        names.append(metric.name)
