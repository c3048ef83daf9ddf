"""Models whose prediction is the mean of members: the layers by which they are found, and an ensemble of any model.
Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from mltrain.models.walk import head_of

# What each member gives, (batch, members, units); behind it are their mean and the head.
MEMBERS, MEAN = "members", "mean_of_members"
# The heads of ensembles of models that end in this activation: their mean is one of probabilities.
OF_SIGMOID, OF_SOFTMAX = "mean_of_sigmoid", "mean_of_softmax"


def ensemble(models: Sequence[keras.Model], activation: str, *, of_members: bool) -> keras.Model:
    """Return one model of several, whose prediction is the mean of theirs.

    Args:
        models: built, with equal inputs and outputs.
        activation: that they end in.
        of_members: whether they have members themselves, which are all members of the whole.
    """
    first = models[0]
    inputs = [keras.Input(each.shape[1:], dtype=each.dtype, name=each.name) for each in first.inputs]
    given: Any = inputs[0] if len(inputs) == 1 else inputs
    found = []
    for number, model in enumerate(models, start=1):
        output = model.get_layer(MEMBERS).output if of_members else model.outputs[0]
        own = model.inputs[0] if len(model.inputs) == 1 else model.inputs
        found.append(keras.Model(own, output, name=_name(number))(given))
    if not of_members:
        found = [keras.layers.Reshape((1, each.shape[-1]), dtype="float32")(each) for each in found]
    together = keras.layers.Concatenate(axis=1, dtype="float32", name=MEMBERS)(found)
    mean = keras.layers.GlobalAveragePooling1D(dtype="float32", name=MEAN)(together)
    if of_members:
        head = head_of(first)
    else:
        head = keras.layers.Activation("linear", dtype="float32", name=f"mean_of_{activation}")
    return keras.Model(given, head(mean), name="model")


def models_in(model: keras.Model, count: int) -> list[keras.Model]:
    """Return the models of an ensemble of `count`; the model itself where it is none."""
    return [model] if count == 1 else [model.get_layer(_name(number)) for number in range(1, count + 1)]


def _name(number: int) -> str:
    return f"member_{number}"
