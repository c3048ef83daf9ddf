"""What is measured after every epoch, under which name, and which direction is better. No TensorFlow here.

An objective, a monitor or a stop condition that names something else is an error before training, not a warning after
the first epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mltrain.evaluation.catalogue import canonical_name
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.outputs import KINDS
from mltrain.spec import suggest
from mltrain.task import Objective, SplitName, Task, of_target, split_target
from mltrain.training.metrics import training_metrics
from mltrain.training.spec import ObjectiveSpec, TrainingSpec


def measured(
    training: TrainingSpec,
    evaluation: EvaluationSpec,
    task: Task,
    splits: set[SplitName],
    scaled: bool,
    outputs: Mapping[str, Sequence[Task]] = MappingProxyType({}),
) -> dict[str, str | None]:
    """Return every quantity that is measured after an epoch, as `validation.accuracy`, with its direction.

    Args:
        training: its `metrics` are measured on train and validation.
        evaluation: its `metrics` are measured on validation.
        task: decides what is not stated.
        splits: those that will have rows.
        scaled: whether the target is scaled for training.
        outputs: of targets of different kinds, what each is, or may be, by its name.

    Returns:
        "min", "max" or, where neither is better, None by `split.metric`. Test is never among them: test rows choose
        nothing.
    """
    if KINDS[task].mixed:
        return _measured_of_outputs(evaluation, splits, outputs)
    keras_metrics = {metric.name: metric.direction for metric in training_metrics(training, task, scaled)}
    found: dict[str, str | None] = {"train.loss": "min"}
    found |= {f"train.{name}": direction for name, direction in keras_metrics.items()}
    if "validation" in splits:
        found["validation.loss"] = "min"
        found |= {f"validation.{name}": direction for name, direction in keras_metrics.items()}
        found |= {f"validation.{metric.name}": metric.direction for metric in evaluation.metrics_for(task)}
    return found


def _measured_of_outputs(
    evaluation: EvaluationSpec, splits: set[SplitName], outputs: Mapping[str, Sequence[Task]]
) -> dict[str, str | None]:
    losses = ["loss", *(of_target("loss", name) for name in outputs)]
    found: dict[str, str | None] = {f"train.{loss}": "min" for loss in losses}
    if "validation" in splits:
        found |= {f"validation.{loss}": "min" for loss in losses}
        for name, tasks in outputs.items():
            stated = evaluation.for_output(name)
            for metric in (metric for task in tasks for metric in stated.metrics_for(task)):
                found[f"validation.{of_target(metric.name, name)}"] = metric.direction
    return found


def default_objective(splits: set[SplitName]) -> str:
    """Return what is optimised where nothing is stated."""
    return "validation.loss" if "validation" in splits else "train.loss"


def resolve_objective(spec: ObjectiveSpec, known: dict[str, str | None], splits: set[SplitName]) -> Objective:
    """Return what counts as better.

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
        raise ValueError(f"it is not known whether smaller or larger is better for '{metric}': state min or max")
    return Objective(metric, found)  # type: ignore[arg-type]


def as_measured(metric: str, known: dict[str, str | None]) -> str:
    """Return the name under which `metric` is measured: `validation.acc` is `validation.accuracy`.

    What is measured under the very name comes first: with Keras' AUC in `training.metrics`, `validation.auc` is Keras'.
    """
    split, _, name = metric.partition(".")
    quantity, target = split_target(name)
    known_name = canonical_name(quantity)
    alias = f"{split}.{known_name if target is None else of_target(known_name, target)}"
    return metric if metric in known or alias not in known else alias


def not_measured(metric: str, known: dict[str, str | None]) -> str:
    """Return the sentence that says that `metric` will not be measured, and what will be."""
    split, _, name = metric.partition(".")
    if split == "test":
        return f"'{metric}' cannot be used during training: test rows are never used to choose anything; use validation"
    if split == "validation" and "validation.loss" not in known:
        return f"'{metric}' will not be measured: there are no validation rows (data.split.validation)"
    # By the name alone, where the split is right: all of "validation.f2" and "validation.r2" but one letter is alike.
    beside = [each.removeprefix(f"{split}.") for each in known if each.startswith(f"{split}.")]
    near = suggest(name, beside).replace("'", f"'{split}.", 1) if beside else suggest(metric, known)
    hint = near or f" (measured are {', '.join(known)})"
    return f"'{metric}' will not be measured{hint}"
