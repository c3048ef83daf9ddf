"""What a record says of components of plugins: read again without them, and refused where it is damaged."""

import pytest

from mltrain.errors import PluginError, RunError
from mltrain.keras_api.components import KerasAlternatives
from mltrain.keras_api.own_parts import OwnParts
from mltrain.procedures.recorded_parts import recorded_parts
from mltrain.run.record import Record

ORIGIN = {"plugin": "nets.py", "sha256": "0" * 64}
ARGUMENTS = [
    {"name": "units", "type": "integer >= 1", "required": True},
    {"name": "inner", "type": "layer | null", "default": None},
]


def record(**changed):
    part = {"kind": "layer", "name": "Mine", "origin": ORIGIN, "arguments": ARGUMENTS, **changed}
    started = {"started": "2026-01-01T00:00:00Z", "command": ["x"], "working_directory": "/", "versions": {}}
    machine = {"system": "x", "processor": "x", "cores": 1}
    return Record.model_validate({**started, "machine": machine, "git": None, "environment": {}, "own_parts": [part]})


def test_a_config_can_name_it_with_its_arguments_and_it_cannot_be_built():
    parts = OwnParts().with_recorded(recorded_parts(record(), "record.json"))
    found = KerasAlternatives("layer", parts).check("Mine", {"units": 3, "inner": {"type": "Dense", "units": 2}})
    assert found.plain()["inner"]["type"] == "Dense"
    with pytest.raises(
        PluginError, match=r"layer Mine is one of nets\.py \(sha256 0{12}\): give it with --plugin nets"
    ):
        found.own.given()
    with pytest.raises(ValueError, match="expected an integer of at least 1"):
        KerasAlternatives("layer", parts).check("Mine", {"units": 0})


@pytest.mark.parametrize(
    "argument",
    [
        {"name": "a", "type": "integr >", "default": 1},
        {"name": "a", "type": "nothing", "default": None},
        {"name": "a", "type": "[[nothing]]", "required": True},
        {"name": "a", "type": "integer", "default": "x"},
        {"name": "a", "type": "integer", "default": {"x": 1}},
        {"name": "a", "type": "[" * 200, "required": True},
        {"name": "a", "type": "", "required": True},
    ],
)
def test_a_damaged_one_is_refused(argument):
    with pytest.raises(RunError, match=r"record\.json: own_parts: argument a of Mine"):
        recorded_parts(record(arguments=[argument]), "record.json")
