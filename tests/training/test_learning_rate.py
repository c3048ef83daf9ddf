"""Schedules of the learning rate beside their formulas."""

import math

import pytest

from mltrain.training.learning_rate import ScheduledRate
from mltrain.training.schedule import Schedule


def rate(step, **schedule):
    return float(ScheduledRate(0.5, Schedule(**schedule), 100)(step))


@pytest.mark.parametrize("step", [0, 1, 30, 50, 75, 99, 100, 150])
def test_each_follows_its_formula(step):
    done = min(step / 100, 1)
    falling = 0.5 * (1 + math.cos(math.pi * done))
    assert rate(step, type="cosine") == pytest.approx(0.5 * falling, abs=1e-6)
    assert rate(step, type="linear") == pytest.approx(0.5 * (1 - done), abs=1e-6)
    later = 0.5 * (1 + math.cos(math.pi * max(0, 2 * done - 1)))
    assert rate(step, type="flat_cosine") == pytest.approx(0.5 * later, abs=1e-6)
    # coslog4 of Holzmüller et al., 2024: 1/2 (1 - cos(2 pi log2(1 + 15 t)))
    waves = 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * done)))
    assert rate(step, type="cycles") == pytest.approx(0.5 * waves, abs=1e-6)


def test_the_cycles_end_where_the_learning_rate_is_zero():
    # log2(1 + 15 t) is whole there.
    for t in (0, 1 / 15, 3 / 15, 7 / 15, 1):
        assert float(ScheduledRate(1.0, Schedule(type="cycles"), 15_000)(int(15_000 * t))) == pytest.approx(0, abs=1e-5)


def test_the_warm_up_rises_in_a_line_and_learns_in_the_first_step():
    found = [rate(step, type="flat_cosine", warm_up=0.1) for step in range(11)]
    assert found == pytest.approx([0.5 * min((step + 0.5) / 10, 1) for step in range(11)])


def test_the_name_alone_is_a_schedule():
    assert Schedule.model_validate("linear") == Schedule(type="linear")
