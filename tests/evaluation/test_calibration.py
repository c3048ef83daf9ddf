"""Calibration: closed forms, and the temperature against a general minimiser and against the truth."""

import numpy as np
import pytest
from scipy import optimize, special

from mltrain.evaluation.calibration import calibration, fit_temperature, tempered


def test_the_error_is_the_weighted_distance_of_the_bins():
    # Two bins of 10 rows: 3 of 10 where 0.2 is said, 9 of 10 where 0.7 is said.
    scores = np.repeat([0.2, 0.7], 10)
    target = np.array([1] * 3 + [0] * 7 + [1] * 9 + [0])
    found = calibration("binary", target, scores, 15)
    assert [(each.low, each.high, each.n, each.share) for each in found.bins] == [
        (0.2, 0.2, 10, 0.3),
        (0.7, 0.7, 10, 0.9),
    ]
    assert found.ece == pytest.approx((0.1 + 0.2) / 2)
    deviations = [np.sqrt(0.2 * 0.8 / 10), np.sqrt(0.7 * 0.3 / 10)]
    assert found.perfect == pytest.approx(np.sqrt(2 / np.pi) * np.mean(deviations))


def test_of_several_classes_the_predicted_one_counts():
    predictions = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]] * 10)
    target = np.array([0, 0] * 10)  # the first is always right, the second never
    (one,) = calibration("multiclass", target, predictions, 1).bins
    assert (one.low, one.high, one.share) == (0.6, 0.7, 0.5)
    assert one.mean == pytest.approx(0.65)


def test_the_bins_hold_equally_many_rows():
    draw = np.random.default_rng(0)
    scores = draw.beta(5, 1, 1500)
    found = calibration("binary", (draw.random(1500) < scores).astype(int), scores, 15)
    assert [each.n for each in found.bins] == [100] * 15
    assert all(one.high < other.low for one, other in zip(found.bins, found.bins[1:], strict=False))


def test_the_order_of_the_rows_does_not_matter_and_equal_scores_stay_together():
    draw = np.random.default_rng(1)
    scores, target = draw.integers(1, 4, 300) / 4, draw.integers(0, 2, 300)
    order = draw.permutation(300)
    found = calibration("binary", target, scores, 15)
    assert found == calibration("binary", target[order], scores[order], 15)
    assert [each.low for each in found.bins] == [0.25, 0.5, 0.75]
    assert len(calibration("binary", np.array([1, 0] * 100), np.full(200, 0.5), 15).bins) == 1


@pytest.mark.parametrize(("rows", "bins"), [(5, 1), (19, 1), (20, 2), (149, 14), (10_000, 15)])
def test_few_rows_have_few_bins(rows, bins):
    scores = np.linspace(0.1, 0.9, rows)
    assert len(calibration("binary", np.arange(rows) % 2, scores, 15).bins) == bins


def test_perfect_is_what_right_probabilities_give_on_average():
    draw = np.random.default_rng(2)
    scores = draw.random(600)
    found = [calibration("binary", (draw.random(600) < scores).astype(int), scores, 15) for _ in range(400)]
    assert np.mean([each.ece for each in found]) == pytest.approx(found[0].perfect, rel=0.03)


def classes_of(logits, seed):
    """Return classes drawn with the probabilities of logits (n, classes)."""
    return (logits + np.random.default_rng(seed).gumbel(size=logits.shape)).argmax(axis=1)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_of_several_classes_is_found(true):
    logits = np.random.default_rng(0).normal(size=(20_000, 4)) * 2
    target = classes_of(logits / true, 1)
    predictions = special.softmax(logits, axis=1).astype(np.float32)
    found = fit_temperature("multiclass", target, predictions)

    def loss(temperature):
        scaled = special.log_softmax(logits / temperature, axis=1)
        return -scaled[np.arange(len(target)), target].mean()

    best = optimize.minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9})
    assert found.value == pytest.approx(best.x, rel=1e-4)
    assert found.value == pytest.approx(true, rel=0.05)
    assert found.after == pytest.approx(best.fun, rel=1e-6)
    assert found.before == pytest.approx(loss(1.0), rel=1e-6)
    assert found.significant == (true != 1.0)


@pytest.mark.parametrize("true", [0.4, 3.0])
def test_the_temperature_of_two_classes_is_found(true):
    logits = np.random.default_rng(0).normal(size=20_000) * 2
    target = (np.random.default_rng(1).random(20_000) < special.expit(logits / true)).astype(int)
    found = fit_temperature("binary", target, special.expit(logits).astype(np.float32).reshape(-1, 1))
    best = optimize.minimize_scalar(
        lambda t: np.mean(np.logaddexp(0, np.where(target == 1, -logits, logits) / t)),
        bounds=(0.05, 20),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert found.value == pytest.approx(best.x, rel=1e-4)


def test_rows_that_are_all_right_have_no_temperature():
    found = fit_temperature("binary", np.array([0, 1, 1]), np.array([0.2, 0.8, 0.9]))
    assert (found.value, found.significant) == (None, False)
    assert found.before == found.after
    assert fit_temperature("binary", np.array([1, 0]), np.array([0.2, 0.8])).value is None  # all wrong


def test_probabilities_of_exactly_0_and_1_are_no_obstacle():
    predictions = np.array([0.0, 1.0, 1.0, 0.3, 0.6], np.float32)
    found = fit_temperature("binary", np.array([0, 1, 1, 1, 0]), predictions)
    assert np.isfinite(found.value)
    assert np.isfinite(found.after)
    several = np.array([[1.0, 0.0], [0.0, 1.0], [0.4, 0.6]], np.float32)
    assert np.isfinite(tempered("multiclass", several, 3.0)).all()


def test_tempered_probabilities_are_those_of_divided_logits():
    logits = np.random.default_rng(0).normal(size=(50, 3)) * 4
    found = tempered("multiclass", special.softmax(logits, axis=1), 1.7)
    assert found == pytest.approx(special.softmax(logits / 1.7, axis=1), abs=1e-12)
    assert tempered("binary", special.expit(logits[:, 0]), 1.7) == pytest.approx(special.expit(logits[:, 0] / 1.7))


@pytest.mark.parametrize("temperature", [0.3, 5.0])
def test_the_order_stays(temperature):
    near_half = np.float32(0.5) + np.arange(100, dtype=np.float32) * np.float32(6e-8)
    probabilities = np.unique(np.concatenate([near_half, np.float32([1e-30, 1e-20, 1e-8, 1e-3, 0.9, 0.999])]))
    assert (np.diff(tempered("binary", probabilities, temperature)) > 0).all()
