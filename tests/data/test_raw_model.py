"""`model.keras` on raw columns, against the NumPy encoders and as someone without mltrain loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.data.features import ArrayFeature, BooleanFeature, CategoryFeature, ImageFeature, NumberFeature
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.preprocessing_fit import fit_preprocessing
from mltrain.data.raw_model import raw_model
from mltrain.data.target import TargetEncoder
from tests.data.tables import mixed_table, only_input, table

# TensorFlow's tensors do not take NumPy 2's `copy`, which Keras' saving of a vocabulary runs into.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

NUMBER = TargetEncoder(column="y", task="regression")
STATED = {
    "where": CategoryFeature(order=("low", "mid", "high")),
    "zip": CategoryFeature(encoding="index"),
    "price/sqm": NumberFeature(scale="minmax"),
}


def fit(train, features=None, target=NUMBER) -> Preprocessing:
    return fit_preprocessing(train, target, features or {}, "standard")[0]


def nothing(preprocessing: Preprocessing) -> keras.Model:
    """Return a model that gives back its input, so that what is compared is the preprocessing alone."""
    return keras.Sequential([keras.Input(preprocessing.inputs[0].shape, dtype=preprocessing.inputs[0].dtype)])


def tensors(preprocessing: Preprocessing, rows) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in preprocessing.raw(rows).items()}


def unknown_table():
    """Return rows with categories that no training row has, and with nothing at all."""
    rows = mixed_table(6, seed=9)
    columns = {name: values.to_pylist() for name, values in rows.columns.items()}
    columns["island"][:2] = ["Torgersen", None]
    columns["where"][:2] = ["highest", None]
    columns["zip"][:3] = ["9000", None, "8001"]
    columns["sold"][3] = columns["open"][3] = columns["mean radius"][3] = None
    return table(**columns)


@pytest.fixture(scope="module")
def mixed() -> Preprocessing:
    return fit(mixed_table(300, seed=0), STATED)


@pytest.mark.parametrize("rows", [mixed_table(50, seed=1), unknown_table()], ids=["missing", "unknown"])
def test_the_graph_computes_the_bits_of_the_encoders(mixed, rows):
    expected = mixed.encode(rows)
    assert expected.missing
    model = raw_model(mixed, nothing(mixed))
    assert model(tensors(mixed, rows)).numpy().tobytes() == expected.inputs["table"].tobytes()


def test_predictions_are_in_the_target_s_own_units(mixed):
    target = NUMBER.model_copy(update={"center": 50.0, "width": 9.0})
    scaled = mixed.model_copy(update={"target": target})
    core = keras.Sequential([keras.Input(mixed.inputs[0].shape), keras.layers.Dense(1)])
    rows = mixed_table(20, seed=2)
    expected = target.restore(core(only_input(mixed, rows)).numpy())
    np.testing.assert_allclose(raw_model(scaled, core)(tensors(scaled, rows)).numpy(), expected, rtol=1e-6)


STRANGER = """
import json, sys
import numpy as np, tensorflow as tf, keras
model = keras.models.load_model(sys.argv[1])
with np.load(sys.argv[2]) as raw:
    called = model({name: tf.constant(raw[name]) for name in raw.files})
    predicted = model.predict(
        {name: tf.constant(raw[name]) if raw[name].dtype.kind == "S" else raw[name] for name in raw.files}, verbose=0
    )
np.savez(sys.argv[3], called=called, predicted=predicted)
assert not [name for name in sys.modules if name.startswith("mltrain")]
"""


@pytest.mark.long
def test_someone_without_mltrain_loads_it_and_gets_the_same_numbers(mixed, tmp_path):
    core = keras.Sequential(
        [keras.Input(mixed.inputs[0].shape), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")]
    )
    rows = unknown_table()
    raw = mixed.raw(rows)
    # float32 first, as `predict` does; `called` sees the same numbers.
    raw = {name: values.astype(np.float32) if values.dtype.kind == "f" else values for name, values in raw.items()}
    model = raw_model(mixed, core)
    model.save(tmp_path / "model.keras")
    as_bytes = {
        name: values if values.dtype.kind == "f" else np.array([[text[0].encode()] for text in values])
        for name, values in raw.items()
    }
    np.savez(tmp_path / "raw.npz", **as_bytes)
    command = [sys.executable, "-c", STRANGER, "model.keras", "raw.npz", "out.npz"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    expected = model({name: tf.constant(values) for name, values in raw.items()}).numpy()
    with np.load(tmp_path / "out.npz") as out:
        np.testing.assert_allclose(out["called"], expected, atol=1e-6)
        np.testing.assert_allclose(out["predicted"], expected, atol=1e-6)


def test_saved_and_loaded_it_holds_nothing_of_ours(mixed, tmp_path):
    import zipfile

    path = Path(tmp_path, "model.keras")
    raw_model(mixed, nothing(mixed)).save(path)
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    assert "mltrain" not in config
    assert "Lambda" not in config


@pytest.mark.parametrize(
    ("columns", "features"),
    [
        ({"number": [1.0, 2.0, 4.0]}, {}),
        ({"text": ["a", "b", "a"]}, {}),
        ({"unknown": ["[UNK]", "a", "b"]}, {}),  # what Keras calls unknown texts, as the first category
        ({"numbers": ["a", "b", "a"], "predict": ["a", "b", "b"], "raw": [1.0, 2.0, 4.0]}, {}),
        ({"level": ["a", "b", None]}, {"level": CategoryFeature(order=("a", "b"))}),
        ({"level": ["a", "b", None]}, {"level": CategoryFeature(encoding="index")}),
        ({"truth": [True, False, None]}, {"truth": BooleanFeature()}),
        ({"": [1.0, 2.0, 3.0], "column": [1.0, 5.0, 4.0]}, {}),
        ({"a/b": [1.0, 2.0, 3.0], "a_b": [1.0, 2.0, 4.0], "mean radius": [1, 2, 5], "日本": [0, 1, 1]}, {}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_small_tables_and_names_that_collide(columns, features):
    rows = table(**columns, y=[1.0, 2.0, 3.0])
    preprocessing = fit(rows, features)
    model = raw_model(preprocessing, nothing(preprocessing))
    assert np.array_equal(model(tensors(preprocessing, rows)), only_input(preprocessing, rows))


def test_a_missing_number_that_is_an_error_makes_the_prediction_nan():
    rows = table(a=[1.0, 3.0], y=[1.0, 2.0])
    preprocessing = fit(rows, {"a": NumberFeature(missing="error")})
    predicted = raw_model(preprocessing, nothing(preprocessing))({"a": tf.constant([[np.nan], [3.0]])}).numpy()
    assert np.isnan(predicted[0, 0])
    assert predicted[1, 0] == 1.0


@pytest.mark.parametrize(
    ("arrays", "feature"),
    [
        (np.random.default_rng(0).integers(0, 255, (5, 4, 3)).astype(np.uint8), ImageFeature()),
        (np.random.default_rng(0).normal(size=(5, 4, 3, 2)), ImageFeature(scale="standard")),
        (np.random.default_rng(0).normal(3, 2, size=(5, 4, 3)), ArrayFeature()),
        (np.random.default_rng(0).integers(0, 99, (5, 7)), ArrayFeature(scale="none")),
    ],
    ids=["gray", "color", "sequence", "index"],
)
def test_arrays_go_in_raw(arrays, feature, tmp_path):
    rows = table(picture=arrays, y=np.arange(5.0))
    preprocessing = fit(rows, {"picture": feature})
    model = raw_model(preprocessing, nothing(preprocessing))
    expected = only_input(preprocessing, rows)
    assert np.array_equal(model(preprocessing.raw(rows)["picture"]), expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(arrays, verbose=0), expected, atol=1e-6)
