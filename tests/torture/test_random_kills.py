"""SIGKILL at a random time, in every kind of experiment: the end is that of the run that was never killed."""

from __future__ import annotations

import random

import pytest

from tests.torture.comparison import step_on_disk
from tests.torture.experiments import VARIANTS
from tests.torture.forking import KILLED
from tests.torture.interruptions import is_finished

pytestmark = pytest.mark.long


# What others have, too, is in the long form alone: dropout, the averages of a normalization and of weights, a schedule.
IN_OTHERS = (
    *("dropout", "batch_norm", "ema", "schedule", "global_clip", "fused", "tabular_xla", "mixed_members"),
    *("ensemble_of_tabular", "by_seconds", "no_validation"),
)
OFTEN = [pytest.param(name, 1, marks=[pytest.mark.torture] * (name in IN_OTHERS)) for name in VARIANTS]


@pytest.mark.parametrize(
    ("experiment", "kills"), [*OFTEN, *(pytest.param(name, 25, marks=pytest.mark.torture) for name in VARIANTS)]
)
def test_one_kill(battery, experiment, kills):
    drawn = random.Random(f"{experiment} {kills}")
    runs = [battery.killed_in_training(experiment, drawn) for _ in range(kills)]
    assert min(battery.end(experiment, runs)) > 0


@pytest.mark.parametrize("number", [0, *(pytest.param(n, marks=pytest.mark.torture) for n in range(1, 20))])
def test_twenty_kills_of_one_run(battery, number):
    drawn = random.Random(number)
    _, ended = battery.whole("long")
    run = battery.new("long")
    kills, steps = 0, []
    while kills < 20:
        arguments = ("resume", run, "--quiet") if kills else battery.training("long", run)
        done = battery.server(*arguments, after=drawn.uniform(0, ended.seconds / 40))
        assert done.code == KILLED, done.err
        assert not is_finished(run)
        kills += 1
        steps.append(step_on_disk(run))
    assert battery.end("long", [run]) == steps[-1:]
    assert steps == sorted(steps)
