"""McNemar's exact test against scipy, and against what can be counted by hand."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from mltrain.evaluation.mcnemar import exact_p_value, mcnemar


@pytest.mark.parametrize(
    ("first", "second"),
    [(0, 0), (0, 1), (1, 0), (3, 3), (1, 9), (0, 20), (12, 30), (130, 171), (499, 501), (2000, 2300), (40000, 40900)],
)
def test_it_is_a_two_sided_binomial_test(first, second):
    expected = binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    assert exact_p_value(first, second) == pytest.approx(expected, rel=1e-8)
    assert exact_p_value(second, first) == exact_p_value(first, second)


def test_what_can_be_counted_by_hand():
    assert exact_p_value(0, 5) == pytest.approx(2 / 2**5, rel=1e-14)
    assert exact_p_value(1, 5) == pytest.approx(2 * (1 + 6) / 2**6, rel=1e-14)
    assert exact_p_value(2, 3) == 1.0


def test_a_share_that_chance_never_gives_underflows_to_nothing():
    assert exact_p_value(0, 5000) == 0.0
    assert math.isfinite(exact_p_value(1, 3000))


def test_only_rows_count_that_one_of_them_alone_has_right():
    first = np.array([True, True, True, False, False, True])
    second = np.array([True, False, False, True, False, True])
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (2, 1)
    assert found.p_value == 1.0
    assert mcnemar(np.tile(first, 50), np.tile(second, 50)).p_value == pytest.approx(binomtest(50, 150).pvalue)
