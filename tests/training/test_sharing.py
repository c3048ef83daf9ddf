"""The part of a batch that a worker computes: what is drawn, and the rows that it counts for, belong to the batch."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.training.sharing import Part, Sharing


def some_are_long(kinds, *others):
    """Return kinds for a test, which is long for all but the others."""
    return [kind if kind in others else pytest.param(kind, marks=pytest.mark.long) for kind in kinds]


def alone(rank, count):
    return Sharing(rank, count, lambda values: values)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("rows", [4, 7, 32])
def test_each_row_belongs_to_one_worker(rows, count):
    parts = [alone(rank, count).part(rows) for rank in range(count)]
    assert [row for part in parts for row in range(part.first, part.first + part.own)] == list(range(rows))
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert max(part.own for part in parts) - min(part.own for part in parts) <= 1
    values = tf.reshape(tf.range(rows * 2.0), (rows, 2))
    together = sum(part.placed(part.of(values)) for part in parts)
    np.testing.assert_array_equal(together, values)


def test_fewer_rows_than_workers_are_computed_by_all_and_count_once():
    parts = [alone(rank, 3).part(2) for rank in range(3)]
    assert [part.share for part in parts] == [1.0, 0.0, 0.0]
    assert all((part.first, part.own) == (0, 2) for part in parts)
    assert not np.any(parts[1].placed(tf.ones((2, 4))))


def test_a_structure_with_nothing_in_it_stays_so():
    part = Part(1, 2, 4)
    x, weights = part.of(([tf.range(4), tf.range(4) * 2], None))
    assert (x[0].numpy().tolist(), x[1].numpy().tolist(), weights) == ([1, 2], [2, 4], None)


class SelfAttention(keras.layers.Layer):
    @classmethod
    def made(cls):
        layer = cls()
        layer.attention = keras.layers.MultiHeadAttention(2, 4, dropout=0.5, seed=1)
        return layer

    def build(self, shape):
        self.attention.build(shape, shape)

    def call(self, inputs, training=None):
        return self.attention(inputs, inputs, training=training)


class Flattened(keras.layers.Layer):
    """Draws for rows times members, as a model with members does."""

    def __init__(self, name):
        super().__init__(name=name)
        self.dropout = keras.layers.Dropout(0.5, seed=1)

    def build(self, shape):
        self.dropout.build(shape)

    def call(self, inputs, training=None):
        flat = keras.ops.reshape(inputs, (-1, inputs.shape[-1]))
        return keras.ops.reshape(self.dropout(flat, training=training), inputs.shape)


RANDOM = {
    "Dropout": lambda: keras.layers.Dropout(0.5, seed=1),
    "SpatialDropout1D": lambda: keras.layers.SpatialDropout1D(0.5, seed=1),
    "GaussianNoise": lambda: keras.layers.GaussianNoise(1.0, seed=1),
    "GaussianDropout": lambda: keras.layers.GaussianDropout(0.5, seed=1),
    "AlphaDropout": lambda: keras.layers.AlphaDropout(0.5, seed=1),
    "LSTM": lambda: keras.layers.LSTM(4, dropout=0.5, recurrent_dropout=0.2, seed=1),
    "MultiHeadAttention": SelfAttention.made,
    "flattened": lambda: Flattened(name=None),
}


def outputs_of(make, x, sharing=None):
    """Return what a new layer gives while training, for the rows of a worker or for all."""
    keras.utils.set_random_seed(0)
    layer = make()
    layer.build(x.shape)
    part = None if sharing is None else sharing.part(len(x))

    @tf.function(autograph=False)
    def run(given):
        if part is None:
            return layer(given, training=True)
        with sharing.as_one_batch(part):
            return layer(part.of(given), training=True)

    return run(tf.constant(x)).numpy()


@pytest.mark.parametrize("kind", some_are_long(RANDOM, "Dropout", "LSTM"))
def test_layers_draw_for_the_whole_batch(kind):
    x = np.random.default_rng(0).normal(size=(7, 5, 6)).astype(np.float32)
    whole = outputs_of(RANDOM[kind], x)
    parts = np.concatenate([outputs_of(RANDOM[kind], x, alone(rank, 3)) for rank in range(3)])
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    assert not np.allclose(whole, outputs_of(RANDOM[kind], x[:, ::-1].copy()))


IMAGES = {
    "RandomFlip": lambda: keras.layers.RandomFlip(seed=1),
    "RandomRotation": lambda: keras.layers.RandomRotation(0.2, seed=1),
    "RandomZoom": lambda: keras.layers.RandomZoom(0.3, seed=1),
    "RandomTranslation": lambda: keras.layers.RandomTranslation(0.3, 0.3, seed=1),
    "RandomContrast": lambda: keras.layers.RandomContrast(0.5, seed=1),
    "RandomBrightness": lambda: keras.layers.RandomBrightness(0.5, seed=1),
}


@pytest.mark.parametrize("kind", some_are_long(IMAGES, "RandomFlip"))
def test_images_are_changed_as_in_the_whole_batch(kind):
    x = np.random.default_rng(0).uniform(0, 255, size=(5, 8, 8, 3)).astype(np.float32)
    whole = outputs_of(IMAGES[kind], x)
    parts = np.concatenate([outputs_of(IMAGES[kind], x, alone(rank, 2)) for rank in range(2)])
    np.testing.assert_allclose(parts, whole, atol=1e-3)


def test_what_was_replaced_is_there_again():
    from keras.src.backend.tensorflow import random

    before = (random.normal, random.dropout, keras.layers.BatchNormalization._moments)
    with pytest.raises(ValueError, match="midway"), alone(0, 2).as_one_batch(Part(0, 1, 2)):
        assert random.normal is not before[0]
        raise ValueError("midway")
    assert (random.normal, random.dropout, keras.layers.BatchNormalization._moments) == before
