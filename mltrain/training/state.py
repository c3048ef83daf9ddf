"""The whole state of a training as plain arrays: what has to be restored for it to go on bit for bit. Imports
TensorFlow.

Weights alone are not it. `model.variables` has the states of the seed generators, which Keras saves in no file; the
optimizer has its slots, its step and its learning rate; the metrics hold the running averages of an epoch under way;
and a layer that draws with `keras.random` and no seed of its own uses Keras' global generator.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras.src.random.seed_generator import global_seed_generator

from mltrain.errors import RunError
from mltrain.wording import counted


def state_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Return every variable that a step reads or writes, by its place in the model.

    Places, not Keras' paths: an automatic name depends on what else the process has built.
    """
    groups = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metric": model.metrics_variables,
        "seed": [global_seed_generator().state],
    }
    return {
        f"{group}-{number:04d}": variable
        for group, variables in groups.items()
        for number, variable in enumerate(variables)
    }


def random_state(model: keras.Model) -> dict[str, keras.Variable]:
    """Return the variables that random layers draw by, by their places: also a prediction may change them (an LSTM with
    dropout draws a mask in each, Keras 3.15)."""
    weights = {id(variable) for variable in model.weights}
    return {
        place: variable
        for place, variable in state_variables(model).items()
        if place.startswith("seed") or (place.startswith("model") and id(variable) not in weights)
    }


def take_state(model: keras.Model) -> dict[str, np.ndarray]:
    """Return a copy of the state of a compiled and built model."""
    return {place: variable.numpy() for place, variable in state_variables(model).items()}


def put_state(model: keras.Model, arrays: Mapping[str, np.ndarray], origin: str) -> None:
    """Set the state of `model` to what `take_state` returned.

    Raises:
        RunError: it is the state of another model.
    """
    assign(state_variables(model), arrays, origin)
    use_new_statistics(model)


def use_new_statistics(model: keras.Model) -> None:
    """Let the layers of Normalization compute with the mean and variance that their variables hold now: they keep what
    these were when the layer was built (Keras 3.15). To be called before the model is traced."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def assign(variables: Mapping[str, keras.Variable], arrays: Mapping[str, np.ndarray], origin: str) -> None:
    """Set each variable from the array of its place.

    Args:
        variables: by place.
        arrays: by place.
        origin: where the arrays come from, for the message.

    Raises:
        RunError: an array is missing, left over, or of another shape or dtype; no variable is changed then.
    """
    if variables.keys() != arrays.keys():
        raise RunError(
            f"{origin}: it holds {counted(len(arrays), 'array')} and the model has {len(variables)}: it belongs to "
            "another model"
        )
    for place, variable in variables.items():
        array = arrays[place]
        if array.shape != tuple(variable.shape) or array.dtype.name != variable.dtype:
            wanted, found = f"{variable.dtype} {tuple(variable.shape)}", f"{array.dtype.name} {array.shape}"
            different = f"{variable.path} is {wanted} in the model and {found} here"
            raise RunError(f"{origin}: {different}: it belongs to another model")
    for place, variable in variables.items():
        variable.assign(arrays[place])
