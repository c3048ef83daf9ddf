"""What two sections of the YAML say must make sense together: a rule names what it needs and yields what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

from mltrain.data.splits import ColumnSplit, FilesSplit, NoSplit, RandomSplit
from mltrain.expression import Comparison
from mltrain.keras_api.components import KerasComponent
from mltrain.measured import as_measured, measured, not_measured, watched
from mltrain.models.sequential import Sequential
from mltrain.rules import Rule, RuleProblem
from mltrain.task import SPLITS, SplitName, Task
from mltrain.training.early_stopping import EarlyStopping
from mltrain.training.monitoring import Monitoring
from mltrain.training.reduce_learning_rate import ReduceLROnPlateau

if TYPE_CHECKING:
    from mltrain.experiment import ExperimentSpec


def asked_splits(split: Any) -> set[SplitName]:
    """Return the splits that will have rows, as far as the spec tells: a split column may hold all of them."""
    if isinstance(split, NoSplit):
        return {"train"}
    if isinstance(split, ColumnSplit):
        return set(SPLITS)
    if isinstance(split, (RandomSplit, FilesSplit)):
        held_out: tuple[SplitName, ...] = ("validation", "test")
        return {"train", *(name for name in held_out if getattr(split, name))}
    raise TypeError(f"unknown split {type(split).__name__}")


def measurable(experiment: ExperimentSpec) -> dict[str, str | None]:
    """Return every quantity that is measured after an epoch; of all tasks, where the task depends on the data."""
    tasks = get_args(Task) if experiment.task == "auto" else (experiment.task,)
    splits = asked_splits(experiment.data.split)
    found: dict[str, str | None] = {}
    for task in tasks:
        found |= measured(experiment.training, experiment.evaluation, task, splits, experiment.data.scales_target)
    return found


def _objective_is_measured(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.objective.metric is not None:
        try:
            watched(experiment.objective.metric, experiment.objective.direction, measurable(experiment))
        except ValueError as error:
            yield RuleProblem(("objective", "metric"), str(error))


def _monitors_are_measured(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    known = measurable(experiment)
    for number, callback in enumerate(experiment.training.callbacks):
        if isinstance(callback, Monitoring) and callback.monitor is not None:
            path = ("training", "callbacks", number, "monitor")
            try:
                watched(callback.monitor, callback.mode, known)
            except ValueError as error:
                yield RuleProblem(path, str(error))


def _stop_condition_is_measured(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.training.stop_when is not None:
        metric, known = Comparison.parse(experiment.training.stop_when).metric, measurable(experiment)
        if as_measured(metric, known) not in known:
            yield RuleProblem(("training", "stop_when"), not_measured(metric, known))


def _one_hand_on_the_learning_rate(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    scheduled = isinstance(experiment.training.optimizer.argument("learning_rate"), KerasComponent)
    for number, callback in enumerate(experiment.training.callbacks):
        if scheduled and isinstance(callback, ReduceLROnPlateau):
            yield RuleProblem(
                ("training", "callbacks", number),
                "ReduceLROnPlateau cannot change a learning rate that follows a schedule: remove one of the two",
            )


def _one_answer_on_final_weights(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    final = experiment.training.final
    for number, callback in enumerate(experiment.training.callbacks):
        if isinstance(callback, EarlyStopping) and callback.restore_best_weights is not None and final != "auto":
            said = "best" if callback.restore_best_weights else "last"
            if said != final:
                yield RuleProblem(
                    ("training", "callbacks", number, "restore_best_weights"),
                    f"it asks for the {said} weights and training.final for the {final} ones: remove one of the two",
                )


def _metrics_fit_the_task(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.task != "auto":
        for path, message in experiment.evaluation.misfits(experiment.task):
            yield RuleProblem(("evaluation", *path), message)


def _layers_fit_a_stack(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if isinstance(experiment.model, Sequential):
        for number, layer in enumerate(experiment.model.layers):
            if layer.entry.inputs == "many":
                yield RuleProblem(
                    ("model", "layers", number, "type"),
                    f"{layer.type} takes several inputs, and a layer of a sequential model has one",
                )


RULES = (
    Rule(("objective", "data.split", "evaluation.metrics", "training.metrics", "task"), _objective_is_measured),
    Rule(
        ("training.callbacks", "data.split", "evaluation.metrics", "training.metrics", "task"), _monitors_are_measured
    ),
    Rule(
        ("training.stop_when", "data.split", "evaluation.metrics", "training.metrics", "task"),
        _stop_condition_is_measured,
    ),
    Rule(("training.optimizer", "training.callbacks"), _one_hand_on_the_learning_rate),
    Rule(("training.callbacks", "training.final"), _one_answer_on_final_weights),
    Rule(("task", "evaluation.metrics"), _metrics_fit_the_task),
    Rule(("model.layers",), _layers_fit_a_stack),
)
