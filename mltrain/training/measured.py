"""What is measured after every epoch, under which name, and which direction is better. No TensorFlow here.

An objective, a monitor or a stop condition that names something else is an error before training, not a warning after
the first epoch.
"""

from __future__ import annotations

import re

from mltrain.evaluation.catalogue import canonical_name
from mltrain.evaluation.spec import EvaluationSpec
from mltrain.keras_api.components import KerasComponent, make
from mltrain.task import Objective, SplitName, Task
from mltrain.training.spec import ObjectiveSpec, TrainingSpec

_DEFAULT_LOSS: dict[Task, str] = {
    "binary": "BinaryCrossentropy",
    "multiclass": "SparseCategoricalCrossentropy",
    "regression": "MeanSquaredError",
}
_DEFAULT_METRIC: dict[Task, str] = {"binary": "accuracy", "multiclass": "accuracy", "regression": "MeanAbsoluteError"}

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
_SMALLER_IS_BETTER = ("Error", "Crossentropy", "Hinge", "Divergence", "Poisson")
_NO_DIRECTION = ("Mean", "Sum", "MeanTensor")


def default_loss(task: Task) -> KerasComponent:
    """Return the loss for `task` where none is stated."""
    return make("loss", _DEFAULT_LOSS[task])


def training_metrics(
    training: TrainingSpec, task: Task, scaled: bool = False
) -> tuple[tuple[str, KerasComponent], ...]:
    """Return name and component of each Keras metric that the loop averages.

    Args:
        training: its `metrics`; None takes the usual one for the task.
        task: what is learned.
        scaled: whether the target is scaled for training. Keras' metrics are in the scaled units then, so none is
            usual, and those that are asked for keep Keras' names: `mae` is always in the units of the target.
    """
    components = training.metrics
    if components is None:
        components = () if scaled else (make("metric", _DEFAULT_METRIC[task]),)
    return tuple((_metric_name(component, scaled), component) for component in components)


def measured(
    training: TrainingSpec, evaluation: EvaluationSpec, task: Task, splits: set[SplitName], scaled: bool = False
) -> dict[str, str | None]:
    """Return every quantity that is measured after an epoch, as `validation.accuracy`, with its direction.

    Args:
        training: its `metrics` are measured on train and validation.
        evaluation: its `metrics` are measured on validation.
        task: decides what is not stated.
        splits: those that will have rows.
        scaled: whether the target is scaled for training.

    Returns:
        "min", "max" or, where neither is better, None by `split.metric`. Test is never among them: test rows choose
        nothing.
    """
    keras_metrics = {name: _direction(component) for name, component in training_metrics(training, task, scaled)}
    found: dict[str, str | None] = {"train.loss": "min"}
    found |= {f"train.{name}": direction for name, direction in keras_metrics.items()}
    if "validation" in splits:
        found["validation.loss"] = "min"
        found |= {f"validation.{name}": direction for name, direction in keras_metrics.items()}
        found |= {f"validation.{metric.name}": metric.direction for metric in evaluation.metrics_for(task)}
    return found


def default_objective(splits: set[SplitName]) -> str:
    """Return what is optimised where nothing is stated."""
    return "validation.loss" if "validation" in splits else "train.loss"


def resolve_objective(spec: ObjectiveSpec, known: dict[str, str | None], splits: set[SplitName]) -> Objective:
    """Return what counts as better.

    Args:
        spec: the `objective` section.
        known: what is measured, from `measured`.
        splits: those that have rows.

    Raises:
        ValueError: the metric is not measured, or has no direction and none is stated.
    """
    metric = spec.metric or default_objective(splits)
    return watched(metric, spec.direction, known)


def watched(metric: str, direction: str, known: dict[str, str | None]) -> Objective:
    """Return the objective for a `monitor` or `objective.metric`; `direction` may be "auto".

    Raises:
        ValueError: it is not measured, or has no direction and none is stated.
    """
    metric = as_measured(metric, known)
    if metric not in known:
        raise ValueError(not_measured(metric, known))
    found = known[metric] if direction == "auto" else direction
    if found not in ("min", "max"):
        raise ValueError(f"neither smaller nor larger is known to be better for '{metric}': state it, min or max")
    return Objective(metric, found)  # type: ignore[arg-type]


def as_measured(metric: str, known: dict[str, str | None]) -> str:
    """Return the name under which `metric` is measured: `validation.acc` is `validation.accuracy`.

    What is measured under the very name comes first: with Keras' AUC in `training.metrics`, `validation.auc` is Keras'.
    """
    split, _, name = metric.partition(".")
    alias = f"{split}.{canonical_name(name)}"
    return metric if metric in known or alias not in known else alias


def not_measured(metric: str, known: dict[str, str | None]) -> str:
    """Return the sentence that says that `metric` will not be measured, and what will be."""
    from mltrain.spec import suggest

    split = metric.split(".", maxsplit=1)[0]
    if split == "test":
        return f"'{metric}' cannot be used while training: test rows choose nothing; use validation"
    if split == "validation" and "validation.loss" not in known:
        return f"'{metric}' will not be measured: there are no validation rows (data.split.validation)"
    hint = suggest(metric, known) or f" (measured are {', '.join(known)})"
    return f"'{metric}' will not be measured{hint}"


def _metric_name(component: KerasComponent, scaled: bool) -> str:
    name = component.changed().get("name")
    if isinstance(name, str):
        return name
    if component.type in _SAME_AS_OURS and not scaled:
        return _SAME_AS_OURS[component.type]
    # The spelling of Keras' own to_snake_case: AUC is auc, MeanIoU is mean_io_u.
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", component.type)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _direction(component: KerasComponent) -> str | None:
    if component.type in _NO_DIRECTION:
        return None
    smaller = component.type.endswith(_SMALLER_IS_BETTER) or component.type.startswith("False")
    return "min" if smaller else "max"
