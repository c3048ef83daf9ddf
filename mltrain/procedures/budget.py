"""The epochs that fit a budget in seconds: measured once, before the first step, and kept in the record. Imports
TensorFlow.

A clock decides only here. From then on the run is what its number of epochs says: a resumption on a slower machine
trains the same number, and `reproduce` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mltrain.experiment.spec import ExperimentSpec
from mltrain.procedures.fitting import training_of
from mltrain.procedures.pace import Deadline, Pace, measure_pace
from mltrain.procedures.phases import Phases
from mltrain.procedures.setup import Setup, planned_setup
from mltrain.stopwatch import Stopwatch


def within_budget(spec: ExperimentSpec, setup: Setup, context: Phases, determinism: Mapping[str, bool | str]) -> Setup:
    """Return the setup with as many epochs as fit the budget in seconds, if there is one that is not fixed yet.

    Args:
        spec: the experiment, as the config says it.
        setup: of it.
        context: of the process.
        determinism: as for `set_up`.

    Raises:
        DivergedError: the loss, a metric or a prediction is NaN or infinite in the first steps.
    """
    budget = spec.training.budget
    if budget is None or budget.seconds is None or setup.epochs is not None:
        return setup
    deadline = Deadline(context.interruption)
    stopwatch = Stopwatch()  # of the trial: the laps of the command go on
    with context.stopwatch.phase("measuring the pace"):
        trial = training_of(setup.with_first_weights(context), Phases(deadline, stopwatch))
        pace = measure_pace(trial, deadline, stopwatch)
    laps = stopwatch.laps()
    compiling = laps["tracing"].seconds if "tracing" in laps else 0.0
    epochs = epochs_of(budget.seconds - compiling, pace, trial.steps_of_epoch)
    planned = planned_setup(spec, setup.device, setup.prepared, context, determinism, epochs, setup.rate)
    return replace(planned, rate_test=setup.rate_test)


def epochs_of(seconds: float, pace: Pace, steps: int) -> int:
    """Return how many epochs of so many steps fit, at least one."""
    of_epoch = steps * pace.seconds_per_step + (pace.seconds_beside or 0.0)
    return max(1, int((seconds - pace.first) / max(of_epoch, 1e-6)))
