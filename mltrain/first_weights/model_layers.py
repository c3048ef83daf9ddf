"""The layers of a Keras model that have weights, and weights put into them. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras.src.saving import saving_lib
from keras.src.utils.naming import to_snake_case

from mltrain.errors import DataError
from mltrain.first_weights.hdf5 import StoredArray
from mltrain.first_weights.layouts import split_place
from mltrain.first_weights.matching import Match, ModelLayer, ModelWeight, Pair
from mltrain.first_weights.stored import Names


def layers_with_weights(model: keras.Model) -> list[ModelLayer]:
    """Return the layers of a model that have weights, those of models inside it too, in Keras' order."""
    places = _places(model)
    return [_layer(layer, models, places) for layer, models in _leaves(model, (), set())]


def put(match: Match) -> None:
    """Put what was found into the layers of the model.

    Raises:
        DataError: an array is damaged, of another type, or not finite.
    """
    for layer, pairs in match.taken.values():
        for pair in pairs:
            pair.weight.variable.assign(_numbers(pair, layer))
        if hasattr(layer.layer, "finalize_state"):  # a Normalization computes with copies of its weights
            layer.layer.finalize_state()


def _numbers(pair: Pair, layer: ModelLayer) -> np.ndarray:
    variable, name = pair.weight.variable, f"{layer.name}/{'/'.join(pair.weight.names)}"
    origin = f"{pair.kept.file}: " if isinstance(pair.kept, StoredArray) else ""
    if isinstance(pair.kept, StoredArray) and not pair.kept.of_numbers:
        raise DataError(f"{origin}{name}: expected numbers, found {pair.kept.dataset.dtype}")
    array = pair.kept.read()
    wanted = np.dtype(variable.dtype) if variable.dtype != "bfloat16" else np.dtype("float32")
    with np.errstate(over="ignore"):
        values = np.asarray(array).astype(wanted)
    if not np.isfinite(values.astype("float64")).all():
        raise DataError(f"{origin}{name}: some of its numbers are not finite in {variable.dtype}")
    return values


def _places(model: keras.Model) -> dict[int, tuple[Names, Names]]:
    """Return where `model.save_weights` would write each variable: its layer as kinds, and what follows inside it."""
    recorder = _Recorder()
    saving_lib._save_state(model, recorder, None, "", set())
    return recorder.places


class _Recorder(saving_lib.H5IOStore):
    """What looks to Keras like a file of weights, and only notes what would be written where."""

    def __init__(self) -> None:
        self._place: tuple[Names, Names] = ((), ())
        self.places: dict[int, tuple[Names, Names]] = {}

    def make(self, path: str, metadata: Any = None) -> _Recorder:
        self._place = split_place(tuple(path.split("/")))
        return self

    def __setitem__(self, key: str, value: Any) -> None:
        layers, inner = self._place
        self.places[id(value)] = (layers, (*inner, str(key)))

    def __bool__(self) -> bool:
        return True


def _leaves(model: keras.Model, models: Names, seen: set[int]) -> Iterator[tuple[keras.Layer, Names]]:
    """Yield the layers that are no models, with the names of the models that they are in."""
    for layer in model.layers:
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if isinstance(layer, keras.Model):
            yield from _leaves(layer, (*models, layer.name), seen)
        elif layer.weights:
            yield layer, models


def _layer(layer: keras.Layer, models: Names, places: dict[int, tuple[Names, Names]]) -> ModelLayer:
    kind = to_snake_case(type(layer).__name__)
    number = layer.name.removeprefix(kind)
    automatic = kind if layer.name.startswith(kind) and (not number or number[1:].isdecimal()) else ""
    weights = []
    kinds: Names = (*models, layer.name)
    trained = {id(variable) for variable in layer.trainable_weights}
    for variable in (*layer.trainable_weights, *layer.non_trainable_weights):
        kinds, keys = places.get(id(variable), (kinds, ()))
        names = _names(variable, layer)
        weights.append(ModelWeight(names, keys, tuple(variable.shape), variable, id(variable) in trained))
    return ModelLayer((*models, layer.name), kinds, automatic, tuple(weights), layer)


def _names(variable: keras.Variable, layer: keras.Layer) -> Names:
    """Return the names inside a layer that lead to a weight."""
    parts = tuple(variable.path.split("/"))
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] == layer.name:
            return parts[at + 1 :]
    return parts[-1:]
