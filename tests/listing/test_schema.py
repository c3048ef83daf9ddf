from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from mltrain.config.load import load
from mltrain.config.yaml_document import decode, parse
from mltrain.listing.schema import json_schema
from mltrain.spec import as_plain
from tests.toy_experiment import CONFIGS, Toy

SCHEMA = json_schema()


def errors(config: Any) -> list[str]:
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(config)]


def plain(path: Path) -> Any:
    return parse(*decode(path.read_bytes(), path.name)).root.plain()


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a schema, what is inside of defaults and choices left out."""
    if isinstance(schema, dict):
        yield schema
        for key, inner in schema.items():
            if key not in ("default", "enum", "const"):
                yield from schemas(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from schemas(inner)


def test_it_is_draft_07() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    newer = {"$defs", "prefixItems", "unevaluatedProperties", "discriminator"}
    for schema in schemas(SCHEMA):
        assert not newer & schema.keys()
        if "$ref" in schema:
            assert set(schema) == {"$ref"}  # draft-07 ignores what stands beside it
            assert schema["$ref"].removeprefix("#/definitions/") in SCHEMA["definitions"]
        assert not isinstance(schema.get("title"), str)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_it_accepts_the_shipped_configs_as_written_and_as_resolved(path: Path) -> None:
    assert errors(plain(path)) == []
    assert errors(as_plain(load(path).spec)) == []


def test_it_refuses_what_the_loader_refuses() -> None:
    config = plain(next(path for path in CONFIGS if path.stem == "breast_cancer"))
    assert errors(config | {"$schema": "./mltrain.listing.schema.json"}) == []
    assert errors(config | {"epochs": 3})
    assert errors(config | {"training": {"epoch": 3}})
    assert errors(config | {"training": {"epochs": 0}})
    assert errors(config | {"training": {"optimizer": {"type": "Adam", "learning_rat": 0.1}}})
    assert errors(config | {"model": {"type": "sequential", "layers": [{"type": "Dense"}]}})
    assert errors(config | {"model": {"layers": ["Flatten"]}})  # no type
    assert errors({key: value for key, value in config.items() if key != "data"})


def test_every_object_is_closed_and_every_property_described() -> None:
    for schema in schemas(SCHEMA):
        if schema.get("type") == "object" and "properties" in schema:
            assert schema["additionalProperties"] is False
            for name, inner in schema["properties"].items():
                assert inner.get("description"), f"{name} in {schema.get('description')}"


def test_descriptions_are_the_strings_under_the_fields() -> None:
    epochs = SCHEMA["definitions"]["TrainingSpec"]["properties"]["epochs"]
    assert epochs["description"].startswith("The largest number of passes over the training rows")
    assert epochs["default"] == "auto"
    assert epochs["anyOf"][0]["minimum"] == 1


def test_defaults_are_what_yaml_would_say() -> None:
    checkpoint = SCHEMA["definitions"]["TrainingSpec"]["properties"]["checkpoint"]
    assert checkpoint["default"] == {"every": "60s", "keep": 2}


def test_another_spec() -> None:
    schema = json_schema(Toy)
    Draft7Validator.check_schema(schema)
    assert "definitions" in schema
    assert Draft7Validator(schema).is_valid({"data": {"path": "x", "target": {"column": "y"}}})
    assert not Draft7Validator(schema).is_valid({"data": {"path": "x", "target": {"column": "y"}, "share": 2}})


def test_no_tensorflow_is_imported() -> None:
    code = (
        "import sys; from mltrain.listing.schema import json_schema; json_schema(); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
