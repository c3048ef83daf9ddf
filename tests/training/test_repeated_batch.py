"""Steps on one batch, against Keras' own `train_on_batch` and a GradientTape."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.training.acceleration import UNACCELERATED
from mltrain.training.repeated_batch import RepeatedBatch

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
Y = X[:, :1] * 2


def made(*layers, optimizer="adam"):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1)])
    model.compile(optimizer, "mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def dense(**arguments):
    return keras.layers.Dense(4, activation="relu", **arguments)


def test_losses_are_those_of_keras_and_their_parts_add_up():
    ours, theirs = (made(dense(kernel_regularizer=keras.regularizers.L2(0.1))) for _ in range(2))
    theirs.set_weights(ours.get_weights())
    batch = RepeatedBatch(ours, (X, Y), UNACCELERATED)
    assert batch.rows == 6
    first, second = batch.run(3), batch.run(2)
    seen = np.concatenate([first.losses, second.losses])
    wanted, added = [], []
    for _ in range(5):
        added.append(0.1 * float(np.sum(theirs.layers[0].get_weights()[0] ** 2)))
        theirs.reset_metrics()
        wanted.append(theirs.train_on_batch(X, Y))
    assert seen == pytest.approx(wanted, rel=1e-6)
    assert np.concatenate([first.additions, second.additions]) == pytest.approx(added, rel=1e-5)
    assert first.of_rows == pytest.approx(first.losses - first.additions)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert mine == pytest.approx(other, abs=1e-6)


def test_gradients_are_those_before_the_update():
    model = made(dense())
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(X, training=True) - Y) ** 2)
    wanted = [float(np.abs(each).max()) for each in tape.gradient(loss, [v.value for v in model.trainable_variables])]
    assert RepeatedBatch(model, (X, Y), UNACCELERATED).run(1).gradients[0] == pytest.approx(wanted, rel=1e-5)


def test_a_dead_layer_has_no_gradient_and_a_frozen_one_is_not_asked():
    dead = made(dense(bias_initializer=keras.initializers.Constant(-100.0)))
    assert RepeatedBatch(dead, (X, Y), UNACCELERATED).run(2).gradients[:, :2] == pytest.approx(np.zeros((2, 2)))
    frozen = made(dense(trainable=False))
    assert RepeatedBatch(frozen, (X, Y), UNACCELERATED).run(2).gradients.shape == (2, 2)


def test_rows_that_count_more_and_a_model_without_weights_to_train():
    weighted, plain = made(), made()
    plain.set_weights(weighted.get_weights())
    heavy = RepeatedBatch(weighted, (X, Y, np.full(6, 2, np.float32)), UNACCELERATED).run(1)
    assert heavy.losses[0] == pytest.approx(2 * RepeatedBatch(plain, (X, Y), UNACCELERATED).run(1).losses[0])
    model = made()
    model.trainable = False
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        assert RepeatedBatch(model, (X, Y), UNACCELERATED).run(2).gradients.shape == (2, 0)
