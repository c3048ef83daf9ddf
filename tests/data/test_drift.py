"""The population stability index, against its formula by hand and against chance."""

import numpy as np
import pytest

from mltrain.data.drift import population_stability


def test_equal_shares_are_no_drift():
    found = population_stability(np.full(10, 1000), np.full(10, 1000))
    assert (found.value, found.drift) == (0.0, "none")


def test_the_formula_by_hand():
    found = population_stability(np.array([50, 50]), np.array([80, 20]))
    p, q = 50.5 / 101, 80.5 / 101
    assert found.value == pytest.approx((q - p) * np.log(q / p) + (p - q) * np.log((1 - q) / (1 - p)), rel=1e-12)
    assert found.drift == "large"


def test_an_empty_bin_is_finite_and_one_that_both_lack_is_none():
    one = population_stability(np.array([100, 0, 0]), np.array([0, 100, 0]))
    assert np.isfinite(one.value)
    assert one == population_stability(np.array([100, 0]), np.array([0, 100]))
    assert population_stability(np.array([100, 0]), np.array([50, 0])).value == 0


@pytest.mark.parametrize("bins", [2, 5, 12])
def test_the_quantile_is_that_of_chi_squared(bins):
    from scipy.stats import chi2

    n, m = 1000, 250
    counts = np.full(bins, n // bins), np.full(bins, m // bins)
    found = population_stability(*counts)
    expected = (1 / counts[0].sum() + 1 / counts[1].sum()) * chi2.ppf(0.999, bins - 1)
    assert found.chance == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("rows", [30, 200, 5000])
def test_chance_is_rarely_taken_for_drift(rows):
    draw = np.random.default_rng(0)
    shares = np.full(10, 0.1)
    tries = [population_stability(draw.multinomial(2000, shares), draw.multinomial(rows, shares)) for _ in range(2000)]
    assert sum(each.value > each.chance for each in tries) <= 20  # two are expected, more where bins are almost empty
    assert not [each for each in tries if each.drift != "none" and each.value <= each.chance]


def test_a_shift_of_half_a_deviation_is_seen():
    draw = np.random.default_rng(0)
    edges = np.quantile(draw.normal(size=10_000), np.arange(1, 10) / 10)
    counts = [np.bincount(np.searchsorted(edges, draw.normal(size=2000) + shift), minlength=10) for shift in (0, 0.5)]
    assert population_stability(*counts).drift in ("moderate", "large")
