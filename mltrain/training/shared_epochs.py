"""Several epochs in one call of the compiled loop. Imports TensorFlow.

An epoch of one step on a small net takes 30 µs, and each call 200 µs. Where nothing decides anything between two epochs
they share a call, and what each of them measured and the weights that it ended with come out together. The steps are
those of `CompiledSteps`, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from mltrain.training.feed import ResidentFeed
from mltrain.training.loop import CompiledSteps

MOST_EPOCHS = 256
# The weights after each epoch are kept: 256 times so many numbers are 10 MB.
MOST_WEIGHTS = 10_000


@dataclass(frozen=True)
class SharedEpoch:
    """What one of them ended with.

    Attributes:
        logs: its loss and Keras metrics.
        weights: of the model, in Keras' order.
    """

    logs: dict[str, float]
    weights: tuple[np.ndarray, ...]


class SharedEpochs:
    """Runs epochs of one step each.

    Args:
        loop: whose epochs have one step.
        feed: of that loop.
    """

    def __init__(self, loop: CompiledSteps, feed: ResidentFeed) -> None:
        self._loop = loop
        self._feed = feed
        self._names = list(loop.model.get_metrics_result())

    @classmethod
    def of(cls, loop: CompiledSteps) -> SharedEpochs | None:
        """Return them where the epochs of `loop` are short and the weights few, else None."""
        few = loop.steps == 1 and loop.model.count_params() <= MOST_WEIGHTS
        return cls(loop, loop.feed) if few and not loop.xla and isinstance(loop.feed, ResidentFeed) else None

    def trace(self) -> None:
        """Compile without running an epoch, so that the first call's time is not that of tracing."""
        self._call(*self._feed.tensors, tf.zeros((0, self._loop.rows), "int32"))

    def run(self, orders: Sequence[np.ndarray]) -> list[SharedEpoch]:
        """Run an epoch for each of `orders`, `(rows,)` int32."""
        found = self._call(*self._feed.tensors, tf.convert_to_tensor(np.stack(orders)))
        epochs = zip(*(values.numpy() for values in found), strict=True)
        count = len(self._names)
        return [
            SharedEpoch(
                {name: float(value) for name, value in zip(self._names, values[:count], strict=True)},
                values[count:],
            )
            for values in epochs
        ]

    @cached_property
    def _call(self) -> Callable[..., tuple[tf.Tensor, ...]]:
        *tensors, _ = self._feed.signature
        orders = tf.TensorSpec((None, self._loop.rows), "int32")
        return tf.function(self._epochs, autograph=False).get_concrete_function(*tensors, orders)

    def _epochs(self, *arguments: tf.Tensor) -> tuple[tf.Tensor, ...]:
        *tensors, orders = arguments
        count = tf.shape(orders)[0]
        kept = [tf.TensorArray(value.dtype, count, element_shape=value.shape) for value in self._values()]

        def body(epoch: tf.Tensor, *kept: tf.TensorArray) -> tuple[tf.Tensor | tf.TensorArray, ...]:
            self._loop.model.reset_metrics()
            self._loop.train_on(tensors, orders[epoch])
            return epoch + 1, *(array.write(epoch, value) for array, value in zip(kept, self._values(), strict=True))

        _, *kept = tf.while_loop(lambda epoch, *_: epoch < count, body, (0, *kept), parallel_iterations=1)
        return tuple(array.stack() for array in kept)

    def _values(self) -> list[tf.Tensor]:
        model = self._loop.model
        measured = model.get_metrics_result()
        return [tf.convert_to_tensor(value) for value in (*(measured[name] for name in self._names), *model.weights)]
