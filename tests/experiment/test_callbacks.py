"""What an experiment asks a callback, whichever it is: no rule knows the callbacks of the list by their class."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltrain.config.load import load_text
from mltrain.errors import MisfitError
from mltrain.experiment import target_scale
from mltrain.experiment.section_rules import RULES
from mltrain.experiment.target_scale import why_unscaled
from mltrain.procedures.plan import make_plan
from mltrain.task import SPLITS, DataInfo, Input, Objective, Output
from mltrain.training.callback import Monitoring
from mltrain.training.early_stopping import EarlyStopping
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


class Gap(Monitoring):
    """A callback that nobody knows: it compares what it watches with the same quantity of the training rows."""

    def problem(self, objective, known):
        beside = objective.metric.replace("validation.", "train.")
        return None if beside in known else f"'{beside}' is not measured"


def experiment(*callbacks):
    spec = load_text(CONFIG.encode(), "c.yaml", Path("/")).spec
    return spec.model_copy(update={"training": spec.training.model_copy(update={"callbacks": callbacks})})


def test_a_number_of_a_new_callback_is_in_the_units_of_the_target():
    assert why_unscaled(experiment()) is None
    assert why_unscaled(experiment(Below())) == "Below watches 'loss' in the units of the target"
    assert why_unscaled(experiment(Below(monitor="validation.mae"))) is None  # measured in own units in any case


@every_callback
def test_a_callback_that_states_no_number_leaves_the_target_scaled(callback):
    spec = callback(**STATED.get(callback.__name__, {}))
    states = isinstance(spec, Monitoring) and spec.states_a_number()
    assert (why_unscaled(experiment(spec)) is not None) == states


@pytest.mark.parametrize("changed", ["baseline", "min_delta"])
@every_callback
def test_a_number_that_is_compared_keeps_the_units_of_the_target(callback, changed):
    if changed in callback.model_fields:
        spec = callback(**STATED.get(callback.__name__, {}), **{changed: 0.25})
        assert why_unscaled(experiment(spec)) == f"{callback.__name__} watches 'loss' in the units of the target"


@pytest.mark.parametrize(
    ("callback", "said"),
    [
        (Gap(), None),
        (Gap(monitor="validation.loss"), None),
        (Gap(monitor="validation.r2"), "'train.r2' is not measured"),
        (Gap(monitor="validation.r3"), "'validation.r3' will not be measured"),
    ],
)
def test_what_a_callback_needs_is_checked_in_the_config_and_again_with_the_data(callback, said):
    spec = experiment(EarlyStopping(), callback)
    found = [each for rule in RULES for each in rule.check(spec)]
    output = Output("y", "regression", 1, (), ())
    info = DataInfo((Input("table", (1,), "float32", ("x",), sources=("x",)),), (output,), 40)
    if said is None:
        assert not found
        objectives = [objective.metric for _, objective in make_plan(spec, info, set(SPLITS)).monitors[0]]
        assert objectives == ["validation.loss", callback.monitor or "validation.loss"]
        return
    assert [said in each.message for each in found] == [True]
    assert found[0].path[:3] == ("training", "callbacks", 1)
    with pytest.raises(MisfitError) as caught:
        make_plan(spec, info, set(SPLITS))
    assert (caught.value.path, caught.value.message) == (found[0].path, found[0].message)


@every_callback
def test_a_callback_reads_no_quantity_but_those_that_it_asked_for(callback):
    spec = callback(**STATED.get(callback.__name__, {}))
    only = Objective("validation.r2", "max")
    if spec.problem(only, {only.metric}) is None:
        spec.build(only).epoch_ended(1, {only.metric: 0.5}, 0.1)


@every_callback
def test_the_scale_of_the_target_knows_no_callback_by_its_class(callback):
    assert callback.__name__ not in Path(target_scale.__file__).read_text(encoding="utf-8")
