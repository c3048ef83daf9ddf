"""A step of the training that Keras' own `train_step` does not have: an update from several batches, mixed rows, and
targets that are smoothed. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from mltrain.training.feed import gathered
from mltrain.training.mixing import Mixing
from mltrain.training.sharing import Part, Sharing

# From `x`, `y`, the outputs and the weights of rows.
Loss = Callable[[Any, tf.Tensor, tf.Tensor, tf.Tensor | None], tf.Tensor]


@dataclass(frozen=True)
class StepParts:
    """What a step does besides an update by the loss of its rows.

    Attributes:
        loss: in place of the one that the model was compiled with; None takes that one.
        mixing: of the rows.
        batch: rows that are computed at once, of which a step may have several; None computes all at once.
        sharing: how the rows are shared with other workers; None computes all here.
    """

    loss: Loss | None = None
    mixing: Mixing | None = None
    batch: int | None = None
    sharing: Sharing | None = None


class TrainingStep:
    """Updates the weights by some rows, and the running loss and metrics; called while a graph is traced.

    Args:
        model: compiled and built.
        parts: what it does besides.
    """

    def __init__(self, model: keras.Model, parts: StepParts | None = None) -> None:
        self._model = model
        self._parts = parts or StepParts()

    def rows_of(self, tensors: tuple[Any, ...], rows: tf.Tensor) -> tuple[Any, ...]:
        """Return what a step needs of some rows of tensors: of `x` those that this worker computes, unless it mixes
        them with others. To take 1,024 rows of 784 numbers is 0.7 of 10 ms.

        Args:
            tensors: `x`, `y` and perhaps `sample_weight`.
            rows: int32 numbers of them.
        """
        sharing, mixing, batch = self._parts.sharing, self._parts.mixing, self._parts.batch
        if sharing is None or mixing is not None or (batch is not None and rows.shape[0] > batch):
            return gathered(tensors, rows)
        x, *others = tensors
        return gathered(x, sharing.part(rows.shape[0]).of(rows)), *gathered(others, rows)

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
        model, mixing, sharing = self._model, self._parts.mixing, self._parts.sharing
        x, y, weights = (*data, None)[:3]
        mixed = None if mixing is None else mixing(x, model.optimizer.iterations, number)
        part = None if sharing is None else sharing.part(y.shape[0])
        whole = (x if mixed is None else mixed.x, y, weights)
        own_x, own_y, own_weights = whole if part is None else part.of(whole)
        with tf.GradientTape() as tape, _as_one_batch(sharing, part):
            outputs, prediction = self._outputs(own_x)
            loss = self._loss(own_x, own_y, outputs, own_weights)
            if mixed is not None:  # the loss by both targets of a row, each by its share, as its authors compute it
                others = (mixed.other(y), None if weights is None else mixed.other(weights))
                other_y, other_weights = others if part is None else part.of(others)
                other = self._loss(own_x, other_y, outputs, other_weights)
                loss = mixed.share * loss + (1.0 - mixed.share) * other
            if part is not None:
                loss = part.share * loss
            scaled = model.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_weights)
        if sharing is not None and part is not None:
            gradients, loss, predicted = _of_all(sharing, part, gradients, loss, prediction())

            def prediction() -> tf.Tensor:
                return predicted

        model.metrics[0].update_state(loss, sample_weight=tf.shape(y)[0])
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


def _as_one_batch(sharing: Sharing | None, part: Part | None) -> AbstractContextManager[None]:
    return nullcontext() if sharing is None or part is None else sharing.as_one_batch(part)


def _of_all(
    sharing: Sharing, part: Part, gradients: Sequence[Any], loss: tf.Tensor, predictions: tf.Tensor
) -> tuple[list[tf.Tensor | None], tf.Tensor, tf.Tensor]:
    """Return the gradients, the loss and the predictions of the whole batch, from those that each worker has."""
    dense = [None if each is None else tf.convert_to_tensor(each) for each in gradients]
    known = [each for each in dense if each is not None]
    sent = [tf.cast(each, "float32") for each in (*known, loss, part.placed(predictions))]
    *sums, loss, predictions = (
        tf.cast(each, before.dtype)
        for each, before in zip(sharing.summed(sent), (*known, loss, predictions), strict=True)
    )
    rest = iter(sums)
    return [None if each is None else next(rest) for each in dense], loss, predictions


def _rows(tensor: tf.Tensor, first: tf.Tensor, count: int) -> tf.Tensor:
    """Return `count` rows of a tensor; the number is static, so that the shapes of layers are."""
    return tf.ensure_shape(tensor[first : first + count], (count, *tensor.shape[1:]))
