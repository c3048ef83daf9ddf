"""The part of each batch that one of several workers computes, so that the batch trains as if one had computed all of
it. Imports TensorFlow.

What is random is drawn for the whole batch, and each worker takes the numbers of its rows; BatchNormalization uses the
mean and variance of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow import random as random_of_keras
from keras.src.random.seed_generator import draw_seed

from mltrain.errors import WorkerError
from mltrain.replacement import replaced

# From arrays `(numbers,)` to their sums over all workers.
Sum = Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]
# Smaller tensors travel together: each array by itself takes 10 µs of Python. Larger ones do not, as to copy 2 MB into
# one tensor and out of it takes 0.9 ms, and to exchange them as long.
_ALONE = 1 << 14
_BY_SHAPE = ("normal", "uniform", "truncated_normal", "randint")


@dataclass(frozen=True)
class Part:
    """The rows of a batch that one worker computes.

    Attributes:
        first: of its rows.
        own: how many they are.
        rows: of the whole batch.
        counts: whether what it computes counts; a batch with fewer rows than workers is computed by all of them whole,
            and that of the first counts.
    """

    first: int
    own: int
    rows: int
    counts: bool = True

    @property
    def share(self) -> float:
        """Its part of the mean over the rows of the batch."""
        return self.own / self.rows if self.counts else 0.0

    def of(self, tensors: Any) -> Any:
        """Return its rows of each of a structure of tensors, in which None stays None, and what has its rows alone."""
        if self.own == self.rows:
            return tensors
        end = self.first + self.own

        def of_one(tensor: tf.Tensor | None) -> tf.Tensor | None:
            return tensor if tensor is None or tensor.shape[0] == self.own else tensor[self.first : end]

        return tf.nest.map_structure(of_one, tensors)

    def placed(self, values: tf.Tensor) -> tf.Tensor:
        """Return `values` `(own, …)` at their places in a batch of zeros."""
        if not self.counts:
            return tf.zeros_like(values)
        after = self.rows - self.first - self.own
        return tf.pad(values, [[self.first, after], *([[0, 0]] * (values.shape.rank - 1))])


class Sharing:
    """How one worker computes with the others.

    Args:
        rank: of this worker.
        count: of all.
        add: from numbers to their sum over all workers.
    """

    def __init__(self, rank: int, count: int, add: Sum) -> None:
        self.rank = rank
        self.count = count
        self._add = add
        self._failure: WorkerError | None = None
        # TensorFlow orders what writes to one variable, also around loops. Python functions it does not: the sum behind
        # a loop came before the last one inside it, on one worker of two (TensorFlow 2.21).
        self._exchanges = tf.Variable(0, dtype="int64", trainable=False)

    def part(self, rows: int) -> Part:
        """Return the rows of a batch that this worker computes."""
        if rows < self.count:
            return Part(0, rows, rows, counts=self.rank == 0)
        first, end = rows * self.rank // self.count, rows * (self.rank + 1) // self.count
        return Part(first, end - first, rows)

    def summed(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return the sums of tensors of float32 over all workers, in one exchange; called while a graph is traced."""
        sizes = [math.prod(each.shape) for each in tensors]
        alone = [place for place, size in enumerate(sizes) if size >= _ALONE]
        together = [place for place, size in enumerate(sizes) if size < _ALONE]
        flat = [tf.reshape(each, (-1,)) for each in tensors]
        sent = [flat[place] for place in alone]
        if together:
            sent.append(tf.concat([flat[place] for place in together], 0))
        number = self._exchanges.assign_add(1, read_value=True)
        found = tf.numpy_function(self._sum, [*sent, number], [tf.float32] * len(sent))
        for each, before in zip(found, sent, strict=True):
            each.set_shape(before.shape)
        with tf.control_dependencies(found):
            self._exchanges.assign_add(0, read_value=False)
        sums = dict(zip(alone, found, strict=False))
        if together:
            sums.update(zip(together, tf.split(found[-1], [sizes[place] for place in together]), strict=True))
        return [tf.reshape(sums[place], each.shape) for place, each in enumerate(tensors)]

    def _sum(self, *values: np.ndarray) -> Sequence[np.ndarray]:
        try:
            return self._add(values[:-1])
        except WorkerError as error:
            self._failure = error
            raise

    @contextmanager
    def failing_plainly(self) -> Iterator[None]:
        """While inside, what TensorFlow makes of a lost worker is the error itself.

        Raises:
            WorkerError: a worker is lost.
        """
        try:
            yield
        except tf.errors.OpError:
            if self._failure is not None:
                raise self._failure from None
            raise

    @contextmanager
    def as_one_batch(self, part: Part) -> Iterator[None]:
        """While inside, layers that are traced draw for the whole batch, and normalize by it."""
        if part.own == part.rows:
            yield
            return
        with ExitStack() as stack:
            for name in _BY_SHAPE:
                drawn = _drawn_for_all(getattr(random_of_keras, name), part)
                stack.enter_context(replaced(random_of_keras, name, drawn))
            dropout = _dropout_of(random_of_keras.dropout, part)
            stack.enter_context(replaced(random_of_keras, "dropout", dropout))
            normalization = keras.layers.BatchNormalization
            moments = self._moments_of(normalization._moments, part)
            stack.enter_context(replaced(normalization, "_moments", moments))
            yield

    def _moments_of(self, of_own: Callable[..., Any], part: Part) -> Callable[..., Any]:
        """Return what replaces the mean and variance of the rows of a worker: those of the whole batch, from the means,
        variances and counts of all workers (Chan, Golub and LeVeque, 1983)."""

        def moments(layer: keras.Layer, inputs: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
            mean, variance = of_own(layer, inputs, mask)
            kind, channels = mean.dtype, mean.shape[0]
            count = tf.cast(part.own if mask is None else tf.reduce_sum(tf.cast(mask, "float32")), "float32")
            own = tf.concat([tf.cast(mean, "float32"), tf.cast(variance, "float32"), count[tf.newaxis]], 0)
            before, after = self.rank, self.count - self.rank - 1
            every = self._summed_differentiably(tf.pad(own[tf.newaxis], [[before, after], [0, 0]]))
            means, variances, counts = tf.split(every, [channels, channels, 1], axis=1)
            shares = tf.math.divide_no_nan(counts, tf.reduce_sum(counts))
            whole = tf.reduce_sum(shares * means, axis=0)
            spread = tf.reduce_sum(shares * (variances + tf.square(means - whole)), axis=0)
            return tf.cast(whole, kind), tf.cast(spread, kind)

        return moments

    def _summed_differentiably(self, tensor: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def summed(each: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
            # What a worker gives changes the losses of all.
            return self.summed([each])[0], lambda change: self.summed([change])[0]

        return summed(tensor)


def _drawn_for_all(draw: Callable[..., Any], part: Part) -> Callable[..., Any]:
    """Return what draws for the whole batch, and gives a worker the numbers of its rows."""

    def drawn(shape: Any, *arguments: Any, **options: Any) -> Any:
        factor = _of_rows(shape[0], part) if isinstance(shape, (tuple, list)) and shape else 0
        if not factor:
            return draw(shape, *arguments, **options)
        whole = draw((part.rows * factor, *shape[1:]), *arguments, **options)
        return whole[part.first * factor : (part.first + part.own) * factor]

    return drawn


def _dropout_of(dropout: Callable[..., Any], part: Part) -> Callable[..., Any]:
    def dropped(inputs: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
        factor = _of_rows(inputs.shape[0], part)
        shape = tuple(inputs.shape) if noise_shape is None else tuple(noise_shape)
        of_rows = shape[0] is None or shape[0] == inputs.shape[0]
        if not factor or not of_rows or rate in (0.0, 1.0):
            return dropout(inputs, rate, noise_shape, seed)
        rest = [tf.shape(inputs)[place] if size is None else size for place, size in enumerate(shape)][1:]
        number = random_of_keras._cast_seed(draw_seed(seed))
        # As `tf.nn.experimental.stateless_dropout` does it.
        drawn = tf.random.stateless_uniform((part.rows * factor, *rest), seed=number, dtype=inputs.dtype)
        own = drawn[part.first * factor : (part.first + part.own) * factor]
        return tf.where(own >= rate, inputs * (1.0 / (1.0 - rate)), tf.zeros((), inputs.dtype))

    return dropped


def _of_rows(size: Any, part: Part) -> int:
    """Return how many numbers there are for each row where `size` is that of the rows of a worker; else 0."""
    if not isinstance(size, int) or size % part.own:
        return 0
    return size // part.own if part.own > 1 or size == 1 else 0
