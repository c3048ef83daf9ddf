"""A step of a model with members is that of its formula: each member by its own loss, each row once for each member."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.training.member_steps import MemberSteps

X = np.random.default_rng(1).normal(size=(6, 2)).astype("float32")
Y = np.array([[0.0], [1.0], [1.0], [0.0], [1.0], [0.0]], "float32")
WEIGHTS = np.array([1.0, 2.0, 0.0, 0.5, 1.0, 1.5], "float32")


def model():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((2,))
    scores = keras.layers.EinsumDense("bf,mfu->bmu", (3, 1), bias_axes="mu", name="members")(inputs)
    mean = keras.layers.GlobalAveragePooling1D()(scores)
    made = keras.Model(inputs, keras.layers.Activation("sigmoid", name="head")(mean))
    made.compile(keras.optimizers.SGD(1.0), "binary_crossentropy", metrics=["accuracy"])
    made._symbolic_build(data_batch=(keras.KerasTensor((2, 2)), keras.KerasTensor((2, 1))))
    return made


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_each_member_moves_by_the_gradient_of_its_own_loss(weights):
    made = model()
    kernel, bias = (each.copy() for each in made.get_layer("members").get_weights())
    data = (tf.constant(X), tf.constant(Y), *(() if weights is None else (tf.constant(weights),)))
    MemberSteps(made, made.get_layer("members"), made.get_layer("head"))(data)
    counts = np.ones(6) if weights is None else weights
    losses = []
    for member in range(3):
        p = 1 / (1 + np.exp(-(X @ kernel[member] + bias[member])))
        # The mean over rows and members of the weighted log losses.
        error = counts[:, None] * (p - Y) / (6 * 3)
        np.testing.assert_allclose(made.get_layer("members").kernel[member], kernel[member] - X.T @ error, atol=1e-5)
        np.testing.assert_allclose(made.get_layer("members").bias[member], bias[member] - error.sum(axis=0), atol=1e-5)
        losses.append((counts[:, None] * -(Y * np.log(p) + (1 - Y) * np.log(1 - p))).mean())
    found = made.get_metrics_result()
    assert float(found["loss"]) == pytest.approx(np.mean(losses), rel=1e-5)
    # The metrics are those of what the model predicts: of the mean, before the step.
    mean = np.mean([X @ kernel[member] + bias[member] for member in range(3)], axis=0)
    assert float(found["accuracy"]) == pytest.approx(((mean > 0) == (Y > 0.5)).mean())
