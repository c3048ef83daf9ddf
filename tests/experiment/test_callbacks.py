"""What an experiment asks a callback, whichever it is: no rule knows the callbacks of the list by their class."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltrain.config.load import load_text
from mltrain.experiment import target_scale
from mltrain.experiment.target_scale import own_units
from mltrain.training.callback import Monitoring
from tests.training.test_callback import STATED, every_callback

CONFIG = """\
task: regression
data: {source: {type: synthetic, kind: linear, rows: 60}, target: y}
model: linear
training: {optimizer: adam}
"""


class Below(Monitoring):
    """A callback that nobody knows: it compares what it watches with a number."""

    value: float = 3.0


def experiment(*callbacks):
    spec = load_text(CONFIG.encode(), "c.yaml", Path("/")).spec
    return spec.model_copy(update={"training": spec.training.model_copy(update={"callbacks": callbacks})})


def test_a_number_of_a_new_callback_is_in_the_units_of_the_target():
    assert own_units(experiment()) is None
    assert own_units(experiment(Below())) == "Below watches 'loss' in the units of the target"
    assert own_units(experiment(Below(monitor="validation.mae"))) is None  # measured in own units in any case


@every_callback
def test_a_callback_that_states_no_number_leaves_the_target_scaled(callback):
    spec = callback(**STATED.get(callback.__name__, {}))
    states = isinstance(spec, Monitoring) and spec.states_a_number()
    assert (own_units(experiment(spec)) is not None) == states


@pytest.mark.parametrize("changed", ["baseline", "min_delta"])
@every_callback
def test_a_number_that_is_compared_keeps_the_units_of_the_target(callback, changed):
    if changed in callback.model_fields:
        spec = callback(**STATED.get(callback.__name__, {}), **{changed: 0.25})
        assert own_units(experiment(spec)) == f"{callback.__name__} watches 'loss' in the units of the target"


@every_callback
def test_the_scale_of_the_target_knows_no_callback_by_its_class(callback):
    assert callback.__name__ not in Path(target_scale.__file__).read_text(encoding="utf-8")
