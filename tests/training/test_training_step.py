"""A step of several batches is that of one large batch, and mixed and smoothed targets are those of their formulas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.keras_api.components import make
from mltrain.training.feed import ResidentFeed
from mltrain.training.label_smoothing import SmoothedLoss
from mltrain.training.loop import CompiledSteps
from mltrain.training.member_steps import MemberSteps
from mltrain.training.mix import Mix
from mltrain.training.mixing import Mixing
from mltrain.training.progress import Chunks
from mltrain.training.training_step import StepParts, TrainingStep

ROWS = 43  # updates of 16, 16 and 11 rows: with batches of 5 the last ones of each are smaller
X = np.random.default_rng(1).normal(size=(ROWS, 4)).astype("float32")
Y = np.random.default_rng(2).integers(0, 3, ROWS).astype("int32")
WEIGHTS = np.random.default_rng(3).uniform(0, 2, ROWS).astype("float32")


def dense():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(5, "tanh", kernel_regularizer=keras.regularizers.L2(0.1))(inputs)
    return keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))


def embedded():
    inputs = keras.Input((4,))
    places = keras.layers.Lambda(lambda x: tf.cast(tf.abs(x) * 2, "int32") % 6)(inputs)
    hidden = keras.layers.Flatten()(keras.layers.Embedding(6, 3)(places))
    return keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))


def members():
    inputs = keras.Input((4,))
    scores = keras.layers.EinsumDense("bf,mfu->bmu", (3, 3), bias_axes="mu", name="members")(inputs)
    mean = keras.layers.GlobalAveragePooling1D()(scores)
    return keras.Model(inputs, keras.layers.Activation("softmax", name="head")(mean))


def compiled(build):
    keras.utils.set_random_seed(5)
    model = build()
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model._symbolic_build(data_batch=(keras.KerasTensor((2, 4)), keras.KerasTensor((2,), dtype="int32")))
    return model


def step_of(model, parts):
    if any(layer.name == "members" for layer in model.layers):
        return MemberSteps(model, model.get_layer("members"), model.get_layer("head"), parts)
    return TrainingStep(model, parts)


def trained(build, batch, weighted, epochs=2):
    """Return the weights and the metrics after some epochs with updates of 16 rows."""
    model = compiled(build)
    arrays = (X, Y, WEIGHTS) if weighted else (X, Y)
    loop = CompiledSteps(model, ResidentFeed(arrays), 16, step=step_of(model, StepParts(batch=batch)))
    for epoch in range(epochs):
        for _ in loop.epoch(np.random.default_rng(epoch).permutation(ROWS).astype(np.int32), Chunks()):
            pass
    assert int(model.optimizer.iterations) == 3 * epochs
    return model.get_weights(), loop.metrics()


@pytest.mark.parametrize("build", [dense, embedded, members])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("batch", [4, 5])
def test_several_batches_are_one_large_batch(build, weighted, batch):
    weights, metrics = trained(build, batch, weighted)
    expected, known = trained(build, None, weighted)
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert metrics == pytest.approx(known, abs=1e-5)


def test_a_step_of_ours_is_that_of_keras():
    model, other = compiled(dense), compiled(dense)
    data = tf.constant(X), tf.constant(Y), tf.constant(WEIGHTS)
    TrainingStep(model)(data)
    other.train_step(data)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))
    assert model.get_metrics_result() == other.get_metrics_result()


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_is_the_mean_of_two_rows_by_a_share_that_the_update_decides(alpha):
    mixing = Mixing(Mix(type="mixup", alpha=alpha), seed=7)
    found = mixing(tf.constant(X), 3, tf.constant(0))
    share, places = float(found.share), found.places.numpy()
    assert sorted(places) == list(range(ROWS))
    np.testing.assert_allclose(found.x, share * X + (1 - share) * X[places], atol=1e-6)
    again = Mixing(Mix(type="mixup", alpha=alpha), seed=7)(tf.constant(X), tf.constant(3), tf.constant(0))
    assert np.array_equal(again.x, found.x)
    others = [mixing(tf.constant(X), 4, tf.constant(0)), mixing(tf.constant(X), 3, tf.constant(1))]
    assert len({share, *(float(each.share) for each in others)}) == 3
    assert np.array_equal(found.other(tf.constant(Y)), Y[places])
    assert np.array_equal(found.larger(tf.constant(Y)), Y if share >= 0.5 else Y[places])


def test_shares_are_those_of_a_beta_distribution():
    mixing = Mixing(Mix(type="mixup", alpha=0.4), seed=1)
    draw = tf.function(lambda update: mixing(tf.zeros((2, 1)), update, tf.constant(0)).share)
    shares = np.array([float(draw(tf.constant(update))) for update in range(3000)])
    # The mean and the variance of Beta(a, a): 1/2, and 1 / (4 (2 a + 1)).
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(1 / (4 * 1.8), rel=0.05)


def test_cutmix_replaces_a_box_and_counts_its_pixels():
    images = tf.constant(np.arange(6, dtype="float32")[:, None, None, None] * np.ones((1, 8, 10, 3), "float32"))
    mixing = Mixing(Mix(type="cutmix"), seed=3)
    for update in range(20):
        found = mixing(images, update, tf.constant(0))
        places = found.places.numpy()
        for row, image in enumerate(found.x.numpy()):
            own = image[:, :, 0] == row
            if places[row] == row:
                continue
            assert np.all(image[:, :, 0][~own] == places[row])
            assert own.mean() == pytest.approx(float(found.share), abs=1e-6)
            down, across = np.where(~own)  # what is not its own is one box
            assert (~own).sum() == (np.ptp(down) + 1) * (np.ptp(across) + 1) if len(down) else True


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_loss_of_mixed_rows_is_that_of_mixed_one_hot_classes(weights):
    """The two losses by their shares are the loss of targets that are mixed, where all rows weigh alike."""
    model, other = compiled(dense), compiled(dense)
    mixing = Mixing(Mix(type="mixup"), seed=7)
    data = (tf.constant(X), tf.constant(Y), *(() if weights is None else (tf.constant(weights),)))
    TrainingStep(model, StepParts(mixing=mixing))(data)
    mixed = mixing(tf.constant(X), 0, tf.constant(0))
    share, places = float(mixed.share), mixed.places.numpy()
    weight = np.ones(ROWS) if weights is None else weights
    one_hot = np.eye(3)[Y] * weight[:, None]
    soft = (share * one_hot + (1 - share) * one_hot[places]).astype("float32")
    with tf.GradientTape() as tape:
        p = other(mixed.x, training=True)
        loss = -tf.reduce_mean(tf.reduce_sum(soft * tf.math.log(p), axis=1)) + tf.add_n(other.losses)
    other.optimizer.apply(tape.gradient(loss, other.trainable_weights), other.trainable_weights)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
    assert float(model.get_metrics_result()["loss"]) == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_smoothed_class_numbers_are_the_smoothed_one_hot_classes_of_keras(weights):
    model = compiled(dense)
    p = tf.nn.softmax(tf.constant(np.random.default_rng(4).normal(size=(ROWS, 3)).astype("float32")))
    smoothed = SmoothedLoss(model, make("loss", "SparseCategoricalCrossentropy"), "class numbers", 3, 0.1)
    theirs = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model(X)
    found = float(smoothed(X, tf.constant(Y), p, weights)) - float(tf.add_n(model.losses))
    assert found == pytest.approx(float(theirs(np.eye(3)[Y], p, sample_weight=weights)), rel=1e-5)


@pytest.mark.parametrize("loss", ["BinaryCrossentropy", "BinaryFocalCrossentropy"])
def test_a_smoothed_yes_or_no_is_that_of_keras(loss):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    y = (Y[:, None] > 0).astype("float32")
    p = model(X)
    theirs = getattr(keras.losses, loss)(label_smoothing=0.2)(y, p)
    found = SmoothedLoss(model, make("loss", loss), "zero or one", 1, 0.2)(X, tf.constant(y), p, None)
    assert float(found) == pytest.approx(float(theirs), rel=1e-5)
