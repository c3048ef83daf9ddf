"""Keras layers put on top of each other. Imports TensorFlow."""

from __future__ import annotations

import keras

from mltrain.errors import MisfitError
from mltrain.keras_api.build import build
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.messages import reason
from mltrain.task import DataInfo


def stack(layers: tuple[KerasComponent, ...], info: DataInfo) -> keras.Model:
    """Return a model that puts `layers` on an input of `(batch, *info.input_shape)`.

    Raises:
        MisfitError: a layer does not fit on the one below it, or the outputs do not fit the task.
    """
    model = keras.Sequential(
        [keras.Input(shape=info.input_shape, dtype=info.input_dtype, name="features")], name="model"
    )
    for number, layer in enumerate(layers):
        below = model.output_shape[1:] if model.layers else info.input_shape
        try:
            model.add(build(layer))
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            message = f"{layer.type} does not fit on outputs of shape {_shape(below)} below it: {reason(error)}"
            raise MisfitError(("model", "layers", number), message) from error
    if model.output_shape[1:] != (info.outputs,):
        message = (
            f"it ends in shape {_shape(model.output_shape[1:])}, and {info.task} needs {_shape((info.outputs,))}; "
        )
        raise MisfitError(("model",), message + "reduce what comes before the head with Flatten or a pooling layer")
    return model


def _shape(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in ("batch", *shape)) + ")"
