"""What follows from the experiment once the data is known: the objective, the model to keep, and every decision with
its reason.

No TensorFlow here: `evaluate` and others make the same plan from a run directory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mltrain.errors import MisfitError
from mltrain.experiment.gate_rules import gate_problem, unknown_slice
from mltrain.experiment.measured import as_measured, measured, not_measured
from mltrain.experiment.output_rules import known_outputs, needless_outputs, output_problems
from mltrain.experiment.section_rules import averaged_weights_are_the_model, chosen_epochs_are_trained
from mltrain.experiment.settled import settled
from mltrain.experiment.spec import ExperimentSpec
from mltrain.experiment.target_scale import scales_target
from mltrain.experiment.watching import callback_problems, objective_of, restoring, watched_by
from mltrain.expression import Comparison
from mltrain.gates.gate import FOLDS
from mltrain.outputs import KINDS
from mltrain.task import DataInfo, Decision, Objective, Output, SplitName
from mltrain.training.callback import CallbackSpec
from mltrain.training.early_stopping import EarlyStopping
from mltrain.training.metrics import default_loss, training_metrics
from mltrain.training.schedule import Schedule
from mltrain.training.stochastic_weight_averaging import StochasticWeightAveraging

WatchingCallback = tuple[CallbackSpec, Objective]
FinalWeights = Literal["best", "last", "average"]
AVERAGING = StochasticWeightAveraging.__name__


@dataclass(frozen=True)
class Plan:
    """What will be done.

    Attributes:
        objective: what "best" is.
        monitors: of each stage of the training the callbacks of ours, each with what it watches, or the objective where
            it watches nothing; a training without stages is one.
        stop_when: what ends the training, or None.
        final: whose weights are the model of the run.
        decisions: what was not stated, with reasons.
    """

    objective: Objective
    monitors: tuple[tuple[WatchingCallback, ...], ...]
    stop_when: Comparison | None
    final: FinalWeights
    decisions: tuple[Decision, ...]


def make_plan(
    spec: ExperimentSpec, info: DataInfo, splits: set[SplitName], slices: Mapping[str, Sequence[str]] | None = None
) -> Plan:
    """Return the plan for an experiment whose data is known.

    Args:
        spec: the experiment.
        info: what is known of the data.
        splits: those that have rows.
        slices: the names of those that will be measured, by split.

    Raises:
        MisfitError: a metric does not fit the task, or something is watched or asked for by a gate that will not be
            measured.
    """
    spec = settled(spec, info)
    unchosen = () if "validation" in splits else spec.evaluation.without_validation()
    mixed, outputs = KINDS[info.task].mixed, known_outputs(info)
    misfits = () if mixed else spec.evaluation.misfits(info.task)
    for path, message in (*misfits, *unchosen):
        raise MisfitError(("evaluation", *path), message)
    for problem in output_problems(spec, outputs) if mixed else needless_outputs(spec, f"the task is {info.task}"):
        raise MisfitError(problem.path, problem.message)
    for number, gate in enumerate(spec.evaluation.gates):
        names = info.output.columns or info.output.classes
        wrong = gate_problem(gate, spec, (info.task,), {*splits, *spec.splits_of_folds, FOLDS}, names, outputs)
        wrong = wrong or unknown_slice(gate, slices or {})
        if wrong:
            raise MisfitError(("evaluation", "gates", number), wrong)
    scaled = scales_target(spec, info.task)
    known = measured(spec.training, spec.evaluation, info.task, splits, scaled, outputs)
    objective = objective_of(spec, known, splits)
    final, reason = final_weights(spec, splits)
    why = _why(spec, splits)
    decisions = (
        *_training_decisions(spec, info),
        Decision("objective", f"{objective.metric} ({objective.direction})", why),
        Decision("model of the run", "the averaged weights" if final == "average" else f"the {final} epoch", reason),
    )
    return Plan(objective, _monitors(spec, info, objective, known), _stop_when(spec, known), final, decisions)


def final_weights(spec: ExperimentSpec, splits: set[SplitName]) -> tuple[FinalWeights, str]:
    """Return whose weights are the model of the run, and why."""
    if any(isinstance(callback, StochasticWeightAveraging) for callback in spec.training.callbacks):
        return "average", AVERAGING
    if spec.training.final != "auto":
        return spec.training.final, "training.final"
    for callback in spec.training.callbacks:
        if isinstance(callback, EarlyStopping) and callback.restore_best_weights is not None:
            return ("best" if callback.restore_best_weights else "last"), "EarlyStopping.restore_best_weights"
    if "validation" in splits:
        return "best", "there are validation rows to choose by"
    return "last", "there are no validation rows to choose by"


def _why(spec: ExperimentSpec, splits: set[SplitName]) -> str:
    """Return why the objective is what it is."""
    if spec.objective.metric is not None:
        return "stated"
    if restoring(spec) is not None:
        return "EarlyStopping.restore_best_weights restores the best epoch of what it monitors"
    return "there are validation rows" if "validation" in splits else "there are no validation rows"


def _monitors(
    spec: ExperimentSpec, info: DataInfo, objective: Objective, known: dict[str, str | None]
) -> tuple[tuple[WatchingCallback, ...], ...]:
    late = (*chosen_epochs_are_trained(spec), *averaged_weights_are_the_model(spec))  # the rows may say how many
    for problem in (*late, *callback_problems(spec, objective, known)):
        raise MisfitError(problem.path, problem.message)
    steps = spec.training.steps_of_epoch(info.train_rows)
    found = []
    for number in range(spec.training.parts):
        training = spec.training.of_stage(number)
        if isinstance(training.schedule, Schedule):
            for path, message in training.schedule.misfits(training.most_epochs, steps):
                raise MisfitError((*spec.training.path_of_schedule(number), *path), message)
        ours = [
            # What goes on over all stages is for all epochs.
            callback.for_training(training.most_epochs if callback.begins_anew else spec.training.most_epochs, steps)
            for callback in training.callbacks
            if isinstance(callback, CallbackSpec)
        ]
        found.append(tuple((callback, watched_by(callback, objective, known) or objective) for callback in ours))
    return tuple(found)


def _stop_when(spec: ExperimentSpec, known: dict[str, str | None]) -> Comparison | None:
    if spec.training.stop_when is None:
        return None
    stated = Comparison.parse(spec.training.stop_when)
    metric = as_measured(stated.metric, known)
    if metric not in known:
        raise MisfitError(("training", "stop_when"), not_measured(metric, known))
    return replace(stated, metric=metric)


def _output_decisions(spec: ExperimentSpec, part: Output) -> Iterator[Decision]:
    usual = f"usual for {part.task}"
    if spec.training.of_output(part.name).loss is None:
        yield Decision(f"training.outputs.{part.name}.loss", default_loss(part.task).type, usual)
    evaluation = spec.evaluation.for_output(part.name)
    if evaluation.metrics is None:
        names = ", ".join(metric.name for metric in evaluation.metrics_for(part.task))
        yield Decision(f"evaluation.outputs.{part.name}.metrics", names, usual)


def _training_decisions(spec: ExperimentSpec, info: DataInfo) -> list[Decision]:
    decisions = []
    if KINDS[info.task].mixed:
        return [each for part in info.output.parts for each in _output_decisions(spec, part)]
    if spec.training.loss is None:
        decisions.append(Decision("training.loss", default_loss(info.task).type, f"usual for {info.task}"))
    elif spec.training.loss.type == "CategoricalFocalCrossentropy" and "alpha" not in spec.training.loss.changed():
        alpha = f"{spec.training.loss.argument('alpha'):g}"
        reason = "Keras multiplies the loss of every class by it; `alpha: 1` is the loss without"
        decisions.append(Decision("training.loss.alpha", alpha, reason))
    if spec.training.metrics is None:
        used = training_metrics(spec.training, info.task, scales_target(spec, info.task))
        reason = f"usual for {info.task}" if used else "the target is scaled, so they would be in scaled units"
        decisions.append(Decision("training.metrics", ", ".join(metric.name for metric in used) or "none", reason))
    if spec.evaluation.metrics is None:
        names = ", ".join(metric.name for metric in spec.evaluation.metrics_for(info.task))
        decisions.append(Decision("evaluation.metrics", names, f"usual for {info.task}"))
    return decisions
