from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from mltrain.keras_api.catalogue import Entry, definitions
from mltrain.keras_api.components import KerasAlternatives, make
from tests.keras_api.keras_samples import every_entry, minimal

DEFINITIONS = definitions()


@functools.cache
def validator(kind: str) -> Draft7Validator:
    # In draft-07 nothing beside a $ref counts, so the definitions cannot stand beside it.
    return Draft7Validator({"allOf": [KerasAlternatives(kind).json_schema()], "definitions": DEFINITIONS})


def accepts(kind: str, value: Any) -> bool:
    return validator(kind).is_valid(value)


def test_it_is_draft_07_and_all_references_are_defined() -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": DEFINITIONS}
    text = json.dumps(schema)

    Draft7Validator.check_schema(schema)
    assert "prefixItems" not in text
    assert "$defs" not in text
    for part in text.split('"$ref": "#/definitions/')[1:]:
        assert part.split('"')[0] in DEFINITIONS


@every_entry
def test_every_component_is_accepted_as_written_and_as_resolved(entry: Entry) -> None:
    given = minimal(entry)
    for spelling in (entry.name, *entry.aliases):
        assert accepts(entry.kind, {"type": spelling, **given})
        assert accepts(entry.kind, spelling) == (not entry.required)
    assert accepts(entry.kind, make(entry.kind, entry.name, **given).plain())
    assert not accepts(entry.kind, {"type": entry.name, **given, "no_such_argument": 1})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("layer", {"type": "Dense"}),
        ("layer", {"units": 3}),
        ("layer", {"type": "Dense", "units": 0}),
        ("layer", {"type": "Dense", "units": "3"}),
        ("layer", {"type": "Dense", "units": 3, "activation": "rellu"}),
        ("layer", {"type": "Conv2D", "filters": 3, "kernel_size": [1, 2, 3]}),
        ("layer", {"type": "Dense", "units": 3, "kernel_initializer": {"type": "HeNormal", "sed": 1}}),
        ("layer", "Lambda"),
        ("layer", 3),
        ("optimizer", {"type": "Adam", "learning_rate": -1}),
        ("loss", "accuracy"),
    ],
)
def test_mistakes_are_refused(kind: str, value: Any) -> None:
    assert not accepts(kind, value)
