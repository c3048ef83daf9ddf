"""The logarithm of a target is chosen where both quick fits are clearly better with it."""

import numpy as np
import pytest

from mltrain.evaluation.logarithm import LogarithmTrial, TrialRows, has_long_tail


def trial(of, error="rmse", groups=None, rows=600):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(2 * rows, 3)).astype(np.float32)
    truth = of(x, draw)
    halves = [TrialRows(x[part], x[part], truth[part]) for part in (slice(rows), slice(rows, None))]
    if groups is not None:
        halves[1] = TrialRows(halves[1].encoded, halves[1].values, halves[1].truth, groups(rows))
    return LogarithmTrial(halves[0], halves[1], (False,) * 3, 50, error).result()


def by_factors(x, draw):
    return np.exp(2 * x @ [0.8, 0.5, 0.2] + 0.1 * draw.normal(size=len(x)) + 8)


def by_sums(x, draw):
    return 100 + np.maximum(x @ [8.0, 5.0, 2.0], -90) + draw.exponential(20, size=len(x))


@pytest.mark.parametrize("error", ["rmse", "mae"])
def test_of_a_product_of_factors_it_is(error):
    found = trial(by_factors, error)
    assert found.clear and found.logarithm < found.plain / 2
    assert (found.logarithm_fit, found.plain_fit) == ("ridge regression", "gradient boosting")


def test_of_a_sum_it_is_not_and_the_quick_regression_says_so():
    found = trial(by_sums)
    assert not found.clear and found.plain_fit == found.logarithm_fit == "ridge regression"


def test_errors_are_those_in_the_units_of_the_target():
    one, hundred = trial(by_factors), trial(lambda x, draw: 100 * by_factors(x, draw))
    assert hundred.plain == pytest.approx(100 * one.plain, rel=1e-3)
    assert hundred.logarithm == pytest.approx(100 * one.logarithm, rel=1e-3)


def test_few_groups_show_nothing():
    assert not trial(by_factors, groups=lambda rows: np.arange(rows) % 40).clear
    assert trial(by_factors, groups=lambda rows: np.arange(rows) % 200).clear


def test_what_has_a_long_tail():
    draw = np.random.default_rng(1)
    long = np.exp(draw.normal(size=500))
    assert has_long_tail(long)
    assert not has_long_tail(long - long.min())  # one is 0
    assert not has_long_tail(10 + draw.normal(size=500))
    assert not has_long_tail(np.full(9, 3.0))
