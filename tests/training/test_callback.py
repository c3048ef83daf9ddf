"""What all callbacks of mltrain have in common: whatever is in the list can be trained, kept and resumed."""

import numpy as np
import pytest

from mltrain.errors import RunError
from mltrain.task import Objective
from mltrain.training.checkpoint_state import check_checkpoint_state
from mltrain.training.spec import OWN_CALLBACKS

LOSS = Objective("validation.loss", "min")
# What a callback cannot do without, by its name.
REQUIRED = {"ModelCheckpoint": {"top": 2}, "StochasticWeightAveraging": {"start": 1}}


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


@pytest.mark.parametrize("callback", OWN_CALLBACKS, ids=lambda each: each.__name__)
def test_what_it_remembers_can_be_kept_and_restored(callback):
    spec = callback(**REQUIRED.get(callback.__name__, {}))
    running, again = spec.build(LOSS), spec.build(LOSS)
    before = running.state()
    running.epoch_ended(1, {"validation.loss": 0.5}, 0.1)
    running.take_weights(1, lambda: {"weight-0000": np.ones(3, np.float32)})
    assert running.state() != before
    check_checkpoint_state(state([running.state()]), "checkpoint")
    again.restore(running.state())
    assert again.state() == running.state()


@pytest.mark.parametrize("wrong", [{}, {"wait": 0}, {"wait": -1, "best": None}, {"wait": 0, "best": None, "x": 1}, "x"])
def test_a_state_of_no_callback_is_refused_in_one_line(wrong):
    with pytest.raises(RunError, match=r"checkpoint: training\.callbacks\.0") as caught:
        check_checkpoint_state(state([wrong]), "checkpoint")
    assert "\n" not in str(caught.value)
