"""Whether a model beats a baseline, in words."""

import math

import numpy as np
import pytest
from scipy import stats

from mltrain.evaluation.catalogue import Accuracy, Mse
from mltrain.evaluation.differences import Difference
from mltrain.evaluation.verdict import Comparison, nothing_held_out, sign_test


def said(model, baseline, low, high, *, rows=114, p_value=0.001, metric=None):
    difference = Difference(model - baseline, low, high)
    metric = metric or Accuracy()
    return Comparison("test", metric, "logistic regression", model, baseline, difference, rows, p_value).sentence()


def test_better_worse_and_not_resolved():
    on = "logistic regression on 114 test rows"
    assert said(0.9, 0.8, 0.05, 0.15) == (
        f"test accuracy: better than {on} (0.900 against 0.800, 95 % interval of the difference 0.050 to 0.150)"
    )
    assert said(0.9, 0.95, -0.08, -0.02) == (
        f"test accuracy: worse than {on} (0.900 against 0.950, 95 % interval of the difference -0.080 to -0.020)"
    )
    assert said(0.947, 0.982, -0.07, 0.01, p_value=0.12) == (
        f"test accuracy: no significant difference from {on} (0.947 against 0.982, p = 0.12)"
    )
    assert said(0.9, 0.9, 0.0, 0.0, p_value=1.0) == f"test accuracy: equal to {on} (0.900 against 0.900)"


def test_of_an_error_less_is_better():
    assert "better than" in said(2.0, 3.0, -1.5, -0.5, metric=Mse(), p_value=None)
    assert "worse than" in said(3.0, 2.0, 0.5, 1.5, metric=Mse(), p_value=None)
    assert said(2.0, 2.1, -0.3, 0.1, metric=Mse(), p_value=None).endswith(
        "(2.000 against 2.100, 95 % interval of the difference -0.300 to 0.100)"
    )


def test_where_interval_and_test_disagree_the_sentence_says_which_decides():
    found = said(0.947, 0.982, -0.077, -0.004, p_value=0.12)
    assert found.endswith("(0.947 against 0.982, p = 0.12 by the exact sign test, which decides where few rows differ)")
    found = said(0.9, 0.86, -0.001, 0.08, p_value=0.04)
    assert found.endswith("95 % interval of the difference -0.001 to 0.080, which includes 0 although p = 0.04)")
    assert "no significant difference" in found


def test_values_that_differ_are_shown_with_digits_that_differ():
    assert "(0.98201 against 0.98204, " in said(0.98201, 0.98204, -0.01, 0.01, p_value=0.9)
    assert "(123457 against 125000, " in said(123_456.7, 125_000.0, -9e3, 9e3, metric=Mse(), p_value=None)


def test_five_rows_tell_nothing():
    assert "too few rows to compare with logistic regression on 5 test rows" in said(1.0, 0.0, 0.5, 1.0, rows=5)
    assert "on 1 test row (" in said(1.0, 0.0, 0.5, 1.0, rows=1)
    assert "better than" in said(1.0, 0.0, 0.5, 1.0, rows=6, p_value=0.03)


def test_what_has_no_value_cannot_be_compared():
    assert "cannot be compared" in said(math.nan, 0.5, math.nan, math.nan)


def test_without_held_out_rows_nothing_can_be_told():
    assert "12 rows are too few to hold some out" in nothing_held_out(12)
    assert "too few" not in nothing_held_out(1000)


@pytest.mark.parametrize(("for_a", "for_b"), [(0, 0), (4, 0), (0, 6), (10, 3), (7, 7), (800, 700)])
def test_the_sign_test_is_scipys(for_a, for_b):
    right_a = np.array([True] * for_a + [False] * for_b + [True] * 50)
    right_b = np.array([False] * for_a + [True] * for_b + [True] * 50)
    expected = stats.binomtest(for_a, for_a + for_b).pvalue if for_a + for_b else 1.0
    assert sign_test(right_a, right_b) == pytest.approx(expected, rel=0.01)
