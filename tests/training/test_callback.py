"""What all callbacks of mltrain have in common: whatever is in the list can be trained, kept and resumed."""

import numpy as np
import pytest

from mltrain.errors import RunError
from mltrain.task import Objective
from mltrain.training.callback import EpochCallback, EpochRules
from mltrain.training.checkpoint_state import check_checkpoint_state
from mltrain.training.model_checkpoint import ModelCheckpoint
from mltrain.training.spec import OWN_CALLBACKS

LOSS = Objective("validation.loss", "min")
# What is stated of a callback here, by its name: what it cannot do without, and what makes it act.
STATED = {
    "EarlyStopping": {"patience": 3},
    "ReduceLROnPlateau": {"patience": 3},
    "ModelCheckpoint": {"top": 2},
    "StochasticWeightAveraging": {"start": 1},
}
every_callback = pytest.mark.parametrize("callback", OWN_CALLBACKS, ids=lambda each: each.__name__)


def build(callback):
    return callback(**STATED.get(callback.__name__, {})).build(LOSS)


def measured(value):
    return {"train.loss": value, "validation.loss": value}


def state(callbacks):
    return {
        "training": {
            "position": {"epoch": 2, "step": 0, "seconds": 0.0, "logs": None, "stopped": None},
            "best": 0.5,
            "callbacks": callbacks,
        },
        "history": "epoch,validation.loss\n1,0.5\n",
        "best_epoch": 1,
        "best_step": 5,
        "retries": 0,
        "step": 5,
    }


@every_callback
def test_what_it_remembers_can_be_kept_and_restored(callback):
    running, again = build(callback), build(callback)
    before = running.state()
    running.epoch_ended(1, measured(0.5), 0.1)
    running.take_weights(1, lambda: {"weight-0000": np.ones(3, np.float32)})
    assert running.state() != before
    check_checkpoint_state(state([running.state()]), "checkpoint")
    again.restore(running.state())
    assert again.state() == running.state()


@every_callback
@pytest.mark.parametrize("curve", [[1.0] * 40, [1 / n for n in range(1, 40)], [float(n) for n in range(1, 40)]])
def test_it_acts_in_no_epoch_before_it_has_to_be_asked(callback, curve):
    running, left = build(callback), 0
    for epoch, value in enumerate(curve, start=1):
        left = left or running.epochs_until_asked()
        assert left >= 1
        left -= 1
        found = running.epoch_ended(epoch, measured(value), 0.1)
        assert not left or (found.stop is None and found.learning_rate is None)


def test_a_callback_that_does_not_say_when_is_asked_after_every_epoch():
    assert EpochCallback().epochs_until_asked() == 1
    assert EpochRules(LOSS, [EpochCallback(), build(ModelCheckpoint)]).epochs_until_asked() == 1


@pytest.mark.parametrize(
    "wrong", [{}, {"no callback": 0}, {"wait": -1, "best": None}, {"wait": 0, "best": None, "x": 1}, "x"]
)
def test_a_state_of_no_callback_is_refused_in_one_line(wrong):
    with pytest.raises(RunError, match=r"checkpoint: training\.callbacks\.0") as caught:
        check_checkpoint_state(state([wrong]), "checkpoint")
    assert "\n" not in str(caught.value)
