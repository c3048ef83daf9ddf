"""The range test that finds a learning rate before the first step. Imports TensorFlow.

It trains a network that is thrown away, so that nothing of it is in the training: that one begins as if the learning
rate had been stated. The record keeps what was found, and a run that goes on, or is repeated, does not test again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from mltrain.errors import MisfitError
from mltrain.experiment.settled import settled
from mltrain.experiment.spec import ExperimentSpec
from mltrain.procedures.fitting import training_of
from mltrain.procedures.network import build_network
from mltrain.procedures.phases import Phases
from mltrain.procedures.rate_choice import chosen, has_diverged, of_interest, smoothed
from mltrain.procedures.setup import Setup, planned_setup
from mltrain.run.rate_test import RateTest
from mltrain.training.progress import epoch_order
from mltrain.training.rate_search import RangeTest, RateSearch
from mltrain.training.training import Training

_FEWEST = 10


def with_found_rate(
    spec: ExperimentSpec, setup: Setup, context: Phases, determinism: Mapping[str, bool | str]
) -> Setup:
    """Return the setup with the learning rate that a range test finds, if one is looked for and not found yet.

    Args:
        spec: the experiment, as the config says it.
        setup: of it.
        context: of the process.
        determinism: as for `set_up`.

    Raises:
        MisfitError: the loss does not fall at any of the learning rates.
        InterruptedRunError: a signal came.
    """
    search = spec.training.learning_rate
    if not isinstance(search, RateSearch) or setup.rate is not None:
        return setup
    with context.stopwatch.phase("finding the learning rate"):
        training = training_of(_trial(spec, setup, search.find).with_first_weights(context), context)
        test = _tested(training, setup.spec.seed, search.find, context)
    found = planned_setup(spec, setup.device, setup.prepared, context, determinism, setup.epochs, test.chosen)
    return replace(found, rate_test=test)


def _trial(spec: ExperimentSpec, setup: Setup, test: RangeTest) -> Setup:
    """Return the setup of a training whose learning rate can be set in each step."""
    training = settled(spec, setup.prepared.info, setup.epochs, test.from_).training
    stated = setup.spec.model_copy(update={"training": training.model_copy(update={"schedule": "none"})})
    network = build_network(stated, setup.prepared.info, setup.prepared.preprocessing.target, setup.precision)
    return replace(setup, spec=stated, network=network)


def _tested(training: Training, seed: int, test: RangeTest, context: Phases) -> RateTest:
    """Train with growing learning rates, on the training rows alone, and return what that says."""
    rates: list[float] = []
    losses: list[float] = []
    means: list[float] = []
    factor = (test.to / test.from_) ** (1 / (test.steps - 1))
    epoch, step, ended = 1, 0, f"all {test.steps} steps are done"
    order = epoch_order(training.loop.rows, seed, epoch)
    for number in range(test.steps):
        context.interruption.raise_if_received()
        if step == training.loop.steps:
            epoch, step = epoch + 1, 0
            order = epoch_order(training.loop.rows, seed, epoch)
        rate = test.from_ * factor**number
        training.model.optimizer.learning_rate = rate
        loss = training.loop.step_alone(order, step)["loss"]
        step += 1
        if not math.isfinite(loss):
            ended = f"the loss was {loss} at {rate:.3g}"
            break
        rates, losses = [*rates, rate], [*losses, loss]
        means = smoothed(losses)
        if has_diverged(means):
            ended = f"the loss was four times its smallest value at {rate:.3g}"
            break
    places = of_interest(test.steps, len(means))
    found = chosen(test.choose, [rates[place] for place in places], [means[place] for place in places])
    if found is None or len(places) < _FEWEST:
        raise MisfitError(
            ("training", "learning_rate", "find"),
            f"the loss does not fall between {test.from_:g} and {test.to:g} ({ended}): state a smaller `from`, more "
            "`steps`, or the learning rate itself",
        )
    return RateTest(
        rule=test.choose,
        chosen=found,
        ended=ended,
        learning_rates=tuple(rates),
        losses=tuple(losses),
        smoothed=tuple(means),
    )
