"""A step of the training that Keras' own `train_step` does not have: an update from several batches, mixed rows, and
targets that are smoothed. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from mltrain.training.mixing import Mixing

# From `x`, `y`, the outputs and the weights of rows.
Loss = Callable[[Any, tf.Tensor, tf.Tensor, tf.Tensor | None], tf.Tensor]


@dataclass(frozen=True)
class StepParts:
    """What a step does besides an update by the loss of its rows.

    Attributes:
        loss: in place of the one that the model was compiled with; None takes that one.
        mixing: of the rows.
        batch: rows that are computed at once, of which a step may have several; None computes all at once.
    """

    loss: Loss | None = None
    mixing: Mixing | None = None
    batch: int | None = None


class TrainingStep:
    """Updates the weights by some rows, and the running loss and metrics; called while a graph is traced.

    Args:
        model: compiled and built.
        parts: what it does besides.
    """

    def __init__(self, model: keras.Model, parts: StepParts | None = None) -> None:
        self._model = model
        self._parts = parts or StepParts()

    def __call__(self, data: tuple[Any, ...]) -> None:
        """Train on `x`, `y` and perhaps `sample_weight`."""
        model, batch = self._model, self._parts.batch
        rows = data[1].shape[0]
        if batch is None or rows is None or rows <= batch:
            gradients, measure = self._gradients(data, tf.constant(0))
        else:
            gradients, measure = self._sum_of_gradients(data, rows, batch), None
        model.optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        if measure is not None:
            measure()

    def _sum_of_gradients(self, data: tuple[Any, ...], rows: int, batch: int) -> list[tf.Tensor | None]:
        """Return the gradient of the loss of all rows, from one batch at a time.

        The loss is a mean over rows, so each batch counts by its rows: a smaller last one counts less.
        """
        trained = self._model.trainable_weights
        unused: set[int] = set()

        def added(sums: Sequence[tf.Tensor], number: tf.Tensor, first: tf.Tensor, count: int) -> list[tf.Tensor]:
            part = tf.nest.map_structure(lambda each: _rows(each, first, count), data)
            gradients, measure = self._gradients(part, number)
            measure()
            unused.update(place for place, each in enumerate(gradients) if each is None)
            return [
                total if each is None else total + (count / rows) * tf.convert_to_tensor(each)
                for total, each in zip(sums, gradients, strict=True)
            ]

        def body(number: tf.Tensor, *sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return number + 1, *added(sums, number, number * batch, batch)

        whole, rest = divmod(rows, batch)
        nothing = [tf.zeros(each.shape, each.dtype) for each in trained]
        _, *sums = tf.while_loop(lambda number, *_: number < whole, body, (0, *nothing), parallel_iterations=1)
        if rest:
            sums = added(sums, tf.constant(whole), tf.constant(whole * batch), rest)
        return [None if place in unused else each for place, each in enumerate(sums)]

    def _gradients(
        self, data: tuple[Any, ...], number: tf.Tensor
    ) -> tuple[list[tf.Tensor | None], Callable[[], object]]:
        """Return the gradients of the loss of a batch, and what measures its rows, to be called after an update.

        Args:
            data: of the batch.
            number: of the batch in this step.
        """
        model, mixing = self._model, self._parts.mixing
        x, y, weights = (*data, None)[:3]
        mixed = None if mixing is None else mixing(x, model.optimizer.iterations, number)
        with tf.GradientTape() as tape:
            outputs, prediction = self._outputs(x if mixed is None else mixed.x)
            loss = self._loss(x, y, outputs, weights)
            if mixed is not None:  # the loss by both targets of a row, each by its share, as its authors compute it
                other = self._loss(x, mixed.other(y), outputs, None if weights is None else mixed.other(weights))
                loss = mixed.share * loss + (1.0 - mixed.share) * other
            model.metrics[0].update_state(loss, sample_weight=tf.shape(y)[0])
            scaled = model.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_weights)
        if mixed is not None:
            y, weights = mixed.larger(y), None if weights is None else mixed.larger(weights)
        if weights is not None and weights.shape.rank == 2:
            weights = tf.reduce_mean(weights, axis=1)
        return gradients, lambda: model.compute_metrics(x, y, prediction(), sample_weight=weights)

    def _loss(self, x: Any, y: tf.Tensor, outputs: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
        y, weights = self._as_outputs(y, weights)
        if self._parts.loss is not None:
            return self._parts.loss(x, y, outputs, weights)
        return self._model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weights, training=True)

    def _outputs(self, x: Any) -> tuple[tf.Tensor, Callable[[], tf.Tensor]]:
        """Return the outputs that the loss is of, and what gives the prediction."""
        outputs = self._model(x, training=True)
        return outputs, lambda: outputs

    def _as_outputs(self, y: tf.Tensor, weights: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Return the targets and the weights of rows in the form of the outputs."""
        return y, weights


def _rows(tensor: tf.Tensor, first: tf.Tensor, count: int) -> tf.Tensor:
    """Return `count` rows of a tensor; the number is static, so that the shapes of layers are."""
    return tf.ensure_shape(tensor[first : first + count], (count, *tensor.shape[1:]))
