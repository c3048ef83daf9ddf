"""An LSTM as two loops over its time steps, one forward and one backward, as `gru_loops` has them for a GRU. Imports
TensorFlow.

Formulas: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000, in the order of Keras:

    entering, forget, leaving = sigmoid(x W + h U + b), each with its own W, U and b
    new = tanh(x Wc + h Uc + bc)
    next cell = forget * cell + entering * new
    next h = leaving * tanh(next cell)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from mltrain.training.gru_loops import array_of

Gradient = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]]


def lstm_loops(
    inputs: tf.Tensor,
    hidden: tf.Tensor,
    cell: tf.Tensor,
    weights: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    every: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the output after each step `(batch, steps, units)`, or after the last one `(batch, units)`, and the last
    cell.

    Args:
        inputs: `(batch, steps, features)`, of a known shape.
        hidden: `(batch, units)`, the output before the first step.
        cell: likewise.
        weights: of the inputs, of the output before, and the bias, as Keras has them.
        every: whether all outputs are the result.
    """

    @tf.custom_gradient
    def run(
        inputs: tf.Tensor,
        hidden: tf.Tensor,
        cell: tf.Tensor,
        kernel: tf.Tensor,
        recurrent_kernel: tf.Tensor,
        bias: tf.Tensor,
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], Gradient]:
        rows, steps, features = inputs.shape
        units = hidden.shape[-1]
        result, last_cell, *kept = _forward(inputs, hidden, cell, (kernel, recurrent_kernel, bias), every)
        sequences, outputs, cells, gates = kept

        def gradient(of_result: tf.Tensor, of_cell: tf.Tensor) -> tuple[tf.Tensor, ...]:
            transposed = tf.transpose(recurrent_kernel)
            of_hidden, of_first_cell, of_sums = _backward((of_result, of_cell), cells, gates, transposed, every)
            of_inputs = tf.matmul(of_sums, kernel, transpose_b=True)
            return (
                tf.transpose(tf.reshape(of_inputs, (steps, rows, features)), (1, 0, 2)),
                of_hidden,
                of_first_cell,
                tf.matmul(sequences, of_sums, transpose_a=True),
                tf.matmul(tf.reshape(outputs[:-1], (-1, units)), of_sums, transpose_a=True),
                tf.reduce_sum(of_sums, 0),
            )

        return (result, last_cell), gradient

    return run(inputs, hidden, cell, *weights)


@tf.function(jit_compile=True, autograph=False)
def _forward(
    inputs: tf.Tensor,
    hidden: tf.Tensor,
    cell: tf.Tensor,
    weights: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    every: bool,
) -> tuple[tf.Tensor, ...]:
    """Return the result and the last cell; and for the gradient the inputs `(steps * batch, features)`, outputs and
    cells with the first ones `(steps + 1, batch, units)`, and for each step, beside each other, entering, forget, new
    and leaving."""
    kernel, recurrent_kernel, bias = weights
    rows, steps, features = inputs.shape
    units = hidden.shape[-1]
    sequences = tf.reshape(tf.transpose(inputs, (1, 0, 2)), (-1, features))
    # What enters a step leaves its place to what the gradient needs of it.
    gates = array_of(tf.reshape(tf.matmul(sequences, kernel), (steps, rows, 4 * units)))
    outputs, cells = (
        tf.TensorArray(tf.float32, steps + 1, element_shape=(rows, units)).write(0, first) for first in (hidden, cell)
    )

    def body(
        step: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor, *arrays: tf.TensorArray
    ) -> tuple[tf.Tensor | tf.TensorArray, ...]:
        outputs, cells, gates = arrays
        sums = gates.read(step) + tf.matmul(hidden, recurrent_kernel) + bias
        both, leaving = tf.sigmoid(sums[:, : 2 * units]), tf.sigmoid(sums[:, 3 * units :])
        new = tf.tanh(sums[:, 2 * units : 3 * units])
        cell = both[:, units:] * cell + both[:, :units] * new
        hidden = leaving * tf.tanh(cell)
        kept = tf.concat((both, new, leaving), 1)
        return (
            step + 1,
            hidden,
            cell,
            outputs.write(step + 1, hidden),
            cells.write(step + 1, cell),
            gates.write(step, kept),
        )

    _, last, last_cell, *arrays = tf.while_loop(
        lambda step, *_: step < steps, body, (0, hidden, cell, outputs, cells, gates), maximum_iterations=steps
    )
    all_outputs, all_cells, all_gates = (each.stack() for each in arrays)
    result = tf.transpose(all_outputs[1:], (1, 0, 2)) if every else last
    return result, last_cell, sequences, all_outputs, all_cells, all_gates


@tf.function(jit_compile=True, autograph=False)
def _backward(
    of_results: tuple[tf.Tensor, tf.Tensor], cells: tf.Tensor, gates: tf.Tensor, transposed: tf.Tensor, every: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the gradients of the first output and cell, and `(steps * batch, 4 * units)` those of the sums in the
    gates."""
    of_result, of_last_cell = of_results
    steps, rows = gates.shape[:2]
    units = cells.shape[-1]
    kept = tf.TensorArray(tf.float32, steps, element_shape=(rows, 4 * units))
    all_cells, all_gates = array_of(cells), array_of(gates)
    of_each = array_of(tf.transpose(of_result, (1, 0, 2))) if every else None

    def body(done: tf.Tensor, of_hidden: tf.Tensor, of_cell: tf.Tensor, kept: tf.TensorArray) -> tuple[Any, ...]:
        step = steps - 1 - done
        entering, forget, new, leaving = tf.split(all_gates.read(step), 4, 1)
        if of_each is not None:
            of_hidden += of_each.read(step)
        squashed = tf.tanh(all_cells.read(step + 1))
        of_cell += of_hidden * leaving * (1 - squashed * squashed)
        parts = (
            of_cell * new * entering * (1 - entering),
            of_cell * all_cells.read(step) * forget * (1 - forget),
            of_cell * entering * (1 - new * new),
            of_hidden * squashed * leaving * (1 - leaving),
        )
        sums = tf.concat(parts, 1)
        return done + 1, tf.matmul(sums, transposed), of_cell * forget, kept.write(step, sums)

    last = tf.zeros((rows, units)) if every else of_result
    _, of_hidden, of_cell, kept = tf.while_loop(
        lambda done, *_: done < steps, body, (0, last, of_last_cell, kept), maximum_iterations=steps
    )
    return of_hidden, of_cell, tf.reshape(kept.stack(), (-1, 4 * units))
