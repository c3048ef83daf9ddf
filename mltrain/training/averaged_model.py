"""A model with averaged weights, and with statistics of batch normalization that fit them. Imports TensorFlow.

Averaged weights were never used in a step: the moving averages of the layers are those of other activations. So, as the
paper of stochastic weight averaging asks, one pass over the training rows measures them again: the mean over its
batches of what each batch has, weighted by its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mltrain.training.feed import Feed, gathered
from mltrain.training.weights import put_weights, take_weights


def put_average(
    model: keras.Model,
    mean: Mapping[str, np.ndarray],
    feed: Feed,
    batch_size: int,
    between_batches: Callable[[], None] = lambda: None,
) -> None:
    """Give a model the averaged weights: those that are trained; the others stay what they are.

    Args:
        model: compiled and built.
        mean: of each weight, by its place.
        feed: of the training rows.
        batch_size: rows in one batch of the training.
        between_batches: called after each batch; it may raise, to stop.
    """
    trained = {id(variable) for variable in model.trainable_variables}
    weights = take_weights(model)
    for (place, now), variable in zip(weights.items(), model.weights, strict=True):
        if id(variable) in trained:
            weights[place] = mean[place].astype(now.dtype)
    put_weights(model, weights, "the averaged weights")
    measure_statistics_again(model, feed, batch_size, between_batches)


def measure_statistics_again(
    model: keras.Model, feed: Feed, batch_size: int, between_batches: Callable[[], None] = lambda: None
) -> None:
    """Set the moving statistics of all layers of batch normalization that are trained; nothing else is changed.

    The rows pass in their order, with dropout and augmentation as in training.

    Args:
        model: built.
        feed: of the training rows.
        batch_size: rows in one batch; the last may have fewer.
        between_batches: called after each; it may raise, to stop.
    """
    kind = keras.layers.BatchNormalization
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, kind) and layer.trainable]
    if not layers:
        return

    @tf.function(autograph=False)
    def run(batch: Any, share_before: tf.Tensor) -> None:
        with _momentum(layers, share_before):  # this is Python, which runs only while it is traced
            model(batch, training=True)

    before, order = take_weights(model), np.arange(feed.rows, dtype=np.int32)
    steps = -(-feed.rows // batch_size)
    window = feed.window(order, 0, steps)
    for step in range(steps):
        if step >= window.end:
            window = feed.window(order, step, steps - step)
        place, done = (step - window.first) * batch_size, step * batch_size
        rows = window.places[place : place + batch_size]
        batch = gathered(window.tensors[0], rows)
        run(batch, tf.constant(done / (done + len(rows)), tf.float32))
        between_batches()
    # Some layers change their weights in a training step, as SpectralNormalization does.
    statistics = {id(each) for layer in layers for each in (layer.moving_mean, layer.moving_variance)}
    measured = zip(take_weights(model).items(), model.weights, strict=True)
    after = {place: array if id(variable) in statistics else before[place] for (place, array), variable in measured}
    put_weights(model, after, "the statistics of batch normalization")


@contextmanager
def _momentum(layers: Sequence[keras.layers.BatchNormalization], value: tf.Tensor) -> Iterator[None]:
    """While inside, the layers keep this share of the statistics so far at each batch."""
    kept = [(layer, layer.momentum, layer.renorm) for layer in layers]
    try:
        for layer in layers:
            layer.momentum = tf.cast(value, keras.backend.result_type(layer.compute_dtype, "float32"))
            layer.renorm = False
        yield
    finally:
        for layer, momentum, renorm in kept:
            layer.momentum, layer.renorm = momentum, renorm
