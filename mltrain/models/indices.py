"""Layers that take index numbers: every one in the data must have a place in their table. No TensorFlow here."""

from __future__ import annotations

from mltrain.errors import MisfitError
from mltrain.keras_api.components import KerasComponent
from mltrain.task import DataInfo

# By layer, the argument that says how many index numbers there are.
_SIZES = {"CategoryEncoding": "num_tokens", "Embedding": "input_dim", "ReversibleEmbedding": "input_dim"}
_SAME_VALUES = {"Flatten", "Identity", "Permute", "RepeatVector", "Reshape"}


def refuse_indices(layers: tuple[KerasComponent, ...], info: DataInfo) -> None:
    """Refuse a layer for index numbers that is too small for the data.

    On a CPU such an index ends the training in the middle; on a GPU it is a row of zeros, and nothing is said.

    Raises:
        MisfitError: an index in the data is negative, or too large for the first layer that looks at it.
    """
    if info.largest_input is None or info.smallest_input is None:
        return
    for number, layer in enumerate(layers):
        if layer.type in _SIZES:
            name = _SIZES[layer.type]
            size = layer.argument(name)
            path = ("model", "layers", number, name)
            if info.largest_input >= size:
                needed = int(info.largest_input) + 1
                message = f"the largest index in the data is {info.largest_input:g}: expected at least {needed}"
                raise MisfitError(path, f"{message}, received {size}")
            if info.smallest_input < 0:
                message = f"the smallest index in the data is {info.smallest_input:g}, and indices begin at 0"
                raise MisfitError(path, message)
        if layer.type not in _SAME_VALUES:
            return
