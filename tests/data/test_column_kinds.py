"""How many places know the kinds of columns: each asks the encoder itself, except for the few that CONTRIBUTING.md
names."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from datetime import datetime
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from mltrain.data import encoders, features
from mltrain.data.column_settings import AS_WRITTEN, READ_AS
from mltrain.data.encoders.any import AnyEncoder
from mltrain.data.encoders.column import ColumnEncoder
from mltrain.data.features import FEATURES, IgnoreFeature
from mltrain.data.files.column_types import ColumnPlace, DeclaredKinds, parse_texts
from mltrain.data.raw_model import graph_of
from mltrain.report.decisions import PLURALS
from mltrain.spec import Spec
from tests.conftest import REPOSITORY
from tests.data import tables

ENCODERS = get_args(get_args(AnyEncoder)[0])
# What is fitted on the training rows, which asks whether it is of an array or of windows, and the graphs.
MAY_NAME_ENCODERS = {"data/preprocessing.py", "data/raw_model.py", "data/texts/graph.py", "data/tree_columns.py"}
# What a feature cannot do without, by its name.
REQUIRED: dict[str, dict[str, object]] = {}
# Values of a column, by what its texts are read as.
VALUES = {
    "number": [1.0, 2.5, 4.0],
    "category": ["a", "b", "a"],
    "boolean": [True, False, True],
    "datetime": pa.array([datetime(2024, 5, day) for day in (1, 2, 3)], pa.timestamp("us")),
    "image": np.zeros((3, 4, 4, 1), np.uint8),
    "array": np.arange(6.0).reshape(3, 2),
    AS_WRITTEN: ["one two", "two", "one two"],
}


def classes_of(package, base):
    """Return the classes that a package and its modules define, with a type of their own."""
    modules = [
        importlib.import_module(f"{package.__name__}.{each.name}") for each in pkgutil.iter_modules(package.__path__)
    ]
    found = {each for module in (package, *modules) for each in vars(module).values() if isinstance(each, type)}
    return {
        each
        for each in found
        if issubclass(each, base) and each.__module__.startswith(package.__name__) and "type" in each.model_fields
    }


def test_every_feature_is_in_the_list():
    assert classes_of(features, Spec) == set(FEATURES)


def test_every_encoder_is_in_the_list():
    assert classes_of(encoders, ColumnEncoder) == set(ENCODERS)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_has_a_graph(encoder):
    assert graph_of.dispatch(encoder) is not graph_of.dispatch(object)


@pytest.mark.parametrize("feature", [each for each in FEATURES if each is not IgnoreFeature])
def test_training_and_predictions_read_a_file_alike(feature):
    spec = feature(**REQUIRED.get(feature.__name__, {}))
    assert spec.read_as in VALUES
    column = tables.column(VALUES[spec.read_as])
    encoder = spec.fit(column, "standard").encoder
    expected = None if encoder.holds_arrays else spec.read_as
    assert encoder.file_kinds({column.name: spec.read_as}) == {column.name: expected}


def test_a_kind_that_texts_cannot_be_read_as_is_refused():
    assert {*VALUES, "ignore"} == set(READ_AS)
    with pytest.raises(ValueError, match="thermometer"):
        parse_texts(pa.array(["1"]), ColumnPlace("x", str), "thermometer")
    with pytest.raises(ValueError, match="thermometer"):
        DeclaredKinds({"x": "thermometer"}, {})


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_has_a_plural(feature):
    assert feature.model_fields["type"].default in PLURALS


def test_no_other_file_names_a_class_of_encoders():
    names = {each.__name__ for each in classes_of(encoders, ColumnEncoder)}
    package = REPOSITORY / "mltrain"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name | ast.alias) and (node.id if isinstance(node, ast.Name) else node.name) in names
    }
    assert {name for name in found if not name.startswith("data/encoders/")} == MAY_NAME_ENCODERS


def test_the_encoder_of_an_array_is_known_in_the_room_of_data_alone():
    package = REPOSITORY / "mltrain"
    naming = [path for path in package.rglob("*.py") if "preprocessing.array" in path.read_text(encoding="utf-8")]
    assert naming
    assert {path.relative_to(package).parts[0] for path in naming} == {"data"}
