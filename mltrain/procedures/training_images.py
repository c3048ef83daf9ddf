"""Training images as the model sees them, after the layers at its start that change images. Imports TensorFlow."""

from __future__ import annotations

from itertools import takewhile

import keras
import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.models.walk import layers_of
from mltrain.procedures.network import Network
from mltrain.procedures.worst_examples import are_images, pictures_of
from mltrain.run.examples import TrainingImage, WorstExamples

_IMAGES, _CHANGES = 4, 4
# Layers without weights that take images and give images. The values of the first ones are on another scale.
_RESCALING = ("Rescaling", "Normalization")
_STEADY = (*_RESCALING, "Resizing", "CenterCrop", "AutoContrast", "Equalization", "Solarization")
_RANDOM = ("AugMix", "RandAugment", "GaussianNoise", "GaussianDropout")


def with_training_images(worst: WorstExamples, network: Network, prepared: Prepared) -> WorstExamples:
    """Return the examples with a few training images, if the model begins with layers that change images at random.

    The layers are made again from their settings with seeds of their own, so that the model stays as it is and equal
    runs show equal images.
    """
    if len(prepared.info.inputs) > 1:
        return worst
    examples = prepared.examples["train"]
    layers = list(takewhile(_is_of_images, layers_of(network.model)))
    if not any(map(_is_random, layers)) or not are_images(examples.x):
        return worst
    places = np.arange(min(_IMAGES, len(examples.x)))
    rows = examples.rows[places]
    images = np.asarray(examples.x[places], np.float32)
    copies = [_copy(layer, network.spec.seed + number) for number, layer in enumerate(layers)]
    changed = [_after(copies, images) for _ in range(_CHANGES)]
    if not all(map(are_images, changed)):
        return worst
    rescaled = any(type(layer).__name__ in _RESCALING for layer in layers)
    ends = None if rescaled else (float(images.min()), float(images.max()))
    drawn = [pictures_of(each, ends) for each in changed]
    training = tuple(
        TrainingImage(row=int(row), file=prepared.origin.file(int(row)), picture=picture, changed=tuple(after))
        for row, picture, *after in zip(rows, pictures_of(images), *drawn, strict=True)
    )
    names = tuple(type(layer).__name__ for layer in layers)
    return WorstExamples(columns=worst.columns, examples=worst.examples, layers=names, training=training)


def _is_random(layer: keras.Layer) -> bool:
    name = type(layer).__name__
    return name.startswith("Random") or name in _RANDOM


def _is_of_images(layer: keras.Layer) -> bool:
    return _is_random(layer) or type(layer).__name__ in _STEADY


def _copy(layer: keras.Layer, seed: int) -> keras.Layer:
    if layer.weights:  # a normalization that was adapted: it changes nothing at random
        return layer
    config = layer.get_config()
    return type(layer).from_config(config | ({"seed": seed} if "seed" in config else {}))


def _after(layers: list[keras.Layer], images: np.ndarray) -> np.ndarray:
    values = keras.ops.convert_to_tensor(images)
    for layer in layers:
        values = layer(values, training=True)
    return np.asarray(keras.ops.convert_to_numpy(values), np.float32)
