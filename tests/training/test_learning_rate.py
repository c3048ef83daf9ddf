"""Schedules of the learning rate beside their formulas, and beside Keras' where Keras has the same one."""

import math

import keras
import pytest

from mltrain.training.learning_rate import ScheduledRate
from mltrain.training.length import in_steps, share_of
from mltrain.training.schedule import Schedule

STEPS = [0, 1, 30, 50, 75, 99, 100, 150]


def rate(step, **schedule):
    return float(ScheduledRate(0.5, Schedule(**schedule), 100, 10)(step))


@pytest.mark.parametrize("step", STEPS)
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


@pytest.mark.parametrize("warm_up", ["10 steps", "1 epoch", "1.0 epochs"])
def test_a_warm_up_in_steps_or_epochs_is_that_of_its_share(warm_up):
    for step in range(15):
        assert rate(step, type="linear", warm_up=warm_up) == rate(step, type="linear", warm_up=0.1)


SCHEDULES = keras.optimizers.schedules
# What Keras has too. Its boundaries are the last steps with the old value; ours, as PyTorch's, the first with the new.
OF_KERAS = [
    ({"type": "cosine"}, SCHEDULES.CosineDecay(0.5, 100)),
    ({"type": "cosine", "length": "6 epochs", "end": 0.1}, SCHEDULES.CosineDecay(0.5, 60, alpha=0.1)),
    ({"type": "linear", "end": 0.2}, SCHEDULES.PolynomialDecay(0.5, 100, 0.1)),
    (
        {"type": "polynomial", "length": "80 steps", "end": 0.2, "power": 2.0},
        SCHEDULES.PolynomialDecay(0.5, 80, 0.1, power=2.0),
    ),
    ({"type": "exponential", "length": "20 steps", "factor": 0.5}, SCHEDULES.ExponentialDecay(0.5, 20, 0.5)),
    (
        {"type": "piecewise", "boundaries": ["3 epochs", 0.75], "factors": [1.0, 0.2, 0.02]},
        SCHEDULES.PiecewiseConstantDecay([29, 74], [0.5, 0.1, 0.01]),
    ),
    (
        {"type": "piecewise", "boundaries": ["30 steps", "75 steps"]},
        SCHEDULES.PiecewiseConstantDecay([29, 74], [0.5, 0.05, 0.005]),
    ),
    (
        {"type": "cosine_restarts", "length": "3 epochs", "factor": 0.8, "end": 0.1},
        SCHEDULES.CosineDecayRestarts(0.5, 30, t_mul=1.0, m_mul=0.8, alpha=0.1),
    ),
    (
        {"type": "cosine_restarts", "length": 0.1, "growth": 2.0, "factor": 0.5},
        SCHEDULES.CosineDecayRestarts(0.5, 10, t_mul=2.0, m_mul=0.5),
    ),
]


@pytest.mark.parametrize(("schedule", "theirs"), OF_KERAS, ids=lambda each: str(getattr(each, "name", each)))
def test_each_is_that_of_keras(schedule, theirs):
    for step in range(100):
        assert rate(step, **schedule) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-7), step


def test_restarts_come_at_their_very_step_and_none_where_training_ends():
    growing = {"type": "cosine_restarts", "length": "10 steps", "growth": 2.0, "factor": 0.5}
    assert [rate(step, **growing) for step in (0, 10, 30, 70)] == [0.5, 0.25, 0.125, 0.0625]
    assert rate(9, **growing) == pytest.approx(0.25 * (1 + math.cos(math.pi * 0.9)))
    same = {"type": "cosine_restarts", "length": "2 epochs"}
    assert [rate(step, **same) for step in (0, 20, 80)] == [0.5, 0.5, 0.5]
    assert rate(100, **same) == rate(150, **same) == pytest.approx(0, abs=1e-7)


def test_one_cycle_rises_and_falls_in_half_waves():
    # The values of PyTorch's OneCycleLR(max_lr=0.5, pct_start=0.3, div_factor=25), whose end is not quite 0.
    def wave(begin, end, share):
        return end + (begin - end) / 2 * (1 + math.cos(math.pi * share))

    found = [rate(step, type="one_cycle") for step in (0, 15, 30, 65, 100)]
    expected = [0.02, wave(0.02, 0.5, 0.5), 0.5, wave(0.5, 0, 0.5), 0]
    assert found == pytest.approx(expected, abs=1e-6)
    assert rate(10, type="one_cycle", rise="1 epoch", start=0.5) == 0.5
    assert rate(100, type="one_cycle", end=0.1) == pytest.approx(0.05)


def test_the_name_alone_is_a_schedule():
    assert Schedule.model_validate("linear") == Schedule(type="linear")


def test_lengths():
    assert [share_of(each, 10, 20) for each in (0.25, "5 epochs", "50 steps")] == [0.25, 0.5, 0.25]
    assert share_of("50 steps", 10, None) is None
    assert [in_steps(each, 200, 20) for each in (0.25, "5 epochs", "50 steps")] == [50, 100, 50]
