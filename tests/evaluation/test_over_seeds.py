"""Means over seeds beside those of SciPy, and what they say of two models."""

import numpy as np
import pytest
from scipy import stats

from mltrain.evaluation.catalogue import DEFAULTS
from mltrain.evaluation.over_seeds import over_seeds
from mltrain.evaluation.seed_means import SeedMeans, seed_mean
from mltrain.evaluation.student import t_quantile
from mltrain.run.split_result import Baseline, ClassResult, MetricValue, SliceResult, SplitResult

ONE, OTHER = [0.81, 0.84, 0.79, 0.86, 0.8], [0.7, 0.82, 0.75, 0.78, 0.71]


def half(found):
    return (found.high - found.low) / 2


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 30, 999])
def test_the_quantiles_are_scipys(freedom):
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_the_mean_over_seeds():
    found, expected = seed_mean(ONE), stats.ttest_1samp(ONE, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (found.value, found.std, found.min, found.max) == pytest.approx(
        (np.mean(ONE), np.std(ONE, ddof=1), 0.79, 0.86)
    )


def test_equal_seeds_are_paired():
    found = over_seeds("test.f1", "max", ONE, OTHER, paired=True)
    expected = stats.ttest_rel(ONE, OTHER).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.verdict == "better"
    said = found.sentence("a", "b")
    assert said.startswith("a is better than b: test.f1 is 0.068 higher (95 % interval ")
    assert said.endswith(", means of the same 5 seeds; it covers chance in the training, not other rows")


def test_other_seeds_are_independent():
    mine, theirs = ONE, OTHER[:3]
    found = over_seeds("test.loss", "min", mine, theirs, paired=False)
    parts = [np.var(each, ddof=1) / len(each) for each in (mine, theirs)]
    freedom = sum(parts) ** 2 / sum(part**2 / (len(each) - 1) for part, each in zip(parts, (mine, theirs), strict=True))
    exact = stats.ttest_ind(mine, theirs, equal_var=False).confidence_interval(0.95)
    assert half(found) == pytest.approx(stats.t.ppf(0.975, int(freedom)) * np.sqrt(sum(parts)))
    assert half(found) >= (exact.high - exact.low) / 2  # the degrees of freedom are rounded down
    assert found.verdict == "not resolved"
    assert "means of 5 seeds and 3 seeds" in found.sentence("a", "b")


@pytest.mark.parametrize("turned", [False, True])
def test_one_run_has_no_spread(turned):
    values = ([0.7], ONE) if not turned else (ONE, [0.7])
    found = over_seeds("test.f1", "max", *values, paired=False)
    assert half(found) == pytest.approx(stats.t.ppf(0.975, 4) * np.std(ONE, ddof=1) * np.sqrt(1 + 1 / 5))
    assert found.verdict == ("better" if turned else "worse")
    alone = "b" if turned else "a"
    assert f"the mean of 5 seeds; {alone} has no spread of its own" in found.sentence("a", "b")


def test_no_spread_at_all():
    found = over_seeds("test.f1", "max", [0.5, 0.5], [0.5, 0.5, 0.5], paired=False)
    assert found.verdict == "equal"
    assert found.sentence("a", "b") == "a and b are equal in test.f1 (means of 2 seeds and 3 seeds)"


def part(value, undefined=None, recall=0.5, extra=()):
    known = MetricValue(value=value, undefined=undefined)
    metrics = {"accuracy": known, "loss": MetricValue(value=value)} | dict.fromkeys(extra, known)
    difference = {"accuracy": MetricValue(value=None if value is None else value - 0.9, low=-1.0, high=1.0)}
    return SplitResult(
        n=10,
        metrics=metrics,
        confusion_matrix=((int(10 * (value or 0)), 1), (1, 1)),
        classes={"yes": ClassResult(n=4, recall=MetricValue(value=recall))},
        slices=(SliceResult(slice="a=1", n=5, metrics={"accuracy": known}),),
        baselines={"majority": Baseline(metrics={"accuracy": MetricValue(value=0.9)}, difference=difference)},
    )


def test_every_number_of_a_split_has_its_mean():
    exact = {metric.name: metric for metric in DEFAULTS["binary"]}
    means = SeedMeans((1, 2), exact.get)
    found = means.split([part(1.0, recall=0.25), part(0.9, recall=0.75, extra=["f1"])])
    assert found.metrics.keys() == {"accuracy", "loss"}  # f1 is of one seed only
    assert found.metrics["accuracy"].value == pytest.approx(0.95)
    assert found.metrics["accuracy"].high == 1.0  # no accuracy is above 1; of a loss that is not known
    assert found.metrics["loss"].high > 1.0
    assert found.classes["yes"].metrics["recall"].value == 0.5
    assert found.classes["yes"].n == 4
    assert found.slices[0].metrics["accuracy"].value == pytest.approx(0.95)
    difference = found.baselines["majority"].difference["accuracy"]
    assert difference.value == pytest.approx(0.05)
    assert difference.high > 0.6
    assert found.confusion_matrix == ()


def test_values_that_are_too_large_have_no_mean():
    means = SeedMeans((1, 2), lambda name: None)
    for values in ((1e308, 1.5e308), (1e308, -1.5e308)):
        found = means.value([MetricValue(value=value) for value in values])
        assert (found.value, found.undefined) == (None, "the values are too large for a mean")


def test_a_seed_without_a_value_leaves_no_mean():
    found = SeedMeans((1, 7), lambda name: None).split([part(0.5), part(None, "no row is predicted as yes")])
    assert found.metrics["accuracy"].value is None
    assert found.metrics["accuracy"].undefined == "seed 7: no row is predicted as yes"
