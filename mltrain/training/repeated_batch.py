"""Steps on the same few rows again and again, with what each step says of the gradients: does a network learn at all?

Each step is that of the loop of a training, with dropout, class weights and everything else as it is, but for rows
that are mixed, and targets that are smoothed: those cannot be memorised. Imports
TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mltrain.training.acceleration import Acceleration
from mltrain.training.feed import Arrays, ResidentFeed
from mltrain.training.loop import CompiledSteps
from mltrain.training.loss_scaling import scales_loss


@dataclass(frozen=True)
class SeenSteps:
    """What some steps were, in their order.

    Attributes:
        losses: (steps,), the whole loss of each, before its update.
        additions: (steps,), what regularisation has in it.
        gradients: (steps, weights), the largest number without its sign in the gradient of each weight that is trained;
            0 where there is no gradient.
    """

    losses: np.ndarray
    additions: np.ndarray
    gradients: np.ndarray

    @property
    def of_rows(self) -> np.ndarray:
        """The losses (steps,) without regularisation."""
        return self.losses - self.additions


class RepeatedBatch:
    """Trains a model on one batch.

    Args:
        model: compiled and built; its variables change.
        arrays: of the rows, as the loop of a training takes them.
        acceleration: of the training. XLA, and recurrences that are written out, take longer to compile than some steps
            save.
        step: as for `CompiledSteps`.
    """

    def __init__(
        self,
        model: keras.Model,
        arrays: Arrays,
        acceleration: Acceleration,
        step: Callable[[Any], object] | None = None,
    ) -> None:
        feed = ResidentFeed(arrays)
        self._loop = CompiledSteps(model, feed, feed.rows, replace(acceleration, xla=False, unroll=False), step)
        self._tensors = feed.tensors
        self._model = model
        self.rows = feed.rows

    def run(self, steps: int) -> SeenSteps:
        """Run so many steps; with 0 of them it is only compiled."""
        losses, additions, gradients = self._compiled(*self._tensors, tf.constant(steps))
        return SeenSteps(losses.numpy(), additions.numpy(), gradients.numpy())

    @cached_property
    def _compiled(self) -> Any:
        specs = tf.nest.map_structure(tf.TensorSpec.from_tensor, self._tensors)
        run = tf.function(self._steps, autograph=False)
        return run.get_concrete_function(*specs, tf.TensorSpec((), "int32"))

    def _steps(self, *arguments: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        *tensors, count = arguments
        every, weights = tf.range(self.rows), len(self._model.trainable_variables)
        shapes: tuple[tuple[int, ...], ...] = ((), (), (weights,))
        kept = [tf.TensorArray(tf.float32, count, element_shape=shape) for shape in shapes]

        def body(step: tf.Tensor, *kept: tf.TensorArray) -> tuple[Any, ...]:
            self._model.reset_metrics()  # so that the loss is of this step alone
            with _seen(self._model) as seen:
                self._loop.train_on(tensors, every)
            found = (self._model.get_metrics_result()["loss"], *(seen or [tf.zeros(()), tf.zeros((weights,))]))
            written = (array.write(step, tf.cast(value, tf.float32)) for array, value in zip(kept, found, strict=True))
            return step + 1, *written

        _, *kept = tf.while_loop(lambda step, *_: step < count, body, (0, *kept), parallel_iterations=1)
        losses, additions, gradients = (array.stack() for array in kept)
        return losses, additions, gradients


@contextmanager
def _seen(model: keras.Model) -> Iterator[list[tf.Tensor]]:
    """While inside, what regularisation adds and the sizes of the gradients are noted as gradients are handed to the
    optimizer, before it changes the weights; this is Python, which runs only while a step is traced. Empty where no
    weight is trained."""
    seen: list[tf.Tensor] = []
    optimizer, scaled = model.optimizer, scales_loss(model)
    apply = optimizer.apply_gradients

    def noted(pairs: Any, *more: Any, **named: Any) -> Any:
        pairs = list(pairs)
        added = [tf.cast(each, tf.float32) for each in model.losses]
        seen[:] = [
            tf.add_n(added) if added else tf.zeros(()),
            tf.stack([_size(gradient, scaled) for gradient, _ in pairs]),
        ]
        return apply(pairs, *more, **named)

    optimizer.apply_gradients = noted
    try:
        yield seen
    finally:
        del optimizer.apply_gradients


def _size(gradient: Any, scaled: bool) -> tf.Tensor:
    if gradient is None:
        return tf.zeros(())
    # Of a table of vectors, only the rows that were looked up have a gradient.
    values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    size = tf.reduce_max(tf.abs(tf.cast(values, tf.float32)))
    # A scaled one that is too large is left out, with its step.
    return tf.where(tf.math.is_finite(size), size, 0.0) if scaled else size
