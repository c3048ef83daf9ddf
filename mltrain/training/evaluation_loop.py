"""The compiled loop that measures a split: loss, metrics and predictions of all its rows. Imports TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mltrain.training.feed import Arrays, gathered, rows_of
from mltrain.training.loop import reset_metrics
from mltrain.training.own_code import of_step_alone
from mltrain.training.progress import Chunks
from mltrain.training.upper_part import UpperPart

# The outputs of some rows, and the loss and metrics so far.
Measured = tuple[tf.Tensor, dict[str, tf.Tensor]]
Measure = Callable[..., Measured]

# The widest vector instructions of a processor hold 16 float32 numbers; a multiple fills them on every one.
_FULL_VECTORS = 32


def in_full_vectors(function: Callable[[Any], Any], x: Any) -> Any:
    """Return a function of rows, equal for equal rows wherever they are.

    The last rows of a block that is not a multiple of the width of the vector instructions are computed by other
    instructions, which round differently: rows that a model gives one score would get two, and its ROC AUC would
    depend on where they are. So such a block is filled up with copies of its last row, whose outputs are dropped.

    Args:
        function: of rows, to a tensor or a list of them.
        x: a tensor with rows on its first axis, or a list of such.
    """
    first = tf.nest.flatten(x)[0]
    if first.shape[0] is not None and first.shape[0] % _FULL_VECTORS == 0:
        return function(x)
    rows = tf.shape(first)[0]
    filled = -(-rows // _FULL_VECTORS) * _FULL_VECTORS
    places = tf.minimum(tf.range(filled), rows - 1)
    return tf.nest.map_structure(lambda found: found[:rows], function(gathered(x, places)))


class CompiledEvaluation:
    """One model's compiled loop over blocks of rows, for every split: a later one needs no new trace.

    Args:
        model: compiled and built.
        block: rows in one step.
        target: one target's shape, without the batch, and dtype.
        upper: the part of the model that is run, on what the part before gives; None runs the model.
    """

    def __init__(
        self,
        model: keras.Model,
        block: int,
        target: tuple[tuple[int, ...], str],
        upper: UpperPart | None = None,
    ) -> None:
        self.model = model
        self.block = block
        self.outputs = model.output_shape[-1]
        self._run = (lambda x, training: model(x, training=training)) if upper is None else upper.run
        inputs = [tf.TensorSpec(each.shape, each.dtype) for each in model.inputs]
        if upper is not None:
            inputs = [tf.TensorSpec((None, *shape), dtype) for shape, dtype in upper.inputs]
        self._signature = (
            inputs[0] if len(inputs) == 1 else inputs,
            tf.TensorSpec((None, *target[0]), target[1]),
            tf.TensorSpec((), "int32"),
        )

    @cached_property
    def full(self) -> Measure:
        """From `x`, `y`, the first block and the number of blocks: their outputs, and the metrics so far."""
        return tf.function(self._full_steps, autograph=False).get_concrete_function(
            *self._signature, tf.TensorSpec((), "int32")
        )

    @cached_property
    def partial(self) -> Measure:
        """From `x`, `y` and the first row of a last block that is smaller: its outputs, and the metrics."""
        return tf.function(self._partial_step, autograph=False).get_concrete_function(*self._signature)

    def _evaluate_on(self, x: Any, y: tf.Tensor) -> tf.Tensor:
        # The body of Keras' test_step, which does not hand out the predictions.
        predictions = in_full_vectors(lambda rows: self._run(rows, False), x)
        loss = self.model.compute_loss(x=x, y=y, y_pred=predictions, training=False)
        self.model.metrics[0].update_state(loss, sample_weight=tf.shape(y)[0])
        self.model.compute_metrics(x, y, predictions)
        return tf.cast(predictions, tf.float32)

    def _full_steps(self, x: Any, y: tf.Tensor, first: tf.Tensor, count: tf.Tensor) -> Measured:
        outputs = tf.TensorArray(tf.float32, size=count, element_shape=(self.block, self.outputs))

        def body(step: tf.Tensor, kept: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            start = (first + step) * self.block

            def block(tensor: tf.Tensor) -> tf.Tensor:
                return tf.ensure_shape(tensor[start : start + self.block], (self.block, *tensor.shape[1:]))

            return step + 1, kept.write(step, self._evaluate_on(*tf.nest.map_structure(block, (x, y))))

        reset_metrics(self.model, when=first == 0)
        _, outputs = tf.while_loop(lambda step, _: step < count, body, (0, outputs), parallel_iterations=1)
        return tf.reshape(outputs.stack(), (-1, self.outputs)), self._measured()

    def _partial_step(self, x: Any, y: tf.Tensor, start: tf.Tensor) -> Measured:
        reset_metrics(self.model, when=start == 0)
        rest = tf.nest.map_structure(lambda tensor: tensor[start:], (x, y))
        return self._evaluate_on(*rest), self._measured()

    def _measured(self) -> dict[str, tf.Tensor]:
        others = of_step_alone(self.model)
        return {name: value for name, value in self.model.get_metrics_result().items() if name not in others}


class EvaluationLoop:
    """Measures loss and Keras metrics over all rows of one split, and keeps the predictions.

    Validation during training, the final numbers and `mltrain evaluate` all use this loop with the same blocks, so that
    the number in the log is the number you get later, to the last bit. The batches are those of
    `model.evaluate(batch_size=block)`.

    Args:
        compiled: of the model.
        arrays: `x` and `y` of the rows of the split.
    """

    def __init__(self, compiled: CompiledEvaluation, arrays: Arrays) -> None:
        self._compiled = compiled
        self._tensors = tf.nest.map_structure(tf.convert_to_tensor, arrays)
        self.rows = rows_of(arrays)

    def run(self, between_chunks: Callable[[], None] = lambda: None) -> tuple[dict[str, float], np.ndarray]:
        """Return the loss and Keras metrics by name, and the model's outputs `(rows, outputs)` in float32.

        Args:
            between_chunks: called between two calls of the compiled loop; it may raise, to stop.
        """
        compiled, chunks, parts, step = self._compiled, Chunks(), [], 0
        blocks = self.rows // compiled.block
        while step < blocks:
            count = chunks.next(blocks - step)
            started = time.perf_counter()
            outputs, logs = compiled.full(*self._tensors, tf.constant(step), tf.constant(count))
            parts.append(outputs.numpy())
            chunks.took(count, time.perf_counter() - started)
            step += count
            between_chunks()
        if self.rows % compiled.block:
            outputs, logs = compiled.partial(*self._tensors, tf.constant(blocks * compiled.block))
            parts.append(outputs.numpy())
        return {name: float(value) for name, value in logs.items()}, np.concatenate(parts)
