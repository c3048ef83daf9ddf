"""Layers that take index numbers: every one in the data must have a place in their table. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltrain.errors import MisfitError
from mltrain.keras_api.components import KerasComponent
from mltrain.task import DataInfo

# By layer, the argument that says how many index numbers there are.
_SIZES = {"CategoryEncoding": "num_tokens", "Embedding": "input_dim", "ReversibleEmbedding": "input_dim"}
_SAME_VALUES = {"Flatten", "Identity", "Permute", "RepeatVector", "Reshape"}


@dataclass(frozen=True)
class IndexTable:
    """The layer that looks up the index numbers of the data.

    Attributes:
        layer: its number.
        argument: the name of the argument that says its size.
        size: how many index numbers have a place in it: those from 0 to `size - 1`.
    """

    layer: int
    argument: str
    size: int


def index_table(layers: Sequence[KerasComponent]) -> IndexTable | None:
    """Return the first layer that looks at the values of the data, where it takes them for index numbers."""
    for number, layer in enumerate(layers):
        if layer.type in _SIZES:
            return IndexTable(number, _SIZES[layer.type], layer.argument(_SIZES[layer.type]))
        if layer.type not in _SAME_VALUES:
            return None
    return None


def refuse_indices(layers: tuple[KerasComponent, ...], info: DataInfo) -> None:
    """Refuse a layer for index numbers that is too small for the data.

    On a CPU such an index ends the training in the middle; on a GPU it is a row of zeros, and nothing is said.

    Raises:
        MisfitError: an index in the data is negative, or too large for the first layer that looks at it.
    """
    table = index_table(layers)
    if table is None or info.input.limits is None:
        return
    smallest, largest = info.input.limits
    path = ("model", "layers", table.layer, table.argument)
    if largest >= table.size:
        needed = int(largest) + 1
        message = f"the largest index in the data is {largest:g}: expected at least {needed}"
        raise MisfitError(path, f"{message}, received {table.size}")
    if smallest < 0:
        message = f"the smallest index in the data is {smallest:g}, and indices begin at 0"
        raise MisfitError(path, message)
