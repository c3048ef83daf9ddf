"""What a model would say without any knowledge, and with all of it, against numbers by hand and Keras' own losses."""

import keras
import numpy as np
import pytest

from mltrain.task import DataInfo, Input, Output
from mltrain.training.reference_outputs import constant_outputs, knowing_outputs
from tests.known_data import known_data


def test_the_constant_answer_is_the_share_of_each_class_or_the_mean():
    binary = constant_outputs(
        np.float32([[1], [0], [0], [0]]), known_data("binary"), "zero or one", logits=False, weights=None
    )
    assert binary == pytest.approx(np.full((4, 1), 0.25))
    classes = known_data("multiclass", units=3, classes="abc")
    numbers = constant_outputs(np.int32([0, 2, 2, 2]), classes, "class numbers", logits=False, weights=None)
    assert numbers == pytest.approx(np.tile([0.25, 1e-7, 0.75], (4, 1)))
    one_hot = constant_outputs(
        np.eye(3, dtype=np.float32)[[0, 2, 2, 2]], classes, "one-hot", logits=False, weights=None
    )
    assert one_hot == pytest.approx(numbers)
    mean = constant_outputs(np.float32([[1], [4]]), known_data("regression"), "numbers", logits=False, weights=None)
    assert mean == pytest.approx(np.full((2, 1), 2.5))


def test_rows_that_count_more_count_more_in_it():
    y, weights = np.float32([[1], [0]]), np.float32([3, 1])
    assert constant_outputs(y, known_data("binary"), "zero or one", logits=False, weights=weights)[
        0, 0
    ] == pytest.approx(0.75)
    nothing = constant_outputs(y, known_data("binary"), "zero or one", logits=False, weights=0 * weights)
    assert nothing[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("info", "y", "form", "loss"),
    [
        (known_data("binary"), np.float32([[1], [0], [0]]), "zero or one", keras.losses.BinaryCrossentropy),
        (
            known_data("multiclass", units=3, classes="abc"),
            np.int32([0, 2, 2]),
            "class numbers",
            keras.losses.SparseCategoricalCrossentropy,
        ),
    ],
    ids=["binary", "multiclass"],
)
def test_logits_have_the_loss_of_their_probabilities(info, y, form, loss):
    answers = (constant_outputs(y, info, form, logits=logits, weights=None) for logits in (False, True))
    plain, of_logits = (
        float(loss(from_logits=logits)(y, each)) for logits, each in zip((False, True), answers, strict=True)
    )
    assert of_logits == pytest.approx(plain, rel=1e-5)
    known = (list(knowing_outputs(y, info, form, logits=logits)) for logits in (False, True))
    for sure, sure_logits in zip(*known, strict=True):
        assert float(loss(from_logits=True)(y, sure_logits)) == pytest.approx(
            float(loss()(y, sure)), rel=1e-3, abs=1e-6
        )


@pytest.mark.parametrize(
    ("loss", "smallest"),
    [
        (keras.losses.BinaryCrossentropy(), 0.0),
        # Of the smoothed label 0.95, the best is the entropy of 0.95.
        (keras.losses.BinaryCrossentropy(label_smoothing=0.1), -0.95 * np.log(0.95) - 0.05 * np.log(0.05)),
        (keras.losses.MeanSquaredError(), 0.0),
    ],
    ids=["plain", "smoothed", "squares"],
)
def test_the_smallest_loss_of_knowing_is_the_smallest_that_there_is(loss, smallest):
    y = np.float32([[1], [0], [1]])
    answers = knowing_outputs(y, known_data("binary"), "zero or one", logits=False)
    assert min(float(loss(y, each)) for each in answers) == pytest.approx(smallest, abs=1e-4)


def test_a_count_of_zero_and_a_poisson_loss_that_is_negative_have_a_smallest_loss():
    y = np.float32([[0], [9]])
    (first, *_) = knowing_outputs(y, known_data("count"), "counts", logits=False)
    assert float(keras.losses.Poisson()(y, first)) == pytest.approx((9 - 9 * np.log(9)) / 2, abs=1e-4)


def test_targets_of_different_kinds_are_answered_from_the_rows_that_have_them():
    parts = (
        Output("price", "regression", 1),
        Output("kind", "multiclass", 2, ("a", "b")),
        Output("sold", "binary", 1, ("no", "yes")),
    )
    info = DataInfo((Input("table", (2,), "float32"),), (Output("all", "mixed", 4, parts=parts),), 3)
    # Targets, and their weights: the last row has no price, and no row has been sold.
    y = np.float32([[1, 0, 0, 1, 1, 0], [3, 1, 0, 1, 1, 0], [0, 1, 0, 0, 1, 0]])
    answer = constant_outputs(y, info, "beside each other", logits=False, weights=None)
    assert answer == pytest.approx(np.tile([2, 1 / 3, 2 / 3, 1e-7], (3, 1)), abs=1e-6)
    (first, *_) = knowing_outputs(y, info, "beside each other", logits=False)
    assert first == pytest.approx(np.float32([[1, 1, 0, 0], [3, 0, 1, 0], [0, 0, 1, 0]]), abs=1e-6)
