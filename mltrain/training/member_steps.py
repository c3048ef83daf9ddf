"""A step of a model with several members: each has a loss of its own. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from mltrain.training.training_step import StepParts, TrainingStep


class MemberSteps(TrainingStep):
    """Steps of a model whose prediction is the mean of members.

    The loss is the mean of those of the members, and not that of their mean, so that each learns the whole task:
    members that are trained to be right only together are no better than one network (Gorishniy et al., TabM, 2024). A
    row counts as one row for each member, so that every loss and every weight of a row means what it always does. A
    row may have a weight for each network, `(batch, networks)`, whose members then share it.

    Args:
        model: compiled and built.
        members: its layer that gives the scores of each member `(batch, members, units)`.
        head: turns scores `(batch, units)` into predictions.
        parts: what a step does besides.
    """

    def __init__(
        self, model: keras.Model, members: keras.Layer, head: keras.Layer, parts: StepParts | None = None
    ) -> None:
        super().__init__(model, parts)
        self._scores = keras.Model(model.input, members.output)
        self._members = members.output.shape[1]
        self._head = head

    def _outputs(self, x: Any) -> tuple[tf.Tensor, Callable[[], tf.Tensor]]:
        scores = self._scores(x, training=True)
        outputs = self._head(tf.reshape(scores, (-1, scores.shape[2])))
        return outputs, lambda: self._head(tf.reduce_mean(scores, axis=1))

    def _as_outputs(self, y: tf.Tensor, weights: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor | None]:
        count = self._members
        return tf.repeat(y, count, axis=0), None if weights is None else _of_members(weights, count)


def _of_members(weights: tf.Tensor, members: int) -> tf.Tensor:
    """Return the weight of each row for each member, `(batch * members,)`."""
    of_networks = tf.reshape(weights, (-1, 1 if weights.shape.rank == 1 else weights.shape[1]))
    return tf.reshape(tf.repeat(of_networks, members // of_networks.shape[1], axis=1), (-1,))
