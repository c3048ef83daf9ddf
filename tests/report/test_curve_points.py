"""The points of curves: those of scikit-learn; thinned, the same line."""

import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve, precision_score, recall_score, roc_curve

from mltrain.report.curve_points import precision_recall_points, reliability, roc_points, threshold_points
from mltrain.report.worst import worst, wrongness


def draw(n, seed=0, digits=2):
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.3
    return positive, np.clip(np.round(random.normal(0.4 + 0.2 * positive, 0.2), digits), 0, 1)


@pytest.mark.parametrize("n", [5, 60, 250])
def test_roc_is_that_of_scikit_learn(n):
    positive, scores = draw(n)
    wrong, right, _ = roc_curve(positive, scores, drop_intermediate=False)
    ours = roc_points(positive, scores)
    np.testing.assert_allclose(ours, (wrong, right), atol=1e-12)


@pytest.mark.parametrize("n", [5, 60, 250])
def test_precision_and_recall_are_those_of_scikit_learn(n):
    positive, scores = draw(n)
    precision, recall, _ = precision_recall_curve(positive, scores)
    ours = precision_recall_points(positive, scores)
    # It begins with the smallest threshold, and adds a point that none has.
    np.testing.assert_allclose(ours, (recall[-2::-1], precision[-2::-1]), atol=1e-12)


@pytest.mark.parametrize("points", [roc_points, precision_recall_points])
def test_a_thinned_curve_has_the_same_area(points):
    positive, scores = draw(20_000, digits=12)
    x, y = points(positive, scores)
    assert len(x) <= 302
    if points is roc_points:
        whole = roc_curve(positive, scores)[:2]
    else:
        precision, recall, _ = precision_recall_curve(positive, scores)
        whole = recall[:-1], precision[:-1]
    assert auc(x, y) == pytest.approx(auc(*whole), abs=0.004)


def test_thresholds_are_those_of_scikit_learn():
    positive, scores = draw(300)
    found = threshold_points(positive, scores)
    for at in (0, 40, 100, 137):
        predicted = scores > found.threshold[at]
        assert found.recall[at] == pytest.approx(recall_score(positive, predicted))
        assert found.precision[at] == pytest.approx(precision_score(positive, predicted))
        both = found.precision[at] + found.recall[at]
        assert found.f1[at] == pytest.approx(2 * found.precision[at] * found.recall[at] / both)
    assert np.isnan(found.precision[-1])
    assert found.recall[-1] == found.f1[-1] == 0


def test_reliability_says_how_often_what_was_said_came_true():
    found = reliability(np.array([0.0, 0.05, 0.72, 0.78, 1.0]), np.array([False, True, True, False, True]))
    np.testing.assert_allclose(found.said, [0.025, 0.75, 1.0])
    np.testing.assert_allclose(found.came_true, [0.5, 0.5, 1.0])
    assert found.rows.tolist() == [2, 2, 1]


def test_the_worst_rows_come_first():
    assert worst(np.array([1, 0, 1]), np.array([0.9, 0.8, 0.3]), 2).tolist() == [1, 2]
    assert worst(np.array([1.0, 2.0, 3.0]), np.array([1.0, np.nan, -5.0]), 9).tolist() == [1, 2, 0]
    probabilities = np.array([[0.2, 0.8], [0.9, 0.1]])
    np.testing.assert_allclose(wrongness(np.array([0, 0]), probabilities), [0.8, 0.1])
