"""What two sections of the YAML say must make sense together: a rule names what it needs and yields what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.errors import MisfitError
from mltrain.evaluation.catalogue import Mase
from mltrain.experiment.gate_rules import gate_problem
from mltrain.experiment.measured import as_measured, measured, not_measured, watched
from mltrain.experiment.network_rules import NETWORK_RULES
from mltrain.experiment.optimization_rules import OPTIMIZATION_RULES, known_epochs
from mltrain.experiment.output_rules import possible_outputs
from mltrain.experiment.spec import ExperimentSpec
from mltrain.experiment.target_rules import outputs_fit, possible_tasks, several_targets_fit
from mltrain.experiment.target_scale import SCALE_FOLLOWS_FROM, scales_target
from mltrain.experiment.watching import callback_problems, objective_of
from mltrain.expression import Comparison
from mltrain.gates.gate import FOLDS
from mltrain.outputs import KINDS
from mltrain.rules import Form, Rule, RuleProblem
from mltrain.task import Input
from mltrain.training.early_stopping import EarlyStopping
from mltrain.training.model_checkpoint import ModelCheckpoint
from mltrain.training.stochastic_weight_averaging import StochasticWeightAveraging


def measured_for_any_task(experiment: ExperimentSpec) -> dict[str, str | None]:
    """Return every quantity that is measured after an epoch; of all tasks, where the task depends on the data."""
    tasks = possible_tasks(experiment)
    splits = experiment.data.split.has_rows_for()
    found: dict[str, str | None] = {}
    outputs = possible_outputs(experiment)
    for task in tasks:
        scaled = scales_target(experiment, task)
        found |= measured(experiment.training, experiment.evaluation, task, splits, scaled, outputs)
    return found


def _objective_is_measured(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.objective.metric is not None:
        try:
            watched(experiment.objective.metric, experiment.objective.direction, measured_for_any_task(experiment))
        except ValueError as error:
            yield RuleProblem(("objective", "metric"), str(error))


def _callbacks_can_be_used(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    known = measured_for_any_task(experiment)
    try:
        objective = objective_of(experiment, known, experiment.data.split.has_rows_for())
    except MisfitError:
        objective = None
    yield from callback_problems(experiment, objective, known)


def _stop_condition_is_measured(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.training.stop_when is not None:
        metric, known = Comparison.parse(experiment.training.stop_when).metric, measured_for_any_task(experiment)
        if as_measured(metric, known) not in known:
            yield RuleProblem(("training", "stop_when"), not_measured(metric, known))


def _gates_are_measured(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    tasks = possible_tasks(experiment)
    split = experiment.data.split
    splits = {*split.has_rows_for(), *experiment.splits_of_folds}
    if split.why_no_folds is None:
        splits.add(FOLDS)
    for number, gate in enumerate(experiment.evaluation.gates):
        message = gate_problem(gate, experiment, tasks, splits)
        if message:
            yield RuleProblem(("evaluation", "gates", number), message)


def chosen_epochs_are_trained(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    """Yield the epochs to keep that are not trained, as far as their number is known."""
    epochs = known_epochs(experiment)
    if epochs is None:
        return
    for number, callback in enumerate(experiment.training.callbacks):
        if not isinstance(callback, ModelCheckpoint):
            continue
        named: list[tuple[tuple[str | int, ...], int]] = [(("keep", n), each) for n, each in enumerate(callback.keep)]
        if callback.every is not None:
            named.append((("every",), callback.every))
        for path, epoch in named:
            if epoch > epochs:
                message = f"epoch {epoch} will not be trained: training.epochs is {epochs}"
                yield RuleProblem(("training", "callbacks", number, *path), message)


def _one_end_of_training(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    training = experiment.training
    if training.stages:
        total = training.stated_epochs
        if training.epochs != "auto":
            message = (
                f"training.stages say how many epochs there are, {total} in all: remove training.epochs, or change the "
                "epochs of a stage"
            )
            yield RuleProblem(("training", "epochs"), message)
        if training.budget is not None:
            message = f"training.stages say how long to train, {total} epochs: remove the budget or the stages"
            yield RuleProblem(("training", "budget"), message)
        return
    if training.budget is not None and training.epochs != "auto":
        message = (
            f"training.epochs is {training.epochs}, and a budget also says how long to train: remove one of the two"
        )
        yield RuleProblem(("training", "budget"), message)


def _one_patience(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    training = experiment.training
    stopping = any(isinstance(callback, EarlyStopping) for callback in training.callbacks)
    for number, stage in enumerate(training.stages):
        if stopping and stage.patience is not None:
            message = "training.callbacks has an EarlyStopping, which is for every stage: remove one of the two"
            yield RuleProblem(("training", "stages", number, "patience"), message)
    stated = training.patience not in ("auto", "none")
    if stated and stopping:
        message = "training.callbacks has an EarlyStopping, which has a patience of its own: remove one of the two"
        yield RuleProblem(("training", "patience"), message)


def averaged_weights_are_the_model(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    """Yield what contradicts an average of weights, and its first epoch where that is not trained."""
    training, found = experiment.training, 0
    for number, callback in enumerate(training.callbacks):
        path = ("training", "callbacks", number)
        if isinstance(callback, StochasticWeightAveraging):
            found += 1
            if found > 1:
                yield RuleProblem(path, "a run has one average of its weights: remove one of the two")
            start, epochs = callback.start, known_epochs(experiment)
            if isinstance(start, int) and epochs is not None and start > epochs:
                message = f"epoch {start} will not be trained: training.epochs is {epochs}"
                yield RuleProblem((*path, "start"), message)
            if training.optimizer is not None and dict(training.optimizer.arguments).get("use_ema"):
                yield RuleProblem(path, "the optimizer already averages the weights (use_ema): remove one of the two")
    if not found:
        return
    is_model = "with StochasticWeightAveraging the averaged weights are the model of the run: remove one of the two"
    if training.final != "auto":
        yield RuleProblem(("training", "final"), is_model)
    for number, callback in enumerate(training.callbacks):
        if isinstance(callback, EarlyStopping) and callback.restore_best_weights is not None:
            yield RuleProblem(("training", "callbacks", number, "restore_best_weights"), is_model)


def _one_answer_on_final_weights(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    final = experiment.training.final
    for number, callback in enumerate(experiment.training.callbacks):
        if isinstance(callback, EarlyStopping) and callback.restore_best_weights is not None and final != "auto":
            said = "best" if callback.restore_best_weights else "last"
            if said != final:
                yield RuleProblem(
                    ("training", "callbacks", number, "restore_best_weights"),
                    f"this restores the {said} weights, but training.final is {final}: remove one of the two",
                )


def _one_best_epoch(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    """Only one epoch can be the model of the run: one objective, and one answer on what is restored."""
    known, objective = measured_for_any_task(experiment), experiment.objective.metric
    first: tuple[int, EarlyStopping] | None = None
    for number, callback in enumerate(experiment.training.callbacks):
        if not isinstance(callback, EarlyStopping) or callback.restore_best_weights is None:
            continue
        path = ("training", "callbacks", number, "restore_best_weights")
        monitor = None if callback.monitor is None else as_measured(callback.monitor, known)
        restores = callback.restore_best_weights
        if restores and monitor and objective is not None and monitor != as_measured(objective, known):
            yield RuleProblem(
                path,
                f"it restores the best epoch of '{monitor}', but the objective is '{objective}': remove this key, or "
                f"set objective to {monitor}",
            )
        if first is None:
            first = (number, callback)
            continue
        place, other = first
        if other.restore_best_weights != restores:
            wanted = ("the best", "the last") if other.restore_best_weights else ("the last", "the best")
            yield RuleProblem(
                path,
                f"callbacks[{place}] restores {wanted[0]} weights and this one {wanted[1]}: remove one of them",
            )
        elif restores and other.monitor != callback.monitor and objective is None:
            yield RuleProblem(
                path,
                f"callbacks[{place}] restores the best epoch of another quantity, and a run has one best epoch: "
                "restore the weights in one of them only",
            )


def _evaluation_fits_the_task(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    task = experiment.task
    if task != "auto" and not KINDS[task].mixed:
        for path, message in experiment.evaluation.misfits(task):
            yield RuleProblem(("evaluation", *path), message)


def _weights_of_metrics_are_there(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if not experiment.evaluation.sample_weight:
        return
    if experiment.data.sample_weight is None:
        message = "there are no weights: name a column of them in data.sample_weight, or remove this key"
        yield RuleProblem(("evaluation", "sample_weight"), message)
    elif experiment.task == "auto":  # of a stated task the section itself knows
        tasks = possible_tasks(experiment)
        if all(KINDS[task].several for task in tasks):
            message = "several targets are not measured with weights: remove this key"
            yield RuleProblem(("evaluation", "sample_weight"), message)


def _forecasts_are_judged_as_such(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.data.windows is None:
        for number, metric in enumerate(experiment.evaluation.metrics or ()):
            if isinstance(metric, Mase):
                message = (
                    "mase is for forecasts, whose examples are windows of a series: state data.windows, or remove it"
                )
                yield RuleProblem(("evaluation", "metrics", number), message)
        return
    several = experiment.data.target is not None and bool(experiment.data.target.columns)
    task = "multiregression" if several else "regression"
    if experiment.task not in ("auto", task):
        what = "several numbers" if several else "a number"
        yield RuleProblem(("task",), f"data.windows forecast {what}: set task to {task}, not {experiment.task}")


def _model_takes_what_is_beside_windows(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    windows = experiment.data.windows
    beside = () if windows is None else [key for key in ("known", "static") if getattr(windows, key)]
    if windows is None or not beside:
        return
    inputs = [Input("window", (windows.length, 1), "float32"), *(Input(key, (1,), "float32", (key,)) for key in beside)]
    if experiment.model.inputs_problem(inputs) is not None:
        own = " and ".join(f"data.windows.{key}" for key in beside)
        many = "is an input of its own" if len(beside) == 1 else "are inputs of their own"
        message = (
            f"a model of type {experiment.model.type} takes one input, and {own} {many}: use `type: fusion` or "
            f"`type: graph`, or remove {'it' if len(beside) == 1 else 'them'}"
        )
        yield RuleProblem(("model", "type"), message)


def _rows_can_be_left_out(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.splits_of_folds and experiment.data.windows is not None:
        message = "windows of a series share their time steps, so a fold of them cannot be left out: use by: seed"
        yield RuleProblem(("ensemble", "by"), message)


def _validation_rows_choose(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if "validation" not in experiment.data.split.has_rows_for():
        for path, message in experiment.evaluation.without_validation():
            yield RuleProblem(("evaluation", *path), message)


# What says how long to train.
ENDS = ("training.epochs", "training.budget", "training.stages")

RULES = (
    Rule((*SCALE_FOLLOWS_FROM, "data.split", "evaluation.metrics"), _objective_is_measured),
    Rule((*SCALE_FOLLOWS_FROM, "data.split", "evaluation.metrics"), _callbacks_can_be_used),
    Rule((*SCALE_FOLLOWS_FROM, "data.split", "evaluation.metrics"), _stop_condition_is_measured),
    Rule((*SCALE_FOLLOWS_FROM, "evaluation", "data.split", "ensemble"), _gates_are_measured),
    Rule(
        ("model", *ENDS, "training.callbacks", "training.final", "training.optimizer"),
        averaged_weights_are_the_model,
    ),
    Rule(ENDS, _one_end_of_training),
    Rule(("training.callbacks", "training.patience", "training.stages"), _one_patience),
    Rule(("model", *ENDS, "training.callbacks"), chosen_epochs_are_trained),
    Rule(("training.callbacks", "training.final"), _one_answer_on_final_weights),
    Rule((*SCALE_FOLLOWS_FROM, "data.split", "evaluation.metrics"), _one_best_epoch),
    Rule(("task", "evaluation.metrics", "evaluation.threshold", "evaluation.calibration"), _evaluation_fits_the_task),
    Rule(
        ("task", "data.target", "training.class_weight", "evaluation.threshold", "evaluation.calibration"),
        several_targets_fit,
    ),
    Rule(("data.target", "training", "evaluation", "task"), outputs_fit),
    Rule(("data", "evaluation.metrics", "task"), _forecasts_are_judged_as_such),
    Rule(("data.windows", "ensemble"), _rows_can_be_left_out),
    Rule(("data.windows", "model"), _model_takes_what_is_beside_windows),
    Rule(("data.split", "evaluation.threshold", "evaluation.calibration"), _validation_rows_choose),
    Rule(("data.sample_weight", "data.target", "task", "evaluation.sample_weight"), _weights_of_metrics_are_there),
    *OPTIMIZATION_RULES,
    *NETWORK_RULES,
)

EXPERIMENT = Form(ExperimentSpec, RULES)
