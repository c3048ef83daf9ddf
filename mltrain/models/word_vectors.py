"""The layers that look up the tokens of a text, wherever they are in a model, and vectors put into them. Imports
TensorFlow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import keras
import numpy as np

from mltrain.errors import MisfitError
from mltrain.models.indices import SAME_VALUES
from mltrain.models.walk import layers_of
from mltrain.task import DataInfo
from mltrain.wording import listed


def text_layers(model: keras.Model, info: DataInfo, name: str) -> list[keras.layers.Embedding]:
    """Return the layers that look up the tokens of an input.

    Args:
        model: built.
        info: what it knows of the data.
        name: of the input.

    Raises:
        MisfitError: there is none, or one that also looks up the tokens of another text, which have other numbers.
    """
    values = {id(tensor): each.name for tensor, each in zip(model.inputs, info.inputs, strict=True)}
    looked_up: dict[keras.layers.Embedding, list[str]] = defaultdict(list)
    for layer in layers_of(model):
        for node in layer._inbound_nodes:
            given = values.get(id(node.input_tensors[0])) if node.input_tensors else None
            if given is None:
                continue
            if isinstance(layer, keras.layers.Embedding):
                looked_up[layer].append(given)
            elif type(layer).__name__ in SAME_VALUES:
                values |= {id(tensor): given for tensor in node.output_tensors}
    path = ("data", "features", name, "vectors")
    found = [layer for layer, names in looked_up.items() if name in names]
    if not found:
        raise MisfitError(
            path, f"no Embedding layer of the model looks up '{name}': only such a layer can have vectors"
        )
    for layer in found:
        others = [repr(other) for other in dict.fromkeys(looked_up[layer]) if other != name]
        if others:
            message = (
                f"the layer that looks up '{name}' also looks up {listed(others)}, whose tokens have other numbers"
            )
            raise MisfitError(path, f"{message}: give each text a layer of its own")
    return found


def hold_vectors(model: keras.Model, info: DataInfo, trainable: Mapping[str, bool]) -> None:
    """Prepare the layers of texts that begin with vectors of a file, before the model is compiled.

    Args:
        model: built.
        info: what it knows of the data.
        trainable: by the name of the text, whether its vectors are trained.

    Raises:
        MisfitError: as `text_layers`.
    """
    for name, is_trained in trainable.items():
        for layer in text_layers(model, info, name):
            layer.trainable = layer.trainable and is_trained


def put_vectors(layer: keras.layers.Embedding, numbers: np.ndarray, values: np.ndarray) -> None:
    """Put vectors `(tokens, width)` into the rows of a layer that these numbers have; that of padding, 0, becomes 0."""
    table = layer.embeddings.numpy()
    table[0] = 0
    table[numbers] = values
    layer.embeddings.assign(table)
