"""Columns and arrays beside each other: data knows several inputs, and whether a model takes them is its own affair."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.data.features import ArrayFeature
from mltrain.data.preparation import data_info, prepare
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.raw_model import raw_model
from mltrain.data.spec import DataSpec
from mltrain.data.table import Table
from mltrain.keras_api.components import make
from mltrain.models.linear import Linear
from mltrain.models.mlp import Mlp
from mltrain.models.sequential import Sequential

MODELS = [Mlp(), Linear(), Sequential(layers=(make("layer", "Flatten"),))]
REFUSED = "a model of type {} takes one input, and the data has several: {}; use `type: fusion` or `type: graph`"


@pytest.fixture
def file(tmp_path):
    """An archive with photos, a second array, two columns and a target that one of them tells."""
    draw = np.random.default_rng(2)
    y = draw.integers(0, 2, 80)
    columns = {"age": draw.normal(size=80), "told": y * 2.5, "kind": draw.choice(["a", "b", "c"], 80), "y": y}
    arrays = {"photo": draw.normal(size=(80, 4, 4, 1)), "sound": draw.normal(size=(80, 6))}
    np.savez(tmp_path / "data.npz", **columns, **arrays)
    return tmp_path / "data.npz"


@pytest.fixture
def prepared(file):
    source = {"type": "npz", "path": str(file)}
    return prepare(DataSpec.model_validate({"source": source, "target": "y", "split": {"type": "random"}}), 1)


def test_every_array_is_an_input_of_its_own(prepared):
    known = {each.name: (each.shape, each.columns, each.sources) for each in prepared.info.inputs}
    assert known == {
        "table": ((5,), ("age", "told", "kind=a", "kind=b", "kind=c"), ("age", "told", "kind")),
        "photo": ((4, 4, 1), (), ("photo",)),
        "sound": ((6,), (), ("sound",)),
    }
    for examples in prepared.examples.values():
        assert {name: x.shape[1:] for name, x in examples.inputs.items()} == {
            name: shape for name, (shape, _, _) in known.items()
        }
    assert len(prepared.reference.means) == 5
    again = Preprocessing.from_json(json.loads(json.dumps(prepared.preprocessing.to_json())))
    assert data_info(again, prepared.info.train_rows).inputs[0].sources == ("age", "told", "kind")


def test_the_columns_are_audited_as_those_of_a_table(prepared):
    findings = {each.finding: each.key for each in prepared.audited.audit.findings}
    assert findings["leaked_feature"] == "data.features.told"
    assert set(prepared.audited.strengths) == {"age", "told", "kind"}


def test_the_exported_model_feeds_each_input(prepared):
    inputs = {each.name: keras.Input(each.shape, name=each.name) for each in prepared.info.inputs}
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(each) for each in inputs.values()])
    core = keras.Model(list(inputs.values()), keras.layers.Dense(1, "sigmoid")(joined))
    model, preprocessing = raw_model(prepared.preprocessing, core), prepared.preprocessing
    raw = {name: tf.constant(values) for name, values in preprocessing.raw(prepared.sample).items()}
    expected = core(list(preprocessing.encode(prepared.sample).inputs.values()), training=False)
    np.testing.assert_array_equal(model(raw), expected)
    assert isinstance(prepared.sample, Table)


def test_two_arrays_without_a_table(file):
    features = dict.fromkeys(("age", "told", "kind"), "ignore") | {"sound": ArrayFeature(scale="none")}
    document = {"source": {"type": "npz", "path": str(file)}, "target": "y", "features": features}
    prepared = prepare(DataSpec.model_validate(document), 1)
    inputs = {each.name: keras.Input(each.shape, name=each.name) for each in prepared.info.inputs}
    assert list(inputs) == ["photo", "sound"]
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(each) for each in inputs.values()])
    raw = {name: tf.constant(values) for name, values in prepared.preprocessing.raw(prepared.sample).items()}
    assert raw_model(prepared.preprocessing, keras.Model(list(inputs.values()), joined))(raw).shape == (
        len(prepared.sample),
        22,
    )
    assert REFUSED.format("mlp", "photo, sound") in MODELS[0].inputs_problem(prepared.info.inputs)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.type)
def test_a_model_of_one_input_says_what_to_do(prepared, model):
    problem = model.inputs_problem(prepared.info.inputs)
    assert problem.startswith(REFUSED.format(model.type, "table, photo, sound"))
    assert problem.endswith("or set columns to ignore under data.features")
    assert model.inputs_problem(prepared.info.inputs[:1]) is None


@pytest.mark.parametrize("command", ["train", "audit"])
def test_a_command_refuses_what_its_model_cannot_take(mltrain, file, command):
    (file.parent / "config.yaml").write_text(
        "data: {source: {type: npz, path: data.npz}, target: y}\nmodel: {type: mlp}\ntraining: {epochs: 1}\n"
    )
    done = mltrain(command, "config.yaml")
    assert done.code == 3, done.err
    assert "config.yaml:2:15: model.type: " in done.err
    assert REFUSED.format("mlp", "table, photo, sound") in done.err
