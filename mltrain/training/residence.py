"""Where the rows of a split lie while a network works on them. Imports TensorFlow."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mltrain.aligned import ALIGNMENT


def resident(array: np.ndarray) -> tf.Tensor:
    """Return an array as a tensor on the device: a copy on a GPU, the same memory on the host where it is aligned.

    What shares its memory must not be written to any more.
    """
    aligned = array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous and array.flags.writeable
    if aligned and array.size and not tf.config.get_visible_devices("GPU"):
        # `convert_to_tensor` copies always: a data set would be there twice. Unaligned, DLPack ends the process.
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.convert_to_tensor(array)
