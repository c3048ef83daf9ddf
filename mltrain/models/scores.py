"""What a model computes before the activation of its head: the quantity whose parts and whose gradient mean something
also where a probability is 1.0 to the last digit. Imports TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf


def scores(model: keras.Model, x: tf.Tensor) -> tf.Tensor:
    """Return what goes into the activation of the head, float32 `(batch, outputs)`.

    Args:
        model: layers on each other, which end in a Dense layer, or in an activation behind one (`models/head.py`).
        x: encoded rows `(batch, …)`.
    """
    *below, head = model.layers
    for layer in below:
        x = layer(x, training=False)
    x = tf.cast(x, tf.float32)
    if not isinstance(head, keras.layers.Dense):
        return x
    x = tf.matmul(x, tf.convert_to_tensor(head.kernel))
    return x if head.bias is None else x + tf.convert_to_tensor(head.bias)


def score(model: keras.Model, x: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    """Return one number a row, float32 `(batch,)`.

    Of several classes it is the logit of the chosen one minus the mean of all: the same number can be added to all
    logits of a row and changes no probability, so one logit alone means nothing. For binary it is the logit of the
    positive class, for numbers the output before its activation.

    Args:
        model: as for `scores`.
        x: encoded rows `(batch, …)`.
        chosen: a class for each row, int32 `(batch,)`; it matters with several classes only.
    """
    found = scores(model, x)
    if found.shape[-1] == 1:
        return found[:, 0]
    return tf.gather(found, chosen, axis=1, batch_dims=1) - tf.reduce_mean(found, axis=1)
