"""Whether a model beats a baseline, in words."""

import math

import numpy as np
import pytest
from scipy import stats

from mltrain.evaluation.catalogue import Accuracy, Mse
from mltrain.evaluation.differences import Difference
from mltrain.evaluation.verdict import Comparison, nothing_held_out, sign_test


def said(model, baseline, low, high, *, rows=100, p_value=0.001, metric=None):
    difference = Difference(model - baseline, low, high)
    metric = metric or Accuracy()
    return Comparison("test", metric, "logistic regression", model, baseline, difference, rows, p_value).sentence()


def test_better_worse_and_not_resolved():
    start = "the test accuracy of 0.9000"
    assert said(0.9, 0.8, 0.05, 0.15) == f"{start} beats the 0.8000 of logistic regression by 0.1000 [0.0500, 0.1500]"
    assert said(0.9, 0.95, -0.08, -0.02) == (
        f"{start} is worse than the 0.9500 of logistic regression by 0.0500 [0.0200, 0.0800]"
    )
    assert said(0.9, 0.89, -0.02, 0.04, p_value=0.7) == (
        f"{start} is no better than the 0.8900 of logistic regression, as far as 100 rows tell: 0.0100 [-0.0200, "
        "0.0400] higher"
    )
    assert said(0.9, 0.9, 0.0, 0.0, p_value=1.0) == f"{start} equals the 0.9000 of logistic regression"


def test_of_an_error_less_is_better():
    assert "beats" in said(2.0, 3.0, -1.5, -0.5, metric=Mse(), p_value=None)
    assert "is worse than" in said(3.0, 2.0, 0.5, 1.5, metric=Mse(), p_value=None)


def test_the_sign_test_overrules_an_interval_of_few_rows():
    assert said(0.9, 0.86, 0.005, 0.08, p_value=0.13).endswith("0.0400 [0.0050, 0.0800] (sign test: p = 0.13) higher")


def test_five_rows_tell_nothing():
    assert "5 rows, too few rows to tell which is better" in said(1.0, 0.0, 0.5, 1.0, rows=5)
    assert "1 row, too few" in said(1.0, 0.0, 0.5, 1.0, rows=1)
    assert "beats" in said(1.0, 0.0, 0.5, 1.0, rows=6, p_value=0.03)


def test_what_has_no_value_cannot_be_compared():
    assert "cannot be compared" in said(math.nan, 0.5, math.nan, math.nan)


def test_without_held_out_rows_nothing_can_be_told():
    assert "12 are too few rows to tell" in nothing_held_out(12)
    assert "too few" not in nothing_held_out(1000)


@pytest.mark.parametrize(("for_a", "for_b"), [(0, 0), (4, 0), (0, 6), (10, 3), (7, 7), (800, 700)])
def test_the_sign_test_is_scipys(for_a, for_b):
    right_a = np.array([True] * for_a + [False] * for_b + [True] * 50)
    right_b = np.array([False] * for_a + [True] * for_b + [True] * 50)
    expected = stats.binomtest(for_a, for_a + for_b).pvalue if for_a + for_b else 1.0
    assert sign_test(right_a, right_b) == pytest.approx(expected, rel=0.01)
