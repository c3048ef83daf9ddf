"""All time steps of an LSTM in one operation, and in one of its gradient. Imports TensorFlow.

TensorFlow has a kernel for the whole loop on a CPU, `BlockLSTM`, which Keras does not use. `BlockLSTMV2` has the order
of the gates that Keras has, but its gradient takes them in that of the first version (TensorFlow 2.21): it would train
something else without a word. So this is the first version.

It has one product for each step, which also takes the inputs, and keeps what is small in the cache of one core. For
larger products it is slower than loops that XLA compiles (`lstm_loops`), and than Keras.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def lstm_in_kernel(
    inputs: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor, tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the output and the cell after each step, both `(steps, batch, units)`.

    Args:
        inputs: `(batch, steps, features)`.
        hidden: `(batch, units)`, the output before the first step.
        cell: likewise.
        weights: of the inputs, of the output before, and the bias, as Keras has them.
    """
    kernel, recurrent_kernel, bias = weights
    sequences = tf.transpose(inputs, (1, 0, 2))
    no_peephole = tf.zeros((cell.shape[-1],))
    steps: Any = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(sequences, "int64")[0],
        x=sequences,
        cs_prev=cell,
        h_prev=hidden,
        w=_gates(tf.concat((kernel, recurrent_kernel), 0)),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=_gates(bias),
        forget_bias=0.0,
        cell_clip=-1.0,
    )
    return steps.h, steps.cs


def _gates(weights: tf.Tensor) -> tf.Tensor:
    """Return weights in the order of the kernel, input, cell, forget, output; Keras' has forget before cell."""
    entering, forget, cell, leaving = tf.split(weights, 4, axis=-1)
    return tf.concat((entering, cell, forget, leaving), -1)
