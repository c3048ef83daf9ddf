"""A step of a model with several members: each has a loss of its own. Imports TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class MemberSteps:
    """Steps of a model whose prediction is the mean of members.

    The loss is the mean of those of the members, and not that of their mean, so that each learns the whole task:
    members that are trained to be right only together are no better than one network (Gorishniy et al., TabM, 2024). A
    row counts as one row for each member, so that every loss and every weight of a row means what it always does. A
    row may have a weight for each network, whose members then share it.

    Args:
        model: compiled and built.
        members: its layer that gives the scores of each member `(batch, members, units)`.
        head: turns scores `(batch, units)` into predictions.
    """

    def __init__(self, model: keras.Model, members: keras.Layer, head: keras.Layer) -> None:
        self._model = model
        self._scores = keras.Model(model.input, members.output)
        self._head = head

    def __call__(self, data: tuple[Any, ...]) -> None:
        """Update the weights by some rows, and the running loss and metrics; called while a graph is traced.

        Args:
            data: `x`, `y` and perhaps `sample_weight`, `(batch,)` or `(batch, networks)`.
        """
        model = self._model
        x, y, weights = (*data, None)[:3]
        with tf.GradientTape() as tape:
            scores = self._scores(x, training=True)
            count, units = scores.shape[1], scores.shape[2]
            outputs = self._head(tf.reshape(scores, (-1, units)))
            loss = model.compute_loss(
                x=x,
                y=tf.repeat(y, count, axis=0),
                y_pred=outputs,
                sample_weight=None if weights is None else _of_members(weights, count),
                training=True,
            )
            model.metrics[0].update_state(loss, sample_weight=tf.shape(y)[0])
            scaled = model.optimizer.scale_loss(loss)
        trained = model.trainable_weights
        model.optimizer.apply_gradients(zip(tape.gradient(scaled, trained), trained, strict=True))
        if weights is not None and weights.shape.rank == 2:
            weights = tf.reduce_mean(weights, axis=1)
        model.compute_metrics(x, y, self._head(tf.reduce_mean(scores, axis=1)), sample_weight=weights)


def _of_members(weights: tf.Tensor, members: int) -> tf.Tensor:
    """Return the weight of each row for each member, `(batch * members,)`."""
    of_networks = tf.reshape(weights, (-1, 1 if weights.shape.rank == 1 else weights.shape[1]))
    return tf.reshape(tf.repeat(of_networks, members // of_networks.shape[1], axis=1), (-1,))
