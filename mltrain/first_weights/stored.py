"""Weights that are kept somewhere, as layers with names: what the layouts of files are read into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Names = tuple[str, ...]


class Kept(Protocol):
    """An array that is kept, and read when it is needed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    def read(self) -> np.ndarray:
        """Return its numbers."""


@dataclass(frozen=True)
class KeptArray:
    """An array in memory."""

    array: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.array.shape

    def read(self) -> np.ndarray:
        """Return its numbers."""
        return self.array


@dataclass(frozen=True)
class StoredWeight:
    """One weight of a layer.

    Attributes:
        layer: the names that lead to its layer: of the models that it is in, from the outermost on, and its own.
        nested: the names inside the layer, the last that of the weight: ("kernel",), or ("forward_lstm", "lstm_cell",
            "kernel"); in `.weights.h5` the attributes of the layer and a number: ("forward_layer", "cell", "0").
        kept: its numbers.
    """

    layer: Names
    nested: Names
    kept: Kept


@dataclass(frozen=True)
class StoredWeights:
    """The weights of a model.

    Attributes:
        weights: in the order in which they are kept.
        by_kind: whether layers are kinds and numbers, such as `conv2d_1` for the second Conv2D, as Keras finds them in
            a `.weights.h5` file; else they have the names that the layers had.
        numbered: whether a weight has a number instead of a name, after the attributes that lead to it.
        listed: whether the file lists the layers in the order of the model that was saved.
        where: where they are kept, as messages say it.
    """

    weights: Sequence[StoredWeight]
    by_kind: bool = False
    numbered: bool = False
    listed: bool = False
    where: str = "the file"

    @property
    def layers(self) -> list[Names]:
        """The layers that have weights, once each, in the order in which they are kept."""
        return list(dict.fromkeys(each.layer for each in self.weights))
