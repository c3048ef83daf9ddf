"""A GRU as two loops over its time steps, one forward and one backward, each compiled by XLA. Imports TensorFlow.

Keras starts some 40 operations for each time step and its gradients, and TensorFlow has no kernel for a GRU as Keras
defines it (`reset_after`). Here a loop has one product for each step, and what is between two products is compiled into
few passes over memory. What does not depend on the step before is one large product for all steps: of the inputs, and
of the gradients of both kernels. Sums run in another order than in Keras, so a training with it is as good a one, and
not bit for bit the same.

Formulas: Cho et al. 2014, https://arxiv.org/abs/1406.1078, with the reset gate after the product, as in Keras:

    update, reset = sigmoid(x Wz + bz + h Uz + cz), sigmoid(x Wr + br + h Ur + cr)
    candidate = tanh(x Wh + bh + reset * (h Uh + ch))
    next h = update * h + (1 - update) * candidate
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Gradient = Callable[[tf.Tensor], tuple[tf.Tensor, ...]]


def gru_loops(
    inputs: tf.Tensor, first: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor, tf.Tensor], every: bool
) -> tf.Tensor:
    """Return the state after each step `(batch, steps, units)`, or after the last one `(batch, units)`.

    Args:
        inputs: `(batch, steps, features)`, of a known shape.
        first: `(batch, units)`, the state before.
        weights: of the inputs, of the state, and their biases `(2, 3 * units)`, as Keras has them.
        every: whether all states are the result.
    """

    @tf.custom_gradient
    def run(
        inputs: tf.Tensor, first: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, biases: tf.Tensor
    ) -> tuple[tf.Tensor, Gradient]:
        rows, steps, features = inputs.shape
        units = first.shape[-1]
        result, sequences, states, gates = _forward(inputs, first, kernel, recurrent_kernel, biases, every)

        def gradient(of_result: tf.Tensor) -> tuple[tf.Tensor, ...]:
            of_first, of_sums = _backward(of_result, states, gates, tf.transpose(recurrent_kernel), every)
            # Each product has all four parts although it needs three: to choose them before would copy them.
            of_inputs = tf.matmul(of_sums, _beside_state(kernel), transpose_b=True)
            of_kernel = tf.matmul(sequences, of_sums, transpose_a=True)
            of_recurrent = tf.matmul(tf.reshape(states[:-1], (-1, units)), of_sums, transpose_a=True)
            of_biases = tf.reduce_sum(of_sums, 0, keepdims=True)
            return (
                tf.transpose(tf.reshape(of_inputs, (steps, rows, features)), (1, 0, 2)),
                of_first,
                _of_inputs(of_kernel),
                of_recurrent[:, : 3 * units],
                tf.concat((_of_inputs(of_biases), of_biases[:, : 3 * units]), 0),
            )

        return result, gradient

    return run(inputs, first, *weights)


def _beside_state(weights: tf.Tensor) -> tf.Tensor:
    """Return weights of the inputs with nothing at the place of the state's part of the candidate."""
    units = weights.shape[1] // 3
    both, candidate = tf.split(weights, (2 * units, units), 1)
    return tf.concat((both, tf.zeros_like(candidate), candidate), 1)


def _of_inputs(sums: tf.Tensor) -> tf.Tensor:
    """Return the parts that are of the inputs."""
    units = sums.shape[1] // 4
    return tf.concat((sums[:, : 2 * units], sums[:, 3 * units :]), 1)


@tf.function(jit_compile=True, autograph=False)
def _forward(
    inputs: tf.Tensor, first: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, biases: tf.Tensor, every: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the result, and for the gradient: the inputs `(steps * batch, features)`, the states with the first one
    `(steps + 1, batch, units)`, and for each step, beside each other, both gates, the state's part of the candidate and
    the candidate."""
    rows, steps, features = inputs.shape
    units = first.shape[-1]
    sequences = tf.reshape(tf.transpose(inputs, (1, 0, 2)), (-1, features))
    entering = tf.reshape(tf.matmul(sequences, _beside_state(kernel)), (steps, rows, 4 * units))
    states = tf.TensorArray(tf.float32, steps + 1, element_shape=(rows, units)).write(0, first)
    # What enters a step leaves its place to what the gradient needs of it.
    kept = array_of(entering)
    both_biases = biases[0, : 2 * units] + biases[1, : 2 * units]
    input_bias, state_bias = biases[0, 2 * units :], biases[1, 2 * units :]

    def body(step: tf.Tensor, state: tf.Tensor, states: tf.TensorArray, kept: tf.TensorArray) -> tuple[Any, ...]:
        given, recurrent = kept.read(step), tf.matmul(state, recurrent_kernel)
        both = tf.sigmoid(given[:, : 2 * units] + recurrent[:, : 2 * units] + both_biases)
        update, reset = both[:, :units], both[:, units:]
        of_state = recurrent[:, 2 * units :] + state_bias
        candidate = tf.tanh(given[:, 3 * units :] + input_bias + reset * of_state)
        state = update * state + (1 - update) * candidate
        gates = tf.concat((both, of_state, candidate), 1)
        return step + 1, state, states.write(step + 1, state), kept.write(step, gates)

    _, last, states, kept = tf.while_loop(
        lambda step, *_: step < steps, body, (0, first, states, kept), maximum_iterations=steps
    )
    all_states = states.stack()
    return tf.transpose(all_states[1:], (1, 0, 2)) if every else last, sequences, all_states, kept.stack()


@tf.function(jit_compile=True, autograph=False)
def _backward(
    of_result: tf.Tensor, states: tf.Tensor, gates: tf.Tensor, transposed: tf.Tensor, every: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the gradient of the first state, and `(steps * batch, 4 * units)` those of the sums in both gates, in the
    state's part of the candidate, and in the candidate."""
    steps, rows = gates.shape[:2]
    units = states.shape[-1]
    kept = tf.TensorArray(tf.float32, steps, element_shape=(rows, 4 * units))
    before, given = array_of(states), array_of(gates)
    of_each = array_of(tf.transpose(of_result, (1, 0, 2))) if every else None

    def body(done: tf.Tensor, of_state: tf.Tensor, kept: tf.TensorArray) -> tuple[Any, ...]:
        step = steps - 1 - done
        update, reset, recurrent, candidate = tf.split(given.read(step), 4, 1)
        if of_each is not None:
            of_state += of_each.read(step)
        of_candidate = of_state * (1 - update) * (1 - candidate * candidate)
        of_update = of_state * (before.read(step) - candidate) * update * (1 - update)
        of_reset = of_candidate * recurrent * reset * (1 - reset)
        sums = tf.concat((of_update, of_reset, of_candidate * reset, of_candidate), 1)
        of_before = of_state * update + tf.matmul(sums[:, : 3 * units], transposed)
        return done + 1, of_before, kept.write(step, sums)

    last = tf.zeros((rows, units)) if every else of_result
    _, of_first, kept = tf.while_loop(lambda done, *_: done < steps, body, (0, last, kept), maximum_iterations=steps)
    return of_first, tf.reshape(kept.stack(), (-1, 4 * units))


def array_of(tensor: tf.Tensor) -> tf.TensorArray:
    """Return what is read and written along the first axis of a tensor."""
    return tf.TensorArray(tf.float32, tensor.shape[0], clear_after_read=False).unstack(tensor)
