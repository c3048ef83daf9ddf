"""A model that is built beside the one that is trained, which stays what it would be without it. Imports TensorFlow."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
from keras.src.backend.common import global_state

# What Keras has counted of the names that it gives itself, such as conv2d_3.
_COUNTS = "object_name_uids"


@contextmanager
def apart() -> Iterator[None]:
    """While inside, names such as conv2d_3 are counted from the start, as in a process of its own; afterwards names and
    seeds go on as if nothing had been built."""
    counted = global_state.get_global_attribute(_COUNTS)
    drawn, of_numpy, policy = random.getstate(), np.random.get_state(), keras.config.dtype_policy()
    keras.src.utils.naming.reset_uids()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        global_state.set_global_attribute(_COUNTS, counted)
        random.setstate(drawn)
        np.random.set_state(of_numpy)
