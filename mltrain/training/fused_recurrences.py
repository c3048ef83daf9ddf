"""LSTM and GRU layers computed in few operations while training, in place of Keras' loop. Imports TensorFlow.

Keras loops over the time steps in the graph: some 45 operations for each with their gradients, and at 64 units most of
the time goes into starting them. Sums run in another order here, so a training with it is as good a one, and not bit
for bit the same.

Each product of a time step is too small for several cores. So the rows of a batch are computed in two halves, which
have nothing to do with each other, at the same time. The halves are the same on every machine: sums of gradients run in
one order wherever a config is trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from keras.src.layers.rnn import gru as keras_gru
from keras.src.layers.rnn import lstm as keras_lstm

from mltrain.training.gru_loops import gru_loops
from mltrain.training.lstm_kernel import lstm_in_kernel
from mltrain.training.lstm_loops import lstm_loops

Weights = tuple[tf.Tensor, tf.Tensor, tf.Tensor]

# Products of fewer rows are slower by more than two cores gain.
_SMALLEST_SPLIT = 64
# Multiplications in one time step of an LSTM. With more of them TensorFlow's kernel takes longer than the loops: 0.9 of
# their time at 1.3 million, 1.2 at 2.1 million, 1.4 at 5.2 million and 2 at 21 million.
_LARGEST_IN_KERNEL = 1_500_000


def fusible(layer: keras.layers.Layer) -> bool:
    """Return whether a layer is an LSTM or a GRU that can be computed in this way."""
    return (
        isinstance(layer, (keras.layers.LSTM, keras.layers.GRU))
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and layer.use_bias
        and not layer.recurrent_dropout
        and getattr(layer, "reset_after", True)
        and layer.use_cudnn != False  # noqa: E712, "auto" is neither
        and layer.compute_dtype == "float32"
    )


@contextmanager
def fused(asked: bool) -> Iterator[None]:
    """Trace what is called inside with fused layers, where that is asked for and they can be computed so.

    Keras asks its backend for a layer in one piece first, and goes through the time steps where there is none.
    """
    lstm, gru = keras_lstm.backend.lstm, keras_gru.backend.gru
    if asked:
        keras_lstm.backend.lstm, keras_gru.backend.gru = _lstm, _gru
    try:
        yield
    finally:
        keras_lstm.backend.lstm, keras_gru.backend.gru = lstm, gru


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
        NotImplementedError: it cannot be computed in this way.
    """
    _require_usual(inputs, mask, bias, activation, recurrent_activation)
    if go_backwards:
        inputs = tf.reverse(inputs, (1,))
    weights = _tensors(kernel, recurrent_kernel, bias)
    compute = _by_kernel if _is_small(inputs.shape, initial_state_h.shape[-1]) else _by_loops
    parts = [
        compute(inputs[half], initial_state_h[half], initial_state_c[half], weights, return_sequences)
        for half in _halves(inputs.shape[0])
    ]
    outputs, last, cell = (tf.concat(each, 0) for each in zip(*parts, strict=True))
    return last, outputs, [last, cell]


def _is_small(shape: tf.TensorShape, units: int) -> bool:
    """Return whether a time step of an LSTM is small; XLA compiles for one shape, so what is not known counts as it."""
    return None in shape or shape[0] * (shape[-1] + units) * 4 * units <= _LARGEST_IN_KERNEL


def _by_kernel(
    inputs: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor, weights: Weights, every: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return all outputs, or the last one as a single step, the last output and the last cell."""
    outputs, cells = lstm_in_kernel(inputs, hidden, cell, weights)
    last = outputs[-1]
    return tf.transpose(outputs, (1, 0, 2)) if every else last[:, None], last, cells[-1]


def _by_loops(
    inputs: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor, weights: Weights, every: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the same."""
    outputs, last_cell = lstm_loops(inputs, hidden, cell, weights, every)
    return (outputs, outputs[:, -1], last_cell) if every else (outputs[:, None], outputs, last_cell)


def _gru(
    inputs: tf.Tensor,
    initial_state: tf.Tensor,
    mask: tf.Tensor | None,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any,
    activation: Any,
    recurrent_activation: Any,
    return_sequences: bool = False,
    go_backwards: bool = False,
    unroll: bool = False,
    reset_after: bool = True,
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
    """Return the same of a GRU.

    Raises:
        NotImplementedError: it cannot be computed in this way.
    """
    _require_usual(inputs, mask, bias, activation, recurrent_activation)
    if not reset_after or None in inputs.shape:  # XLA compiles for one shape
        raise NotImplementedError
    if go_backwards:
        inputs = tf.reverse(inputs, (1,))
    weights = _tensors(kernel, recurrent_kernel, bias)
    halves = _halves(inputs.shape[0])
    outputs = tf.concat([gru_loops(inputs[half], initial_state[half], weights, return_sequences) for half in halves], 0)
    last = outputs[:, -1] if return_sequences else outputs
    return last, outputs if return_sequences else last[:, None], [last]


def _require_usual(inputs: tf.Tensor, mask: Any, bias: Any, activation: Any, recurrent_activation: Any) -> None:
    usual = activation is keras.activations.tanh and recurrent_activation is keras.activations.sigmoid
    if mask is not None or bias is None or not usual or inputs.dtype != tf.float32:
        raise NotImplementedError


def _tensors(*weights: Any) -> Weights:
    kernel, recurrent_kernel, bias = (tf.convert_to_tensor(each) for each in weights)
    return kernel, recurrent_kernel, bias


def _halves(rows: int | None) -> tuple[slice, ...]:
    if rows is None or rows < _SMALLEST_SPLIT:
        return (slice(None),)
    return slice(rows // 2), slice(rows // 2, None)
