"""The lessons against the plain TensorFlow and Keras code that they come from, on the same rows."""

import csv
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.model_selection import train_test_split

from tests.conftest import CONFIGS

STUDENTS = [[4, 6], [5, 7], [2, 8], [1, 3], [3, 4], [0, 5], [1, 1], [2, 4], [3, 5], [5, 5], [0, 4], [4, 4]]
PASSED = [1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 1]


def line_by_gradient_tape():
    """The hand-written loop: y = slope x + intercept by gradient descent."""
    np.random.seed(42)
    x = np.random.rand(100).astype(np.float32)
    y = (2 * x + 1 + np.random.normal(0, 0.1, 100)).astype(np.float32)
    x_train, _, y_train, _ = train_test_split(x, y, test_size=0.2, random_state=42)
    slope, intercept = tf.Variable(0.0), tf.Variable(0.0)
    for _ in range(200):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(slope * x_train + intercept - y_train))
        gradients = tape.gradient(loss, [slope, intercept])
        slope.assign_sub(0.1 * gradients[0])
        intercept.assign_sub(0.1 * gradients[1])
    return float(slope.numpy()), float(intercept.numpy())


def test_the_line_is_that_of_the_gradient_tape(mltrain, tmp_path):

    done = mltrain("train", CONFIGS / "linear_regression.yaml", "--run-dir", tmp_path / "run", "--quiet")
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())["coefficients"]
    slope, intercept = line_by_gradient_tape()
    assert (slope, intercept) == (pytest.approx(1.8870, abs=5e-5), pytest.approx(1.0509, abs=5e-5))
    assert found["slope"] == pytest.approx(slope, abs=1e-5)
    assert found["intercept"] == pytest.approx(intercept, abs=1e-5)


def test_the_history_of_the_twelve_students_is_that_of_keras(mltrain, tmp_path):
    done = mltrain("train", CONFIGS / "pass_fail.yaml", "--run-dir", tmp_path / "run", "--quiet")
    assert done.code == 0, done.err
    with (tmp_path / "run" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    ours = {name: [float(row[f"train.{name}"]) for row in rows] for name in ("loss", "accuracy")}

    keras.utils.set_random_seed(42)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    theirs = {"loss": [], "accuracy": []}
    for epoch in range(1, 11):
        order = np.random.default_rng([42, epoch]).permutation(12)
        x, y = np.array(STUDENTS, np.float32)[order], np.array(PASSED, np.float32)[order]
        history = model.fit(x, y, batch_size=32, epochs=1, shuffle=False, verbose=0).history
        for name in theirs:
            theirs[name] += history[name]
    assert ours == theirs
