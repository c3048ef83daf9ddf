"""Targets that are not quite sure, in the loss of the training alone. Imports TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mltrain.keras_api.build import build
from mltrain.keras_api.components import KerasComponent, make
from mltrain.outputs.kind import TargetForm


class SmoothedLoss:
    """A loss that moves a share of each target to all classes alike (Szegedy et al., Rethinking the Inception
    architecture, 2016): `(1 - share) * y + share / classes`. A yes or no moves towards one half, as in Keras.

    Args:
        model: compiled.
        loss: of Keras.
        form: of the targets.
        classes: how many there are.
        share: that is moved.
    """

    def __init__(self, model: keras.Model, loss: KerasComponent, form: TargetForm, classes: int, share: float) -> None:
        self._model = model
        self._classes = classes if form in ("one-hot", "class numbers") else 2
        self._numbers = form == "class numbers"
        if self._numbers:  # a class number cannot be smoothed: the same loss of one-hot classes
            same = {name: value for name, value in loss.changed().items() if name in ("from_logits", "reduction")}
            loss = make("loss", "CategoricalCrossentropy", **same)
        self._loss = build(loss)
        self._share = share

    def __call__(self, x: Any, y: tf.Tensor, outputs: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
        """Return the loss of some rows, with what layers add to it."""
        if self._numbers:
            y = tf.one_hot(tf.reshape(y, (-1,)), self._classes)
        soft = (1.0 - self._share) * tf.cast(y, tf.float32) + self._share / self._classes
        loss = self._loss(soft, outputs, sample_weight=weights)
        return loss + ops.sum([ops.sum(each) for each in self._model.losses]) if self._model.losses else loss
