"""Keras layers put on top of each other. Imports TensorFlow."""

from __future__ import annotations

import keras

from mltrain.errors import ConfigError, MisfitError
from mltrain.keras_api.build import REFUSALS, build
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.messages import reason
from mltrain.models.branches import network_of
from mltrain.models.walk import Shape, refuse_other_outputs, shape_text, traced
from mltrain.task import DataInfo

Path = tuple[str | int, ...]


def stack(layers: tuple[KerasComponent, ...], info: DataInfo, written: int = 0) -> keras.Model:
    """Return a model that puts `layers` on an input of `(batch, *info.input.shape)`.

    Args:
        layers: from the input to the output; for targets of different kinds up to their heads, which are added.
        info: what is known of the data.
        written: how many of them are written under `model.layers`; the rest are ours.

    Raises:
        MisfitError: a layer does not fit on the one below it, or the outputs do not fit the task.
    """
    model = keras.Sequential(
        [keras.Input(shape=info.input.shape, dtype=info.input.dtype, name="features")], name="model"
    )
    policy, several = keras.config.dtype_policy(), bool(info.output.parts)
    for number, layer in enumerate(layers):
        # The last layer is in float32 whatever the others compute in: probabilities of three digits make a bad loss.
        keras.config.set_dtype_policy("float32" if number == len(layers) - 1 and not several else policy)
        _add(model, layer, number, written, info)
    _follow(model, layers, info, written)
    if several:
        keras.config.set_dtype_policy(policy)
        return network_of(model.inputs, model.outputs[0], info, taken=[layer.name for layer in model.layers])
    refuse_other_outputs(model.output_shape[1:], info)
    return model


def _add(model: keras.Model, layer: KerasComponent, number: int, written: int, info: DataInfo) -> None:
    path = _path(number, written)
    below = model.output_shape[1:] if model.layers else info.input.shape
    try:
        built = build(layer)
    except ConfigError as error:
        raise MisfitError(path, str(error)) from error
    taken = {each.name: place for place, each in enumerate(model.layers)}
    if built.name in taken:
        # Keras names what has no name; the one that was named is the one to change.
        stated = number < written and dict(layer.arguments).get("name") is not None
        message = f"another layer of the model has the name '{built.name}': rename one of them"
        raise MisfitError(_path(number if stated else taken[built.name], written), message)
    try:
        model.add(built)
        if model._functional is None:  # Keras says nothing of a layer that does not know its shapes
            built(keras.KerasTensor((None, *below), dtype=model.layers[0].dtype))
            raise NotImplementedError("the shape of its outputs is not known; compute_output_shape() says it")
    except REFUSALS as error:
        raise MisfitError(path, _misfit(layer, below, "", error)) from error


def _follow(model: keras.Model, layers: tuple[KerasComponent, ...], info: DataInfo, written: int) -> None:
    """Refuse a model that cannot be called.

    `add` trusts the shapes that layers promise, and random layers do something only while training: a RandomFlip on
    flat rows, or a RandomCrop, whose outputs are smaller only while training (Keras 3.15), would fail in the first
    step, or after it.
    """
    inference, training = traced(model, training=False), traced(model, training=True)
    both = enumerate(zip(inference.shapes.values(), training.shapes.values(), strict=False))
    unlike = [(number, one, other) for number, (one, other) in both if not _alike(one, other)]
    failed = inference.error or training.error
    if unlike and (failed or unlike[-1][0] == len(layers) - 1):
        first, otherwise, while_training = unlike[0]
        shapes = f"{shape_text(while_training)} while training and {shape_text(otherwise)} otherwise"
        message = f"{layers[first].type} gives outputs of shape {shapes}"
        advice = "add a layer after it that makes both equal, such as CenterCrop with the height and width of the crop"
        raise MisfitError(_path(first, written), f"{message}: {advice}")
    for each, when in ((inference, ""), (training, " while training")):
        if each.error is not None:
            number = len(each.shapes)
            below = [info.input.shape, *each.shapes.values()][-1]
            raise MisfitError(_path(number, written), _misfit(layers[number], below, when, each.error)) from each.error


def _alike(one: Shape, other: Shape) -> bool:
    """Return whether two shapes can be one; a size that a trace does not know can be any."""
    return len(one) == len(other) and all(a == b or None in (a, b) for a, b in zip(one, other, strict=True))


def _path(number: int, written: int) -> Path:
    return ("model", "layers", number) if number < written else ("model",)


def _misfit(layer: KerasComponent, below: Shape, when: str, error: Exception) -> str:
    shape = f"outputs of shape {shape_text(below)}{when}"
    return f"{layer.type} does not accept {shape} from the layer before it: {reason(error)}"
