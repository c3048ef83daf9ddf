"""Arrays that a device on the host takes as they are, without a copy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

# What TensorFlow's kernels want the first byte at a multiple of; NumPy promises 16.
ALIGNMENT = 64


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Return an array without values whose first byte is at a multiple of `ALIGNMENT`."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)
