"""The model alone, compiled over blocks of rows: those of an evaluation, so that the outputs are those that it sees.
Imports TensorFlow."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


class CompiledPrediction:
    """One model's outputs, block by block.

    Args:
        model: built.
        block: rows in one step.
    """

    def __init__(self, model: keras.Model, block: int) -> None:
        self._model, self.block = model, block
        _, *shape = model.input_shape
        compiled, dtype = tf.function(self._outputs, autograph=False), model.inputs[0].dtype
        self._full = compiled.get_concrete_function(tf.TensorSpec((block, *shape), dtype))
        self._partial = compiled.get_concrete_function(tf.TensorSpec((None, *shape), dtype))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs (rows, outputs) for encoded rows (rows, …) in float32."""
        parts = []
        for start in range(0, len(x), self.block):
            part = tf.convert_to_tensor(x[start : start + self.block])
            parts.append((self._full if len(part) == self.block else self._partial)(part).numpy())
        return np.concatenate(parts)

    def _outputs(self, x: tf.Tensor) -> tf.Tensor:
        return tf.cast(self._model(x, training=False), tf.float32)
