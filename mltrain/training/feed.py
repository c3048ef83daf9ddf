"""What feeds the compiled loop: tensors, and which of their rows each step takes. Imports TensorFlow.

The loop gets them as arguments, so that it does not know whether all rows are on the device or some at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from mltrain.aligned import ALIGNMENT

# `x`, `y` and perhaps `sample_weight`, each with rows on its first axis; a list of them where the model has several
# inputs. A tensor is taken as it is, an array is copied into one.
Arrays = tuple[Any, ...]


def rows_of(arrays: Any) -> int:
    """Return the number of rows of an array, or of each of a structure of them."""
    return len(tf.nest.flatten(arrays)[0])


def gathered(tensors: Any, rows: tf.Tensor) -> Any:
    """Return some rows, int32 numbers of them, of each tensor of a structure."""
    return tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), tensors)


def resident(array: np.ndarray) -> tf.Tensor:
    """Return an array as a tensor on the device: a copy on a GPU, the same memory on the host where it is aligned.

    What shares its memory must not be written to any more.
    """
    aligned = array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous and array.flags.writeable
    if aligned and array.size and not tf.config.get_visible_devices("GPU"):
        # `convert_to_tensor` copies always: a data set would be there twice. Unaligned, DLPack ends the process.
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.convert_to_tensor(array)


@dataclass(frozen=True)
class Window:
    """The rows of some steps of an epoch, on the device.

    Attributes:
        tensors: as `Arrays`, on the device.
        places: `(rows,)` int32, the rows of the tensors in the order in which the steps take them.
        first: the step of the epoch that takes the first of `places`.
        end: the step after the last one whose rows are here.
    """

    tensors: tuple[Any, ...]
    places: tf.Tensor
    first: int
    end: int


class Feed(Protocol):
    """Hands out the rows of an epoch, window by window. All windows have the shapes of `signature`."""

    @property
    def rows(self) -> int:
        """Rows of an epoch."""

    @property
    def signature(self) -> tuple[Any, ...]:
        """Shape and type of each tensor of a window, in the same structure, and of its `places` last."""

    def window(self, order: np.ndarray, first: int, most: int) -> Window:
        """Return a window that begins with a step of an epoch, or before it.

        Args:
            order: `(rows,)` int32, this epoch's permutation.
            first: a step of the epoch, whose rows must be in it.
            most: the steps that are left, from `first` on; the window may hold fewer.
        """


class ResidentFeed:
    """All rows are on the device: one window is good for the whole epoch.

    Args:
        arrays: of the training rows.

    Attributes:
        rows: rows of an epoch.
        tensors: the arrays on the device.
    """

    def __init__(self, arrays: Arrays) -> None:
        self.rows = rows_of(arrays)
        self.tensors = tf.nest.map_structure(tf.convert_to_tensor, arrays)

    @property
    def signature(self) -> tuple[Any, ...]:
        """Shape and type of each tensor, and of the order of an epoch."""
        places = tf.TensorSpec((self.rows,), "int32")
        return (*tf.nest.map_structure(tf.TensorSpec.from_tensor, self.tensors), places)

    def window(self, order: np.ndarray, first: int, most: int) -> Window:
        """Return all rows, from the first step of the epoch on."""
        return Window(self.tensors, tf.convert_to_tensor(order), 0, first + most)
