"""All time steps of an LSTM in one operation, and in one of its gradient. Imports TensorFlow.

Keras loops over the time steps in the graph: some 45 operations for each with their gradients, and at 64 units most of
the time goes into starting them. TensorFlow has a kernel for the whole loop on a CPU, `BlockLSTM`, which Keras does not
use. Sums run in another order there, so a training with it is as good a one, and not bit for bit the same.

`BlockLSTMV2` has the order of the gates that Keras has, but its gradient takes them in that of the first version
(TensorFlow 2.21): it would train something else without a word. So this is the first version.

The kernel keeps one core busy, as each product of a step is too small to be shared. So the rows of a batch go through
it in two halves, which have nothing to do with each other, at the same time. The halves are the same on every machine:
sums of gradients run in the same order wherever a config is trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from keras.src.layers.rnn import lstm as keras_lstm

# Of 32 rows in two halves, each product is only half as fast.
_SMALLEST_SPLIT = 64


def fusible(layer: keras.layers.Layer) -> bool:
    """Return whether a layer is an LSTM that the kernel can compute."""
    return (
        isinstance(layer, keras.layers.LSTM)
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and layer.use_bias
        and not layer.recurrent_dropout
        and layer.use_cudnn != False  # noqa: E712, "auto" is neither
        and layer.compute_dtype == "float32"
    )


@contextmanager
def fused(asked: bool) -> Iterator[None]:
    """Trace what is called inside with fused LSTM layers, where that is asked for and the kernel can compute them.

    Keras asks its backend for an LSTM in one piece first, and goes through the time steps where there is none.
    """
    backend = keras_lstm.backend
    own = backend.lstm
    if asked:
        backend.lstm = _lstm
    try:
        yield
    finally:
        backend.lstm = own


def _lstm(
    inputs: tf.Tensor,
    initial_state_h: tf.Tensor,
    initial_state_c: tf.Tensor,
    mask: tf.Tensor | None,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    activation: Any,
    recurrent_activation: Any,
    return_sequences: bool = False,
    go_backwards: bool = False,
    unroll: bool = False,
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
    """Return the last output `(batch, units)`, all outputs `(batch, steps, units)` and the states, as Keras asks a
    backend for them.

    Raises:
        NotImplementedError: the kernel cannot compute it.
    """
    gates_as_usual = activation is keras.activations.tanh and recurrent_activation is keras.activations.sigmoid
    if mask is not None or bias is None or not gates_as_usual or inputs.dtype != tf.float32:
        raise NotImplementedError
    sequences = tf.transpose(inputs, (1, 0, 2))
    if go_backwards:
        sequences = tf.reverse(sequences, (0,))
    weights = tf.concat((tf.convert_to_tensor(kernel), tf.convert_to_tensor(recurrent_kernel)), 0)
    ordered = _gates(weights), _gates(tf.convert_to_tensor(bias))
    rows = inputs.shape[0]
    halves = (slice(None),) if (rows or 0) < _SMALLEST_SPLIT else (slice(rows // 2), slice(rows // 2, None))
    parts = [_steps(sequences[:, half], initial_state_h[half], initial_state_c[half], ordered) for half in halves]
    outputs = tf.concat([part.h for part in parts], 1)
    last, last_cell = outputs[-1], tf.concat([part.cs[-1] for part in parts], 0)
    return last, tf.transpose(outputs, (1, 0, 2)) if return_sequences else last[:, None], [last, last_cell]


def _steps(sequences: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> Any:
    """Return what the kernel gives for `(steps, batch, features)`, the first states and its weights and bias."""
    no_peephole = tf.zeros((cell.shape[-1],))
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(sequences, "int64")[0],
        x=sequences,
        cs_prev=cell,
        h_prev=hidden,
        w=weights[0],
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=weights[1],
        forget_bias=0.0,
        cell_clip=-1.0,
    )


def _gates(weights: tf.Tensor) -> tf.Tensor:
    """Return weights in the order of the kernel, input, cell, forget, output; Keras' has forget before cell."""
    entering, forget, cell, leaving = tf.split(weights, 4, axis=-1)
    return tf.concat((entering, cell, forget, leaving), -1)
