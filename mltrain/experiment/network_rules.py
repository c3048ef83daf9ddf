"""What the model, its loss and the Keras metrics must have in common: rules as those of `section_rules.py`."""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.data.target_spec import STATED
from mltrain.experiment.spec import ExperimentSpec
from mltrain.experiment.target_scale import SCALE_FOLLOWS_FROM, scales_target
from mltrain.outputs import KINDS
from mltrain.rules import Rule, RuleProblem
from mltrain.training.metrics import default_loss, name_problems, training_metrics
from mltrain.training.soft_targets import mix_misfit, smoothing_misfit
from mltrain.training.targets import loss_misfit, metric_misfit, weight_misfit


def _loss_fits_the_task(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    loss, task = experiment.training.loss, experiment.task
    message = loss_misfit(loss, task, task != "auto" and scales_target(experiment, task)) if loss else None
    if message:
        yield RuleProblem(("training", "loss"), message)


def _targets_can_be_soft(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    training, task = experiment.training, experiment.task
    if training.mix is not None and (message := mix_misfit(training.mix, task)):
        yield RuleProblem(("training", "mix"), message)
    loss = training.loss or (None if task == "auto" or KINDS[task].mixed else default_loss(task))
    if training.label_smoothing and loss is not None and (message := smoothing_misfit(loss, task)):
        yield RuleProblem(("training", "label_smoothing"), message)


def _weights_reach_their_rows(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    loss = experiment.training.loss
    of_classes = weight_misfit(loss, "classes", "class_weight") if loss is not None else None
    if of_classes and experiment.training.class_weight is not None:
        yield RuleProblem(("training", "class_weight"), of_classes)
    of_rows = weight_misfit(loss, "rows", "sample_weight") if loss is not None else None
    if of_rows and experiment.data.sample_weight is not None:
        yield RuleProblem(("data", "sample_weight"), of_rows)


def _training_metrics_fit(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    stated, task = experiment.training.metrics or (), experiment.task
    scaled = experiment.data.stated_scale in STATED if task == "auto" else scales_target(experiment, task)
    # The task names none of the stated metrics; it decides only which are usual.
    for number, message in name_problems(training_metrics(experiment.training, "regression", scaled) if stated else ()):
        yield RuleProblem(("training", "metrics", number), message)
    if task == "auto" or KINDS[task].mixed:
        return
    loss = experiment.training.loss or default_loss(task)
    if loss_misfit(loss, task, scaled) is None:
        for number, metric in enumerate(stated):
            misfit = metric_misfit(metric, task, loss, scaled)
            if misfit:
                yield RuleProblem(("training", "metrics", number), misfit)


def _logits_have_no_activation(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    loss = experiment.training.loss
    if not experiment.model.may_end_in_logits and loss is not None and loss.takes_logits:
        yield RuleProblem(
            ("training", "loss", "from_logits"),
            f"a model of type {experiment.model.type} ends in probabilities: remove from_logits",
        )


def _model_is_sound(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    for path, message in experiment.model.problems():
        yield RuleProblem(("model", *path), message)


def _first_weights_are_kept(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    optimizer = experiment.training.optimizer
    if optimizer is not None and optimizer.type == "Ftrl" and experiment.model.stated_weights():
        message = "Ftrl does not begin with the weights of the model, so its first step would lose them: use another"
        yield RuleProblem(("training", "optimizer"), message)


def _own_step_is_alone(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.model.has_own_step and experiment.networks > 1:
        message = (
            f"the networks of an ensemble are trained together, and {experiment.model.type} has its own train_step"
        )
        yield RuleProblem(("ensemble",), f"{message}: remove ensemble, and train several seeds instead (--seeds)")
    training = experiment.training
    asked = {"mix": training.mix is not None, "label_smoothing": bool(training.label_smoothing)}
    for key, stated in {**asked, "accumulate": training.accumulate > 1}.items():
        if experiment.model.has_own_step and stated:
            message = f"{experiment.model.type} has its own train_step, which would not know of it: remove it"
            yield RuleProblem(("training", key), message)


NETWORK_RULES = (
    Rule(SCALE_FOLLOWS_FROM, _loss_fits_the_task),
    Rule(("task", "training.loss", "training.mix", "training.label_smoothing"), _targets_can_be_soft),
    Rule(("training.loss", "training.class_weight", "data.sample_weight"), _weights_reach_their_rows),
    Rule(SCALE_FOLLOWS_FROM, _training_metrics_fit),
    Rule(("model", "training.loss"), _logits_have_no_activation),
    Rule(("model.layers", "model.inputs"), _model_is_sound),
    Rule(("model", "training.optimizer"), _first_weights_are_kept),
    Rule(
        ("model", "ensemble", "training.mix", "training.label_smoothing", "training.accumulate"),
        _own_step_is_alone,
    ),
)
