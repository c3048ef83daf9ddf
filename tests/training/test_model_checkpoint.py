"""Which epochs a ModelCheckpoint keeps; that they are kept, used and resumed is in tests/procedures."""

import math
import random

import pytest

from mltrain.task import Objective
from mltrain.training.model_checkpoint import ModelCheckpoint

LOSS = Objective("validation.loss", "min")
ACCURACY = Objective("validation.accuracy", "max")


def kept(spec, objective, values):
    callback = spec.build(objective)
    for epoch, value in enumerate(values, start=1):
        callback.epoch_ended(epoch, {objective.metric: value}, 0.1)
    return [epoch for epoch in range(1, len(values) + 1) if callback.keeps(epoch)]


@pytest.mark.parametrize("objective", [LOSS, ACCURACY], ids=["smaller is better", "larger is better"])
@pytest.mark.parametrize("seed", range(10))
def test_top_are_the_best_by_the_objective_and_the_earlier_of_equal_ones(objective, seed):
    draw = random.Random(seed)
    values = [draw.choice([0.1, 0.2, 0.3, 0.4, math.nan, math.inf]) for _ in range(20)]
    sign = 1 if objective.direction == "min" else -1
    finite = [(sign * value, epoch) for epoch, value in enumerate(values, start=1) if math.isfinite(value)]
    assert kept(ModelCheckpoint(top=4), objective, values) == sorted(epoch for _, epoch in sorted(finite)[:4])


def test_stated_epochs_and_every_nth():
    assert kept(ModelCheckpoint(keep=(2, 9, 12)), LOSS, [0.5] * 10) == [2, 9]
    assert kept(ModelCheckpoint(every=3), LOSS, [0.5] * 10) == [3, 6, 9]


def test_it_continues_from_its_state():
    values = [0.5, 0.3, 0.4, 0.2, 0.6, 0.25]
    first = ModelCheckpoint(top=2).build(LOSS)
    for epoch, value in enumerate(values[:3], start=1):
        first.epoch_ended(epoch, {"validation.loss": value}, 0.1)
    then = ModelCheckpoint(top=2).build(LOSS)
    then.restore(first.state())
    for epoch, value in enumerate(values[3:], start=4):
        then.epoch_ended(epoch, {"validation.loss": value}, 0.1)
    assert [epoch for epoch in range(1, 7) if then.keeps(epoch)] == [4, 6]
