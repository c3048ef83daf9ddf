"""A checked component becomes the Keras object."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from mltrain.errors import ConfigError
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.own_build import build_own, known_to_keras

_MODULES = {
    "activation": keras.activations,
    "callback": keras.callbacks,
    "cell": keras.layers,
    "constraint": keras.constraints,
    "initializer": keras.initializers,
    "layer": keras.layers,
    "loss": keras.losses,
    "metric": keras.metrics,
    "optimizer": keras.optimizers,
    "regularizer": keras.regularizers,
    "schedule": keras.optimizers.schedules,
}
# The binary, categorical or sparse kind of these is made, whichever fits the model's output; a class cannot be all.
_BY_SHAPE = {"accuracy", "crossentropy"}

# What Keras and TensorFlow raise where shapes, dtypes or names do not go together.
REFUSALS = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError),
    tf.errors.OpError,
)


def build(component: KerasComponent) -> Any:
    """Return the Keras object that `component` describes.

    Only what differs from Keras' defaults is passed on, so the object is the one that hand-written Keras code would
    make, and draws the same seeds under `keras.utils.set_random_seed`. An activation is a function; the metrics
    "accuracy" and "crossentropy" stay names: the kind is chosen where the shape of the output is known.

    Raises:
        ConfigError: Keras refuses the combination of arguments.
        PluginError: it is one of the user's, whose plugin is not there; or it cannot be saved.
    """
    if component.kind == "metric" and component.type in _BY_SHAPE:
        return component.type
    if component.own is not None:
        return build_own(component, value_of)
    made = getattr(_MODULES[component.kind], component.type)
    if component.kind == "activation":
        return made
    arguments = {name: value_of(value) for name, value in component.changed().items()}
    try:
        with known_to_keras(component):
            return made(**arguments)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"Keras cannot make the {component.kind} {component.type}: {reason}") from error


def value_of(value: Any) -> Any:
    """Return the value of an argument, with the components in it made."""
    if isinstance(value, KerasComponent):
        return build(value)
    if isinstance(value, tuple):
        return tuple(value_of(item) for item in value)
    return value
