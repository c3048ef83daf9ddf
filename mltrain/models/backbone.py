"""The backbone of a model: a network of keras.applications, nested in it. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops
from keras.src.backend.common import global_state

from mltrain.errors import MisfitError
from mltrain.keras_api.build import REFUSALS, build
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.messages import reason
from mltrain.problems import KeyPath
from mltrain.spec import suggest
from mltrain.task import Pixels

# What Keras has counted of the names that it gives itself, such as conv2d_3.
_COUNTS = "object_name_uids"
# Of the pixels of ImageNet, in red, green and blue (keras.applications.imagenet_utils).
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# In blue, green and red, from 0 to 255.
_MEAN_BGR = (103.939, 116.779, 123.68)
_WHITE = 255.0


class NoSuchLayerError(Exception):
    """A backbone has no layer of a name."""


def taken_backbone(
    component: KerasComponent, size: Sequence[int], include: str | None, name: str, *, imagenet: bool
) -> keras.Model:
    """Return a network of `keras.applications` with random weights, without its head: `(batch, height, width, 3)` in,
    `(batch, height, width, channels)` out. No file is read, and nothing is downloaded.

    Args:
        component: which, with its arguments.
        size: height and width of the images.
        include: the last layer that is taken; None takes all.
        name: that the model gets.
        imagenet: whether it is the network that weights of ImageNet belong to.

    Raises:
        NoSuchLayerError: it has no layer of the name of `include`.
    """
    arguments = component.changed()
    # Names such as conv2d_93 must not follow from what was built before: they are those of Keras' own files, and what
    # `include` says.
    with _names_from_the_start():
        whole = getattr(keras.applications, component.type)(
            include_top=False, weights=None, input_shape=(*size, 3), pooling=None, **arguments
        )
        if imagenet and component.type.startswith("EfficientNetB"):
            whole = _with_second_scaling(whole)
    output = whole.output if include is None else _layer(whole, include, component.type).output
    return keras.Model(whole.input, output, name=name)


@contextmanager
def _names_from_the_start() -> Iterator[None]:
    counted = global_state.get_global_attribute(_COUNTS)
    keras.src.utils.naming.reset_uids()
    try:
        yield
    finally:
        global_state.set_global_attribute(_COUNTS, counted)


def _layer(model: keras.Model, name: str, network: str) -> keras.Layer:
    layers = [each for each in model.layers if not isinstance(each, keras.layers.InputLayer)]
    found = next((each for each in layers if each.name == name), None)
    if found is None:
        near = suggest(name, [each.name for each in layers])
        places = f" (from {layers[0].name} to {layers[-1].name})"
        raise NoSuchLayerError(f"{network} has no layer '{name}'{near or places}")
    return found


def _with_second_scaling(model: keras.Model) -> keras.Model:
    """Return an EfficientNet as it is with weights of ImageNet. Keras adds the layer for `weights="imagenet"` alone,
    which downloads them, and not for a file of the same weights (3.15)."""
    scale = [1 / math.sqrt(deviation) for deviation in _DEVIATION]

    def call(layer: keras.Layer, *given: Any, **more: Any) -> Any:
        called = layer(*given, **more)
        return keras.layers.Rescaling(scale)(called) if isinstance(layer, keras.layers.Normalization) else called

    return keras.models.clone_model(model, call_function=call)


def as_images(tensor: Any, pixels: Pixels, size: Sequence[int] | None, name: str) -> Any:
    """Return encoded images `(batch, height, width, 1 or 3)` as images `(batch, height, width, 3)` from 0 to 255.

    Args:
        tensor: of the images.
        pixels: how they become pixels from 0 to 255.
        size: height and width to which they are resized; None leaves them.
        name: of the backbone: names of layers end as it does.
    """
    if set(pixels.factors) != {1.0} or set(pixels.offsets) != {0.0}:
        tensor = _rescaled(tensor, pixels.factors, pixels.offsets, "pixels", name)
    if size is not None and tuple(tensor.shape[1:3]) != tuple(size):
        tensor = keras.layers.Resizing(*size, dtype="float32", name="size" + _of_input(name))(tensor)
    if tensor.shape[-1] == 1:
        tensor = keras.layers.Concatenate(dtype="float32", name="colors" + _of_input(name))([tensor] * 3)
    return tensor


def augmented(images: Any, layers: Sequence[KerasComponent], path: KeyPath) -> Any:
    """Return images behind layers that change them while training.

    Raises:
        MisfitError: a layer cannot be called on them, or changes their size; `path` is that of the layers.
    """
    shape = images.shape
    for number, component in enumerate(layers):
        try:
            images = build(component)(images)
        except REFUSALS as error:
            raise MisfitError((*path, number), f"it does not fit images {tuple(shape[1:])}: {reason(error)}") from error
        if images.shape != shape:
            found = f"it makes {tuple(images.shape[1:])} of images {tuple(shape[1:])}"
            raise MisfitError((*path, number), f"{found}: expected a layer that keeps their size")
    return images


def preprocessed(images: Any, preprocessing: str | None, name: str) -> Any:
    """Return images `(batch, height, width, 3)` from 0 to 255 as a backbone wants them.

    Args:
        images: red, green and blue.
        preprocessing: of the backbone, as the catalogue has it.
        name: of the backbone.
    """
    match preprocessing:
        case "tf":
            return _rescaled(images, [1 / 127.5], [-1.0], "preprocessing", name)
        case "torch":
            scale = [1 / (_WHITE * deviation) for deviation in _DEVIATION]
            offset = [-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)]
            return _rescaled(images, scale, offset, "preprocessing", name)
        case "caffe":
            return _rescaled(ops.flip(images, axis=-1), [1.0], [-mean for mean in _MEAN_BGR], "preprocessing", name)
    return images  # the network does it inside


def _rescaled(values: Any, scale: Sequence[float], offset: Sequence[float], what: str, name: str) -> Any:
    # Pixels in half precision would be rounded, whatever the backbone computes in.
    named = what + _of_input(name)
    return keras.layers.Rescaling(_one_or_all(scale), _one_or_all(offset), dtype="float32", name=named)(values)


def _of_input(name: str) -> str:
    return name.removeprefix("backbone")


def _one_or_all(values: Sequence[float]) -> float | list[float]:
    return values[0] if len(set(values)) == 1 else list(values)


def pooled(maps: Any, pooling: str, dropout: float) -> Any:
    """Return feature maps `(batch, height, width, channels)` as one vector each; arguments as in `Pretrained`."""
    if len(maps.shape) == 2:  # an included layer that is behind a pooling, as in squeeze-and-excitation
        vector = maps
    elif pooling == "none" or len(maps.shape) != 4:
        vector = keras.layers.Flatten()(maps)
    else:
        kind = keras.layers.GlobalAveragePooling2D if pooling == "avg" else keras.layers.GlobalMaxPooling2D
        vector = kind()(maps)
    return keras.layers.Dropout(dropout)(vector) if dropout else vector
