"""Our two callbacks against Keras' own, value by value, and where Keras' own are wrong: NaN."""

import math
import random

import keras
import numpy as np
import pytest

from mltrain.task import Objective
from mltrain.training.early_stopping import EarlyStopping
from mltrain.training.reduce_learning_rate import ReduceLROnPlateau

LOSS = Objective("validation.loss", "min")
ACCURACY = Objective("validation.accuracy", "max")


class FakeOptimizer:
    def __init__(self):
        self.learning_rate = np.float32(0.1)


class FakeModel:
    def __init__(self):
        self.stop_training = False
        self.optimizer = FakeOptimizer()


def values(seed):
    draw = random.Random(seed)
    return [round(draw.uniform(0, 1), 2) for _ in range(40)]


def stopped_epoch(spec, objective, sequence):
    callback = spec.build(objective)
    for epoch, value in enumerate(sequence, start=1):
        if callback.epoch_ended(epoch, {objective.metric: value}, 0.1).stop:
            return epoch
    return None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("objective", "mode"), [(LOSS, "min"), (ACCURACY, "max")], ids=["smaller is better", "larger is better"]
)
def test_early_stopping_stops_where_keras_does(seed, objective, mode):
    options = random.Random(seed)
    arguments = {
        "patience": options.choice([0, 1, 3, 6]),
        "min_delta": options.choice([0.0, 0.05]),
        "baseline": options.choice([None, 0.5]),
        "start_from_epoch": options.choice([0, 4]),
    }
    reference = keras.callbacks.EarlyStopping(monitor="value", mode=mode, **arguments)
    reference.set_model(FakeModel())
    reference.on_train_begin()
    expected = None
    for epoch, value in enumerate(values(seed)):
        reference.on_epoch_end(epoch, {"value": value})
        if reference.model.stop_training:
            expected = epoch + 1
            break
    assert stopped_epoch(EarlyStopping(**arguments), objective, values(seed)) == expected


@pytest.mark.parametrize("seed", range(20))
def test_the_learning_rate_is_reduced_where_keras_reduces_it(seed):
    options = random.Random(seed)
    arguments = {
        "factor": 0.5,
        "patience": options.choice([1, 2, 4]),
        "min_delta": options.choice([0.0, 0.05]),
        "cooldown": options.choice([0, 2]),
        "min_lr": options.choice([0.0, 0.03]),
    }
    reference = keras.callbacks.ReduceLROnPlateau(monitor="value", mode="min", verbose=0, **arguments)
    reference.set_model(FakeModel())
    reference.on_train_begin()
    ours, rate = ReduceLROnPlateau(**arguments).build(LOSS), 0.1
    for epoch, value in enumerate(values(seed)):
        reference.on_epoch_end(epoch, {"value": value})
        consequence = ours.epoch_ended(epoch + 1, {LOSS.metric: value}, rate)
        rate = rate if consequence.learning_rate is None else consequence.learning_rate
        assert rate == pytest.approx(float(reference.model.optimizer.learning_rate), rel=1e-6), f"epoch {epoch + 1}"


def test_nan_in_the_first_epoch_is_not_the_best_for_good():
    assert stopped_epoch(EarlyStopping(patience=2), LOSS, [math.nan, 0.9, 0.8, 0.7, 0.6]) is None


def test_nan_is_never_an_improvement():
    assert stopped_epoch(EarlyStopping(patience=2), LOSS, [0.9, math.nan, math.nan, math.nan]) == 3


@pytest.mark.parametrize("spec", [EarlyStopping(patience=3), ReduceLROnPlateau(patience=2, cooldown=1)])
def test_a_restored_state_goes_on_exactly(spec):
    sequence = values(5)
    whole = spec.build(LOSS)
    expected = [whole.epoch_ended(epoch, {LOSS.metric: value}, 0.1) for epoch, value in enumerate(sequence, 1)]
    first, second = spec.build(LOSS), spec.build(LOSS)
    parts = []
    for epoch, value in enumerate(sequence, 1):
        if epoch == 12:
            second.restore(first.state())
            first = second
        parts.append(first.epoch_ended(epoch, {LOSS.metric: value}, 0.1))
    assert parts == expected
