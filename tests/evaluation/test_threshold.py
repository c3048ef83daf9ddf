"""The threshold for an aim: the best of all there are, held against scikit-learn's metrics at every one of them."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import metrics as sklearn_metrics

from mltrain.evaluation.threshold import choose_threshold
from mltrain.evaluation.threshold_aim import ThresholdAim
from mltrain.outputs import KINDS


def rows(seed, n=60, digits=2):
    """Return targets and float32 scores that are somewhat right; few digits give ties."""
    draw = np.random.default_rng(seed)
    target = draw.integers(0, 2, n)
    target[:2] = 0, 1
    return target, np.round((target * 0.3 + draw.random(n) * 0.7), digits).astype(np.float32)


def everywhere(target, scores, measure):
    """Return the measure of the decisions of every threshold that decides differently: 0, and just above each score."""
    thresholds = [0.0, *(np.unique(scores).astype(np.float64) + 1e-6)]
    return {each: measure(target, KINDS["binary"].decide(scores, each)) for each in thresholds}


def cost(target, predicted):
    return float(np.mean(np.where(predicted == target, 0, np.where(target == 1, 5.0, 1.0))))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("aim", "measure"),
    [
        (ThresholdAim(aim="f1"), sklearn_metrics.f1_score),
        (ThresholdAim(aim="balanced_accuracy"), sklearn_metrics.balanced_accuracy_score),
        (ThresholdAim(aim="cost", false_positive=1.0, false_negative=5.0), lambda *pair: -cost(*pair)),
    ],
    ids=["f1", "balanced_accuracy", "cost"],
)
def test_no_threshold_is_better(aim, measure, seed):
    target, scores = rows(seed)
    choice = choose_threshold(aim, target, scores)
    sign = -1 if aim.aim == "cost" else 1
    assert sign * choice.value == pytest.approx(max(everywhere(target, scores, measure).values()))
    assert sign * choice.value == pytest.approx(measure(target, KINDS["binary"].decide(scores, choice.threshold)))
    assert sign * choice.usual == pytest.approx(measure(target, KINDS["binary"].decide(scores, 0.5)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("at", [0.3, 0.6, 0.75, 1.0])
@pytest.mark.parametrize("aim", ["recall", "precision"])
def test_no_threshold_that_meets_the_condition_is_better(aim, at, seed):
    target, scores = rows(seed)
    measures = {"recall": sklearn_metrics.recall_score, "precision": sklearn_metrics.precision_score}
    other = "precision" if aim == "recall" else "recall"

    def both(target, predicted):
        return tuple(measures[name](target, predicted, zero_division=0) for name in (other, aim))

    choice = choose_threshold(ThresholdAim(aim=aim, **{f"at_{other}": at}), target, scores)
    tried = everywhere(target, scores, both)
    met = [value for condition, value in tried.values() if condition >= at]
    assert choice.reached == bool(met)
    assert choice.nearest == pytest.approx(max(condition for condition, _ in tried.values()))
    found = both(target, KINDS["binary"].decide(scores, choice.threshold))
    assert choice.value == pytest.approx(found[1])
    if met:
        assert found[0] >= at
        assert choice.value == pytest.approx(max(met))
    else:
        assert found[0] == pytest.approx(choice.nearest)


@pytest.mark.parametrize(("second", "expected"), [(0.5, 0.35), (0.3, 0.7)])
def test_of_equally_good_ones_the_nearest_to_one_half(second, expected):
    # One false alarm between the second and the third score, one miss between the third and the last.
    aim = ThresholdAim(aim="cost", false_positive=1.0, false_negative=1.0)
    choice = choose_threshold(aim, np.array([0, 1, 0, 1]), np.array([0.2, second, 0.6, 0.8]))
    assert choice.value == 0.25
    assert choice.threshold == pytest.approx(expected)


def test_all_and_none_are_thresholds_too():
    costly_miss = ThresholdAim(aim="cost", false_positive=1.0, false_negative=100.0)
    costly_alarm = ThresholdAim(aim="cost", false_positive=100.0, false_negative=1.0)
    target, scores = np.array([1, 0, 0, 1, 0]), np.array([0.2, 0.4, 0.6, 0.8, 1.0])
    threshold = choose_threshold(costly_miss, target, scores).threshold
    assert threshold == pytest.approx(0.1)
    assert KINDS["binary"].decide(scores, threshold).all()
    threshold = choose_threshold(costly_alarm, target, scores).threshold
    assert threshold == 1.0
    assert not KINDS["binary"].decide(scores, threshold).any()


def test_a_score_of_0_is_above_no_threshold():
    aim = ThresholdAim(aim="precision", at_recall=1.0)
    choice = choose_threshold(aim, np.array([1, 0, 1]), np.array([0.0, 0.5, 1.0]))
    assert (choice.reached, choice.nearest) == (False, 0.5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neighbouring_floats_are_told_apart(dtype):
    low = dtype(0.7)
    scores = np.array([low, np.nextafter(low, dtype(1))])
    choice = choose_threshold(ThresholdAim(aim="f1"), np.array([0, 1]), scores)
    assert choice.value == 1.0
    assert KINDS["binary"].decide(scores, choice.threshold).tolist() == [0, 1]


def test_one_class_and_nan_are_refused():
    with pytest.raises(ValueError, match="one class"):
        choose_threshold(ThresholdAim(aim="f1"), np.ones(3, int), np.array([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="NaN"):
        choose_threshold(ThresholdAim(aim="f1"), np.array([0, 1]), np.array([0.1, np.nan]))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"aim": "recall"}, "the aim recall needs at_precision"),
        ({"aim": "cost", "false_positive": 1.0}, "the aim cost needs false_negative"),
        ({"aim": "f1", "at_recall": 0.5}, "it is for the aim precision, but the aim is f1"),
        ({"aim": "accuracy"}, "'f1'"),
        ({"aim": "recall", "at_precision": 1.5}, "less than or equal to 1"),
    ],
)
def test_an_aim_says_what_it_needs(keys, said):
    with pytest.raises(ValidationError, match=said):
        ThresholdAim(**keys)
