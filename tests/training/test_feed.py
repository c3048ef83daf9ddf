"""What feeds the loop: a split is in memory once, as the device takes an aligned array as it is."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mltrain.aligned import ALIGNMENT, aligned_empty
from mltrain.training.feed import resident


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("shape", [(3,), (5, 7), (2, 28, 28, 1)])
def test_memory_begins_where_a_kernel_wants_it(shape, dtype):
    array = aligned_empty(shape, dtype)
    assert (array.shape, array.dtype) == (shape, dtype)
    assert array.ctypes.data % ALIGNMENT == 0
    assert array.flags.c_contiguous


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="a GPU has memory of its own")
def test_an_aligned_array_is_not_copied():
    array = aligned_empty((4, 3), np.float32)
    array[:] = 1
    tensor = resident(array)
    array[2, 1] = 5  # nobody may: it shows that the memory is the same
    assert float(tensor[2, 1]) == 5


@pytest.mark.parametrize(
    "array",
    [
        np.frombuffer(bytes(range(64)), np.float32),
        aligned_empty((4, 16), np.float32).T,
        aligned_empty((65,), np.float32)[1:],
        aligned_empty((0, 3), np.float32),
    ],
    ids=["read-only", "transposed", "unaligned", "empty"],
)
def test_any_other_array_is_copied(array):
    tensor = resident(array)
    assert tensor.shape == array.shape
    np.testing.assert_array_equal(tensor.numpy(), array)
