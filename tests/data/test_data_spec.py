from __future__ import annotations

import json
import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from mltrain.data.features import FEATURES, Feature
from mltrain.data.spec import DataSpec
from mltrain.data.target_spec import TargetSpec
from mltrain.spec import as_plain

SOURCE = {"type": "sklearn", "name": "iris"}


def test_short_forms():
    spec = DataSpec.model_validate(
        {
            "source": SOURCE,
            "target": "price",
            "features": {"age": "number", "id": "Ignore", "cut": {"type": "category"}},
        }
    )
    assert spec.target == TargetSpec(column="price")
    assert [feature.type for feature in spec.features.values()] == ["number", "ignore", "category"]
    assert (spec.split.type, spec.scale) == ("random", "standard")


def test_a_spec_survives_being_written_out():
    spec = DataSpec.model_validate(
        {
            "source": SOURCE,
            "target": {"column": "y", "classes": ["no", 1, True], "positive": None},
            "features": {
                "cut": {"type": "category", "order": ["a", "b"]},
                "sold": {"type": "datetime", "parts": ["day"]},
            },
        }
    )
    assert spec.target.classes == ("no", "1", "true")
    assert DataSpec.model_validate(json.loads(json.dumps(as_plain(spec)))) == spec


@pytest.mark.parametrize("kind", [spec.model_fields["type"].default for spec in FEATURES])
def test_every_kind_works_by_its_bare_name(kind):
    assert TypeAdapter(Feature).validate_python(kind).type == kind


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        ({"features": {"y": "number"}, "target": "y"}, ("features", "y"), "'y' is the target"),
        ({"features": {"a": "nubmer"}}, ("features", "a", "type"), "unknown feature 'nubmer'.*number"),
        ({"features": {"a": {"type": "number", "scale": "log"}}}, ("features", "a", "scale"), "standard"),
        ({"features": {"a": {"type": "ignore", "scale": "none"}}}, ("features", "a", "scale"), "Extra"),
        ({"features": {"a": {"type": "datetime", "parts": []}}}, ("features", "a", "parts"), "at least 1 item"),
        ({"target": 3}, ("target",), "TargetSpec"),
        (
            {"target": {"column": ["y", "z"]}},
            ("target", "column"),
            "a list of names belongs under the key columns, not column",
        ),
        ({"target": {"column": "y", "classes": ["a"]}}, ("target", "classes"), "two classes or more"),
        ({"target": {"column": "y", "classes": ["a", "a"]}}, ("target", "classes"), "'a' is listed twice"),
        (
            {"target": {"column": "y", "classes": ["a", "b"], "positive": "c"}},
            ("target", "positive"),
            r"not one of the classes \(a, b\)",
        ),
        ({"target": {"column": "y", "classes": [[1], 2]}}, ("target", "classes", 0), "string"),
        ({"scale": "robust"}, ("scale",), "standard"),
        ({"sorce": SOURCE}, ("sorce",), "Extra"),
    ],
)
def test_what_is_wrong_is_found_at_its_place(change, place, message):
    with pytest.raises(ValidationError, match=message) as caught:
        DataSpec.model_validate({"source": SOURCE, **change})
    assert place in [error["loc"] for error in caught.value.errors()]


@pytest.mark.parametrize("kind", ["ignore", "category"])
def test_the_target_may_be_no_feature_or_read_as_text(kind):
    assert DataSpec.model_validate({"source": SOURCE, "target": "y", "features": {"y": kind}})


def test_json_schema_takes_the_target_by_its_name():
    schema = DataSpec.model_json_schema()
    forms = schema["$defs"]["TargetSpec"]["anyOf"]
    assert {"type": "string"} in forms


def test_the_section_is_checked_without_numpy_pyarrow_or_tensorflow():
    code = (
        "import sys; from mltrain.data.spec import DataSpec;"
        "DataSpec.model_validate({'source': {'type': 'sklearn', 'name': 'iris'}, 'features': {'a': 'category'}});"
        "print([name for name in ('numpy', 'pyarrow', 'tensorflow', 'keras', 'sklearn') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr
