"""The contract with Keras: all that the catalogue says is true of the installed Keras."""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from typing import Any

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from mltrain.errors import ConfigError
from mltrain.keras_api import catalogue
from mltrain.keras_api.build import _MODULES, build
from mltrain.keras_api.catalogue import Entry
from mltrain.keras_api.components import make
from mltrain.keras_api.generate import _PATH, as_lists, as_text
from mltrain.keras_api.generate import catalogue as generated
from mltrain.keras_api.left_out import LEFT_OUT
from mltrain.keras_api.signatures import REQUIRED
from tests.keras_api.keras_samples import CHOSEN, every_entry, every_made_entry, minimal, samples

BY_SHAPE = ("accuracy", "crossentropy")


def test_the_catalogue_is_that_of_the_installed_keras() -> None:
    """If this fails after an upgrade of Keras: `python -m mltrain.keras_api.generate`, and read the difference."""
    written, now = json.loads(_PATH.read_text("utf-8")), generated()

    assert _without_wording(written) == _without_wording(now)
    if written["keras"] == keras.__version__:
        assert _PATH.read_text("utf-8") == as_text(now)


def _without_wording(content: Any) -> Any:
    """A patch release of Keras may word its documentation anew; that alone is no drift."""
    if isinstance(content, dict):
        return {key: _without_wording(value) for key, value in content.items() if key not in ("doc", "keras")}
    return content


@every_made_entry
def test_every_component_is_made_of_its_required_arguments(entry: Entry) -> None:
    made = build(make(entry.kind, entry.name, **minimal(entry)))

    if entry.name in BY_SHAPE and entry.kind == "metric":
        assert made == entry.name
    elif entry.kind == "activation":
        assert made is getattr(keras.activations, entry.name)
    else:
        assert isinstance(made, getattr(_MODULES[entry.kind], entry.name))


@every_entry
def test_every_default_is_that_of_keras(entry: Entry) -> None:
    if entry.kind == "activation" or entry.name in BY_SHAPE:
        return
    parameters = inspect.signature(getattr(_MODULES.get(entry.kind, keras.applications), entry.name)).parameters
    of_every_layer = inspect.signature(keras.layers.Layer.__init__).parameters
    for argument in entry.arguments:
        default = parameters.get(argument.name, of_every_layer.get(argument.name)).default
        if default is inspect.Parameter.empty or f"{entry.name}.{argument.name}" in REQUIRED:
            assert argument.required
        else:
            assert argument.default == as_lists(default)
            assert type(argument.default) is type(as_lists(default))


@pytest.mark.long
@every_made_entry
def test_keras_takes_every_value_that_is_accepted_here(entry: Entry) -> None:
    """Each choice and each bound: what `validate` lets through must not fail when the model is built."""
    for argument in entry.arguments:
        chosen = f"{entry.name}.{argument.name}" in CHOSEN
        for value in [] if chosen else samples(argument.type):
            try:
                component = make(entry.kind, entry.name, **{**minimal(entry), argument.name: value})
            except ValidationError:  # a sample that does not go with the other arguments
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                build(component)


# Keras' function names and short forms: what `keras.losses.get("mse")` knows is known here too.
@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("activation", "keras.src.activations"),
        ("constraint", "keras.src.constraints"),
        ("initializer", "keras.src.initializers"),
        ("loss", "keras.src.losses"),
        ("metric", "keras.src.metrics"),
        ("optimizer", "keras.src.optimizers"),
        ("regularizer", "keras.src.regularizers"),
    ],
)
def test_every_name_that_keras_knows_is_known(kind: str, known: str) -> None:
    unknown = [
        name
        for name in importlib.import_module(known).ALL_OBJECTS_DICT
        if not (catalogue.find(kind, name) or catalogue.reason_left_out(kind, name))
    ]
    # Building blocks of Keras' own, and a class under its second name.
    assert set(unknown) <= {"LossFunctionWrapper", "optimizermap", "STFTInitializer"}


def test_nothing_is_left_out_that_keras_does_not_have() -> None:
    for kind, names in LEFT_OUT.items():
        for name in names:
            assert hasattr(_MODULES[kind], name), name


def _input(name: str) -> np.ndarray:
    if "3D" in name:
        shape = (2, 6, 6, 6, 2) if "ConvLSTM" not in name else (2, 3, 6, 6, 6, 2)
    elif "2D" in name:
        shape = (2, 3, 8, 8, 2) if "ConvLSTM" in name else (2, 8, 8, 2)
    elif "1D" in name:
        shape = (2, 3, 8, 2) if "ConvLSTM" in name else (2, 8, 2)
    else:
        shape = {"RandomCrop": (2, 8, 8, 3)}.get(name, (2, 6, 4))
    return np.random.default_rng(0).random(shape).astype("float32")


RANDOM = ["Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "RandomCrop"]
WEIGHTS = ["Dense", "Conv1D", "Conv2D", "SeparableConv2D", "LSTM", "GRU", "ConvLSTM2D", "BatchNormalization", "PReLU"]


@pytest.mark.parametrize("name", [*RANDOM, *WEIGHTS])
def test_the_same_seed_makes_the_same_layer_as_keras_would(name: str) -> None:
    entry = catalogue.entry("layer", name)
    component = make("layer", name, **minimal(entry))

    def outcome(layer: Any) -> list[np.ndarray]:
        result = layer(_input(name), training=True)
        return [np.asarray(result), *(np.asarray(weight) for weight in layer.get_weights())]

    keras.utils.set_random_seed(7)
    ours = outcome(build(component))
    keras.utils.set_random_seed(7)
    theirs = outcome(getattr(keras.layers, name)(**minimal(entry)))
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nested_components_are_made_first_and_lists_become_tuples() -> None:
    layer = build(
        make(
            "layer",
            "Conv2D",
            filters=2,
            kernel_size=[3, 5],
            activation="relu",
            kernel_initializer={"type": "Constant", "value": 2},
            kernel_regularizer={"type": "l2", "l2": 1},
        )
    )

    assert layer.kernel_size == (3, 5)
    assert layer.activation is keras.activations.relu
    assert layer.kernel_initializer.value == 2.0
    assert isinstance(layer.kernel_regularizer, keras.regularizers.L2)
    assert float(layer.kernel_regularizer.l2) == 1.0


def test_a_schedule_inside_an_optimizer() -> None:
    schedule = {"type": "cosine_decay", "initial_learning_rate": 1, "decay_steps": 10}
    optimizer = build(make("optimizer", "sgd", learning_rate=schedule, momentum=0))

    assert float(optimizer.learning_rate) == 1.0
    assert optimizer.momentum == 0.0


def test_what_keras_refuses_is_an_error_of_the_config() -> None:
    layers = {"layer": {"type": "LSTM", "units": 2}, "backward_layer": {"type": "LSTM", "units": 2}}

    with pytest.raises(ConfigError, match=r"Keras cannot make the layer Bidirectional: .*go_backwards"):
        build(make("layer", "Bidirectional", **layers))
