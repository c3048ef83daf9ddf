"""A count by itself: its deviance, and what is not a count."""

import numpy as np
import pytest
from sklearn.metrics import mean_poisson_deviance

from mltrain.outputs import number_kind
from mltrain.outputs.count import poisson_deviances


@pytest.mark.parametrize("mean", [0.05, 3, 5000])
def test_the_deviance_is_that_of_scikit_learn(mean):
    draw = np.random.default_rng(1)
    expected = mean * np.exp(draw.normal(size=500))
    counts = draw.poisson(expected).astype(float)
    found = poisson_deviances(counts, expected)
    assert found.mean() == pytest.approx(mean_poisson_deviance(counts, expected), rel=1e-12)
    assert (found >= -1e-9).all()


def test_a_perfect_prediction_has_no_deviance_and_a_prediction_of_0_a_finite_one():
    assert poisson_deviances(np.array([0.0, 3.0]), np.array([0.0, 3.0])) == pytest.approx([0, 0], abs=1e-30)
    (found,) = poisson_deviances(np.array([2.0]), np.array([0.0], np.float32))
    assert 100 < found < 1000


def test_a_count_is_whole_and_not_negative():
    refused, expected = number_kind("count").refused(np.array([0.0, 1.0, 1e15, -1.0, 0.5, -0.0]))
    assert refused.tolist() == [False, False, False, True, True, False]
    assert expected == "a whole number of 0 or more"
    assert number_kind("regression").refused(np.array([-0.5])) is None
