"""Rows that count differently: values as scikit-learn's with `sample_weight`, and intervals that hold what they
promise."""

import itertools
import math

import numpy as np
import pytest
from sklearn import metrics as sk

from mltrain.evaluation.calibration import calibration, fit_temperature
from mltrain.evaluation.catalogue import (
    F1,
    R2,
    Accuracy,
    BalancedAccuracy,
    LogLoss,
    Mae,
    Mcc,
    MedianAbsoluteError,
    Mse,
    PrAuc,
    Precision,
    QuantileLoss,
    Recall,
    RocAuc,
    TopKAccuracy,
)
from mltrain.evaluation.differences import paired_difference
from mltrain.evaluation.influence import DERIVATIVES
from mltrain.evaluation.interval_forms import Z, student_t, wilson
from mltrain.evaluation.intervals import class_intervals, intervals
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.own_metrics import METRICS
from mltrain.evaluation.rows import Rows
from mltrain.evaluation.several import rows_of
from mltrain.evaluation.split_results import class_results, metric_results
from mltrain.evaluation.threshold import choose_threshold
from mltrain.evaluation.threshold_aim import ThresholdAim
from mltrain.evaluation.weighting import effective, share, sign_test
from tests.evaluation.test_intervals import CLASSES, metrics_for, sample

AVERAGES = ("macro", "micro", "weighted")


def weighted_sample(task, generator, n):
    """Rows whose weights say something of them: heavy ones are harder to predict."""
    target, predictions = sample(task, generator, n)
    weights = generator.gamma(2.0, size=n)
    if task == "regression":
        predictions = predictions + 0.15 * (weights - 2) * generator.normal(size=n)
        return target, predictions, weights
    hard = generator.random(n) < np.minimum(weights / 12, 0.5)
    other, _ = sample(task, generator, n)
    return np.where(hard, other, target), predictions, weights


def rows_with(task, target, predictions, weights):
    return rows_of(task, target, predictions, CLASSES[task], weights=weights)


def of_scikit_learn(task, metric, target, predictions, weights):
    decided = predictions > 0.5 if task == "binary" else predictions
    decided = predictions.argmax(axis=1) if task == "multiclass" else decided
    average = getattr(metric, "average", None)
    average = ("binary" if task == "binary" else "macro") if average == "auto" else average
    of_decisions = {
        "accuracy": sk.accuracy_score,
        "balanced_accuracy": sk.balanced_accuracy_score,
        "mcc": sk.matthews_corrcoef,
        "cohen_kappa": sk.cohen_kappa_score,
    }
    of_averages = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
    if metric.type in of_decisions:
        return of_decisions[metric.type](target, decided, sample_weight=weights)
    if metric.type in of_averages:
        return of_averages[metric.type](target, decided, average=average, sample_weight=weights, zero_division=0)
    if metric.type in ("roc_auc", "pr_auc"):
        function = sk.roc_auc_score if metric.type == "roc_auc" else sk.average_precision_score
        if task == "binary":
            return function(target, predictions, sample_weight=weights)
        each = range(predictions.shape[1])
        return np.mean([function(target == one, predictions[:, one], sample_weight=weights) for one in each])
    others = {
        "log_loss": sk.log_loss,
        "mse": sk.mean_squared_error,
        "rmse": sk.root_mean_squared_error,
        "mae": sk.mean_absolute_error,
        "median_absolute_error": sk.median_absolute_error,
        "mape": sk.mean_absolute_percentage_error,
        "poisson_deviance": sk.mean_poisson_deviance,
        "quantile_loss": sk.mean_pinball_loss,
        "r2": sk.r2_score,
        "explained_variance": sk.explained_variance_score,
    }
    if metric.type in others:
        more = {"alpha": metric.quantile} if metric.type == "quantile_loss" else {}
        return others[metric.type](target, predictions, sample_weight=weights, **more)
    if metric.type == "top_k_accuracy":
        return sk.top_k_accuracy_score(target, predictions, k=metric.k, sample_weight=weights)
    if metric.type == "brier":
        several = task == "multiclass"
        errors = ((predictions - np.eye(4)[target]) ** 2).sum(axis=1) if several else (predictions - target) ** 2
        return np.average(errors, weights=weights)
    assert metric.type == "smape"
    return np.average(2 * np.abs(predictions - target) / (np.abs(target) + np.abs(predictions)), weights=weights)


@pytest.mark.parametrize("kind", ["any", "whole", "with ties"])
@pytest.mark.parametrize("task", [*CLASSES, "count"])
def test_values_are_those_of_scikit_learn(task, kind):
    generator = np.random.default_rng(7)
    if task == "count":
        target, predictions = generator.poisson(3, 300), generator.gamma(3, size=300)
        weights, classes = generator.gamma(2.0, size=300), ()
    else:
        (target, predictions, weights), classes = weighted_sample(task, generator, 300), CLASSES[task]
    if kind == "whole":
        weights = np.ceil(weights)
    if kind == "with ties" and task != "multiclass":
        predictions = predictions.round(1)
    if task == "binary":
        predictions = predictions.clip(0.01, 0.99)
    metrics = [TopKAccuracy(k=2) if metric.type == "top_k_accuracy" else metric for metric in metrics_for(task)]
    averaged = (Precision, Recall, F1) if task in ("binary", "multiclass") else ()
    metrics += [each(average=average) for each, average in itertools.product(averaged, AVERAGES)]
    metrics += [QuantileLoss(quantile=0.9)] if not averaged else []
    ours = measure(metrics, rows_of(task, target, predictions, classes, weights=weights))[0]
    for metric in metrics:
        expected = of_scikit_learn(task, metric, target, predictions, weights)
        assert ours[metric.name] == pytest.approx(expected, rel=1e-12, abs=1e-12), metric.name


@pytest.mark.parametrize("task", list(CLASSES))
def test_equal_weights_change_nothing_but_the_last_digits(task):
    target, predictions = sample(task, np.random.default_rng(3), 250)
    plain = rows_of(task, target, predictions, CLASSES[task])
    weighted = rows_with(task, target, predictions, np.full(250, 0.3))
    metrics = [TopKAccuracy(k=2) if each.type == "top_k_accuracy" else each for each in metrics_for(task)]
    for one, other in ((measure(metrics, each)[0] for each in (plain, weighted)),):
        assert one == pytest.approx(other, rel=1e-12)
    one, other = (intervals(metrics, each, seed=1) for each in (plain, weighted))
    assert one.keys() == other.keys()
    for name, each in one.items():
        wide = each.high - each.low
        # Draws are others; the quantiles of a median have no places between the rows.
        near = 0.2 * wide if name in ("balanced_accuracy", "mcc", "cohen_kappa", "median_absolute_error") else 1e-9
        near = 0.2 * wide if task == "multiclass" and name in ("precision", "recall", "f1") else near
        assert (other[name].low, other[name].high) == pytest.approx((each.low, each.high), abs=near), name


@pytest.mark.parametrize("task", list(CLASSES))
def test_rows_of_weight_0_are_no_rows(task):
    generator = np.random.default_rng(9)
    target, predictions, weights = weighted_sample(task, generator, 200)
    strange, wrong = weighted_sample(task, generator, 50)[:2]
    groups = np.arange(250)
    metrics = [each for each in metrics_for(task) if each.type != "top_k_accuracy"]
    whole = rows_with(
        task, np.concatenate([target, strange]), np.concatenate([predictions, wrong]), [*weights, *[0] * 50]
    )
    part = rows_with(task, target, predictions, weights)
    for given in (None, groups):
        one = metric_results(metrics, whole, seed=1, groups=given)
        other = metric_results(metrics, part, seed=1, groups=None if given is None else groups[:200])
        for name, each in one.items():
            values = (other[name].value, other[name].low, other[name].high)
            # With groups the draws of the rows that count are others.
            assert (each.value, each.low, each.high) == pytest.approx(values, rel=1e-9 if given is None else 0.08), name


@pytest.mark.parametrize("task", list(CLASSES))
def test_the_size_of_the_weights_does_not_matter(task):
    target, predictions, weights = weighted_sample(task, np.random.default_rng(5), 120)
    metrics = metrics_for(task)
    one, other = (
        metric_results(metrics, rows_with(task, target, predictions, weights * size), seed=2) for size in (1, 1e6)
    )
    for name, each in one.items():
        values = (other[name].value, other[name].low, other[name].high)
        assert (each.value, each.low, each.high) == pytest.approx(values, rel=1e-9), name


@pytest.mark.parametrize(
    ("task", "name"),
    [
        *(("binary", name) for name in ("roc_auc", "pr_auc", "log_loss", "brier")),
        *(("regression", name) for name in ("mse", "rmse", "mae", "r2", "explained_variance", "quantile_loss")),
    ],
)
def test_the_derivative_is_that_by_the_weight_of_a_row(task, name):
    target, predictions, weights = weighted_sample(task, np.random.default_rng(4), 60)
    if task == "binary":
        predictions = predictions.round(1).clip(0.05, 0.95)  # with ties
    metric = METRICS.specs[name]()
    ours = DERIVATIVES[name](metric, rows_with(task, target, predictions, weights))
    rows = np.full(60, effective(weights))
    if name in ("roc_auc", "pr_auc"):
        of_class = [effective(weights * (target == number)) for number in (0, 1)]
        rows = np.array(of_class)[target] if name == "roc_auc" else np.full(60, of_class[1])
    for row in range(60):
        changes = []
        for step in (1e-4, -1e-4):
            changed = weights.copy()
            changed[row] *= 1 + step
            changes.append(of_scikit_learn(task, metric, target, predictions, changed))
        unbiased = math.sqrt(rows[row] / (rows[row] - 1))
        assert ours[row] == pytest.approx((changes[0] - changes[1]) / 2e-4 * unbiased, rel=1e-4, abs=1e-7)


def test_the_effective_number_of_rows():
    assert effective(np.full(7, 3.0)) == pytest.approx(7)
    assert effective(np.array([1.0, 1, 0, 0])) == pytest.approx(2)
    assert effective(np.array([1e200, 1e-200])) == pytest.approx(1)
    assert effective(np.zeros(3)) == 0


def test_a_share_without_an_error_has_the_interval_of_the_effective_rows():
    weights = np.array([4.0] * 10 + [1.0] * 40)
    found = share(np.ones(50, bool), weights)
    rows = 80**2 / (160 + 40)
    least = rows / (1 + (1 - rows / 50) * ((student_t(4) / Z) ** 2 - 1))
    assert (found.low, found.high) == pytest.approx((least / (least + Z**2), 1.0), rel=1e-9)
    alike = share(np.arange(50) > 3, np.full(50, 0.1))
    assert (alike.low, alike.high) == pytest.approx((wilson(46, 50).low, wilson(46, 50).high), rel=1e-9)
    assert share(np.ones(3, bool), np.zeros(3)) is None


def test_the_sign_test_is_that_of_all_ways_to_choose_sides():
    a, b = np.array([1, 1, 1, 0, 1, 1], bool), np.array([0, 0, 0, 1, 1, 1], bool)
    weights = np.array([3, 2, 1, 1, 9, 9.0])
    sums = [abs(sum(signs)) for signs in itertools.product(*((-each, each) for each in (3, 2, 1, 1)))]
    assert sign_test(a, b, weights, None) == pytest.approx(np.mean([each >= 5 for each in sums]))
    assert sign_test(a, a, weights, None) == 1
    assert sign_test(a, b, weights, np.zeros(6, int)) == 1
    many = np.random.default_rng(1).random(400) < 0.6
    assert sign_test(many, ~many, np.ones(400), None) == pytest.approx(
        math.erfc(abs(2 * many.sum() - 400) / math.sqrt(800))
    )


def test_classes_are_weighted_and_their_rows_are_counted():
    target, predictions, weights = weighted_sample("multiclass", np.random.default_rng(8), 200)
    rows = rows_with("multiclass", target, predictions, weights)
    table = class_results([RocAuc()], rows)
    decided = predictions.argmax(axis=1)
    for kind, function in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)):
        expected = function(target, decided, average=None, sample_weight=weights)
        found = [getattr(each, kind) for each in table.values()]
        assert [each.value for each in found] == pytest.approx(expected.tolist(), rel=1e-12)
        assert all(each.low < each.value < each.high for each in found)
    assert [each.n for each in table.values()] == np.bincount(target).tolist()
    of_class = sk.roc_auc_score(target == 2, predictions[:, 2], sample_weight=weights)
    assert table["c"].metrics["roc_auc"].value == pytest.approx(of_class, rel=1e-12)
    drawn = class_intervals(rows, np.arange(200), seed=0)["recall"]
    for one, each in zip(drawn, table.values(), strict=True):
        assert one.high - one.low == pytest.approx(each.recall.high - each.recall.low, rel=0.35)


METRICS_OF = {
    "binary": (Accuracy(), F1(), Precision(), Recall(), RocAuc(), PrAuc(), LogLoss(), Mcc(), F1(average="macro")),
    "multiclass": (Accuracy(), TopKAccuracy(k=2), BalancedAccuracy(), RocAuc(), LogLoss()),
    "regression": (R2(), Mae(), Mse(), MedianAbsoluteError()),
}


def coverage(task, rows, sets, groups=1):
    metrics = METRICS_OF[task]
    truth = measure(metrics, rows_with(task, *weighted_sample(task, np.random.default_rng(1), 400_000)))[0]
    generator, hits = np.random.default_rng(12), dict.fromkeys(truth, 0)
    for number in range(sets):
        drawn = weighted_sample(task, generator, rows)
        repeated = [np.repeat(each, groups, axis=0) for each in drawn]
        belong = None if groups == 1 else np.repeat(np.arange(rows), groups)
        for name, each in intervals(metrics, rows_with(task, *repeated), seed=number, draws=400, groups=belong).items():
            hits[name] += each.low <= truth[name] <= each.high
    return {name: count / sets for name, count in hits.items()}


@pytest.mark.long
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("task", list(METRICS_OF))
def test_of_1000_intervals_95_percent_hold_the_truth(task, groups):
    """There are 300 rows, which say as much as 200 of one weight."""
    covered = coverage(task, rows=300, sets=1000, groups=groups)
    assert set(covered) == {metric.name for metric in METRICS_OF[task]}
    assert all(0.92 <= each <= 0.975 for each in covered.values()), covered


@pytest.mark.long
def test_of_1000_differences_95_percent_hold_the_truth():
    def pair(generator, n):
        target, first, weights = weighted_sample("binary", generator, n)
        noise = 0.25 * weights * generator.normal(size=n)
        return target, first, 1 / (1 + np.exp(-np.log(first / (1 - first)) - noise)), weights

    metrics = (Accuracy(), F1(), RocAuc(), LogLoss())
    target, *both, weights = pair(np.random.default_rng(0), 400_000)
    first, second = (measure(metrics, rows_with("binary", target, each, weights))[0] for each in both)
    generator, hits = np.random.default_rng(1), dict.fromkeys(first, 0)
    for number in range(1000):
        target, *both, weights = pair(generator, 300)
        a, b = (rows_with("binary", target, each, weights) for each in both)
        for metric in metrics:
            difference = paired_difference(metric, a, b, seed=number, draws=400)
            hits[metric.name] += difference.low <= first[metric.name] - second[metric.name] <= difference.high
    assert all(925 <= count <= 975 for count in hits.values()), hits


def test_whole_weights_are_rows_that_are_repeated():
    """A threshold, a temperature and the bins of a calibration are those of the repeated rows."""
    target, predictions, weights = weighted_sample("binary", np.random.default_rng(6), 300)
    weights = np.ceil(weights).astype(int)
    repeated = [np.repeat(each, weights) for each in (target, predictions)]
    for aim in ({"aim": "f1"}, {"aim": "recall", "at_precision": 0.8}, {"aim": "balanced_accuracy"}):
        found, expected = (
            choose_threshold(ThresholdAim.model_validate(aim), *given)
            for given in ((target, predictions, weights), repeated)
        )
        assert found.value == pytest.approx(expected.value, rel=1e-12)
        assert found.threshold == pytest.approx(expected.threshold, rel=1e-12)
    for task in ("binary", "multiclass"):
        given = target, predictions
        if task == "multiclass":
            given = weighted_sample(task, np.random.default_rng(6), 300)[:2]
        many = [np.repeat(each, weights, axis=0) for each in given]
        found, expected = fit_temperature(task, *given, weights), fit_temperature(task, *many)
        assert (found.value, found.before, found.after) == pytest.approx(
            (expected.value, expected.before, expected.after), rel=1e-9
        )
        found, expected = calibration(task, *given, 5, weights), calibration(task, *many, 5)
        assert found.ece == pytest.approx(expected.ece, rel=1e-9)
        assert [each.share for each in found.bins] == pytest.approx([each.share for each in expected.bins], rel=1e-9)
        assert sum(each.n for each in found.bins) == 300
        assert found.perfect > expected.perfect, "300 rows know less than the repeated ones"


def test_several_targets_have_no_weights():
    with pytest.raises(ValueError, match="several targets are not measured with weights"):
        rows_of("multilabel", np.ones((3, 2)), np.ones((3, 2)), ("a", "b"), weights=np.ones(3))
    assert Rows.of("regression", np.ones(3), np.ones(3), ()).weights is None
