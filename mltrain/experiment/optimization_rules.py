"""What the optimizer, its learning rate and the length of the training must have in common: rules as those of
`section_rules.py`."""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.components import KerasComponent
from mltrain.rules import Rule, RuleProblem
from mltrain.training.rate_search import RateSearch
from mltrain.training.reduce_learning_rate import ReduceLROnPlateau
from mltrain.training.schedule import Schedule
from mltrain.training.spec import TrainingSpec


def _one_hand_on_the_learning_rate(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    found: dict[tuple[str | int, ...], RuleProblem] = {}
    for number in range(experiment.training.parts):
        for problem in _hands_in_stage(experiment.training, number):
            found.setdefault(problem.path, problem)  # what is stated for all stages is wrong once
    yield from found.values()


def _hands_in_stage(whole: TrainingSpec, number: int) -> Iterator[RuleProblem]:
    training = whole.of_stage(number)
    schedule, rate = training.schedule, training.learning_rate
    if rate is None and training.optimizer is not None:
        rate = training.optimizer.argument("learning_rate")
    if isinstance(rate, KerasComponent):
        if isinstance(schedule, Schedule):
            message = "the learning rate of the optimizer already follows a schedule: remove one of the two"
            yield RuleProblem(whole.path_of_schedule(number), message)
    elif not isinstance(schedule, Schedule):
        return
    if training.on_divergence.retry:
        message = "a retry cannot reduce a learning rate that follows a schedule: state a number, or remove the retries"
        yield RuleProblem(("training", "on_divergence"), message)
    for place, callback in enumerate(training.callbacks):
        if isinstance(callback, ReduceLROnPlateau):
            yield RuleProblem(
                ("training", "callbacks", place),
                "ReduceLROnPlateau cannot change a learning rate that follows a schedule: remove one of the two",
            )


def _no_search_for_stages(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    training = experiment.training
    if training.stages and isinstance(training.learning_rate, RateSearch):
        message = (
            "a learning rate is looked for before a training without stages: state a number here, or a learning_rate "
            "in each stage"
        )
        yield RuleProblem(("training", "learning_rate"), message)


def _what_is_not_trained_has_learned(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    """Layers that begin at random and are not trained make random features."""
    stages, model = experiment.training.stages, experiment.model
    vectors = any(getattr(feature, "vectors", None) is not None for feature in experiment.data.features.values())
    if stages and stages[0].train.part != "all" and model.begins_at_random and not vectors:
        message = (
            f"stage 1 trains {stages[0].train}, and the layers before them keep random weights: state weights of the "
            "model, or let a stage before it train all layers"
        )
        yield RuleProblem(("training", "stages", 0, "train"), message)


def known_epochs(experiment: ExperimentSpec) -> int | None:
    """Return how many epochs are trained at most; None where that follows from the data."""
    training = experiment.training
    if training.stated_epochs is not None:
        return training.stated_epochs
    return experiment.model.usual_epochs if training.budget is None else None


def _schedule_fits(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    whole = experiment.training
    for number in range(whole.parts):
        schedule = whole.of_stage(number).schedule
        epochs = whole.stages[number].epochs if whole.stages else known_epochs(experiment)
        if isinstance(schedule, Schedule) and epochs is not None:
            for path, message in schedule.misfits(epochs, None):
                yield RuleProblem((*whole.path_of_schedule(number), *path), message)


def _one_accumulation(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    training, path = experiment.training, ("training", "accumulate")
    if training.accumulate == 1:
        return
    if training.batch_size == "full":
        yield RuleProblem(path, "a full batch has all training rows: state training.batch_size, or remove this key")
    if training.accumulates_as_keras:
        already = "the optimizer already accumulates (gradient_accumulation_steps)"
        yield RuleProblem(path, f"{already}: remove one of the two")


def _mixed_rows_are_drawn(experiment: ExperimentSpec) -> Iterator[RuleProblem]:
    if experiment.training.mix is not None and experiment.training.xla is True:
        yield RuleProblem(("training", "xla"), "XLA cannot draw what training.mix draws: remove one of the two")


OPTIMIZATION_RULES = (
    Rule(("training.accumulate", "training.batch_size", "training.optimizer"), _one_accumulation),
    Rule(("training.mix", "training.xla"), _mixed_rows_are_drawn),
    Rule(
        (
            *("training.optimizer", "training.learning_rate", "training.schedule", "training.stages"),
            *("training.callbacks", "training.on_divergence"),
        ),
        _one_hand_on_the_learning_rate,
    ),
    Rule(("model", "training.schedule", "training.epochs", "training.budget", "training.stages"), _schedule_fits),
    Rule(("training.learning_rate", "training.stages"), _no_search_for_stages),
    Rule(("model", "data.features", "training.stages"), _what_is_not_trained_has_learned),
)
