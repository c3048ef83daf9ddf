"""Metrics of several targets against scikit-learn, and their intervals against what they promise."""

import numpy as np
import pytest
import sklearn.metrics as sk

from mltrain.evaluation.catalogue import DEFAULTS, F1, R2, Accuracy, HammingLoss, LogLoss, Rmse, RocAuc
from mltrain.evaluation.differences import paired_difference
from mltrain.evaluation.intervals import intervals
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.own_metrics import METRICS
from mltrain.evaluation.several import SeveralRows, draw_sums, from_sums, rows_of
from mltrain.evaluation.split_results import metric_results, output_results

NAMES = ("rain", "wind", "fog")
AVERAGES = ("auto", "micro", "weighted", "samples")


def labels(generator, rows):
    """Return labels that depend on each other, and probabilities that know something of them."""
    hidden = generator.normal(size=(rows, 1)) + generator.normal(size=(rows, 3))
    scores = hidden + generator.normal(size=(rows, 3)) - [0.0, 0.8, -0.5]
    return (hidden > [0.0, 0.8, -0.5]).astype(np.int64), 1 / (1 + np.exp(-scores))


def numbers(generator, rows):
    target = generator.normal(size=(rows, 3)) * [1.0, 100.0, 0.01] + [0.0, 500.0, 1.0]
    return target, target + generator.normal(size=(rows, 3)) * [0.3, 50.0, 0.01]


def of_tasks(task):
    return [spec() for spec in METRICS.specs.values() if task in spec.tasks]


def of_labels():
    averaged = [
        METRICS.specs[name](average=average)
        for name in ("precision", "recall", "f1")
        for average in (*AVERAGES, "macro")
    ]
    return [*averaged, *(metric for metric in of_tasks("multilabel") if not hasattr(metric, "average"))]


@pytest.mark.parametrize("seed", range(5))
def test_labels_are_measured_as_by_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    target, probabilities = labels(generator, 60)
    target[:5] = 0  # rows without a label, where the samples average is 0 / 0
    if seed == 1:
        probabilities[:, 1] = 0.1  # a label that is never predicted
    decided = (probabilities > 0.5).astype(int)
    found = measure(of_labels(), rows_of("multilabel", target, probabilities, NAMES))[0]
    expected = {
        "accuracy": sk.accuracy_score(target, decided),
        "hamming_loss": sk.hamming_loss(target, decided),
        "roc_auc": sk.roc_auc_score(target, probabilities, average="macro"),
        "pr_auc": sk.average_precision_score(target, probabilities, average="macro"),
        "log_loss": np.mean([sk.log_loss(*pair) for pair in zip(target.T, probabilities.T, strict=True)]),
        "brier": np.mean([sk.brier_score_loss(*pair) for pair in zip(target.T, probabilities.T, strict=True)]),
    }
    scores = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
    for kind, score in scores.items():
        for average in ("macro", "micro", "weighted", "samples"):
            expected[f"{kind}_{average}"] = score(target, decided, average=average, zero_division=0)
        expected[kind] = expected[f"{kind}_macro"]
    assert found == pytest.approx(expected, abs=1e-12, rel=0)


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_measured_as_by_scikit_learn(seed):
    target, predictions = numbers(np.random.default_rng(seed), 50)
    found = measure(of_tasks("multiregression"), rows_of("multiregression", target, predictions))[0]
    expected = {
        "mse": sk.mean_squared_error(target, predictions),
        "rmse": sk.root_mean_squared_error(target, predictions),
        "mae": sk.mean_absolute_error(target, predictions),
        "median_absolute_error": sk.median_absolute_error(target, predictions),
        "mape": sk.mean_absolute_percentage_error(target, predictions),
        "quantile_loss": sk.mean_pinball_loss(target, predictions),
        "r2": sk.r2_score(target, predictions),
        "explained_variance": sk.explained_variance_score(target, predictions),
    }
    del found["smape"], found["mase"]  # scikit-learn has none
    assert found == pytest.approx(expected, abs=0, rel=1e-12)


@pytest.mark.parametrize(("task", "sample", "names"), [("multilabel", labels, NAMES), ("multiregression", numbers, ())])
def test_each_target_is_measured_as_if_it_were_alone(task, sample, names):
    target, predictions = sample(np.random.default_rng(3), 80)
    metrics = DEFAULTS[task]
    found = output_results(metrics, rows_of(task, target, predictions, names), NAMES, 7, 15)
    assert list(found) == list(NAMES)
    for place, name in enumerate(NAMES):
        alone = "binary" if names else "regression"
        measured = found[name].metrics
        stated = [METRICS.specs[each]() for each in measured]
        classes = ("no", "yes") if names else ()
        expected = metric_results(stated, rows_of(alone, target[:, place], predictions[:, place], classes), seed=7)
        assert measured == expected
        assert all(each.low <= each.value <= each.high for each in measured.values())
    if names:
        assert set(found["rain"].metrics) == {spec.name for spec in (*DEFAULTS["binary"], METRICS.specs["brier"]())}
        assert np.trace(found["rain"].confusion_matrix) == ((predictions[:, 0] > 0.5) == target[:, 0]).sum()
        assert found["rain"].calibration.bins


@pytest.mark.parametrize(
    ("task", "sample", "metrics"),
    [
        (
            "multilabel",
            labels,
            [Accuracy(), HammingLoss(), *(F1(average=each) for each in AVERAGES), RocAuc(), LogLoss()],
        ),
        ("multiregression", numbers, [R2(), Rmse()]),
    ],
)
def test_of_1000_intervals_95_percent_hold_the_truth(task, sample, metrics):
    names = NAMES if task == "multilabel" else ()
    truth = measure(metrics, rows_of(task, *sample(np.random.default_rng(0), 200_000), names))[0]
    generator, hits = np.random.default_rng(1), dict.fromkeys(truth, 0)
    for seed in range(1000):
        for name, each in intervals(metrics, rows_of(task, *sample(generator, 150), names), seed=seed).items():
            hits[name] += each.low <= truth[name] <= each.high
    shares = {name: count / 1000 for name, count in hits.items()}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares


def test_rows_that_are_twice_there_as_one_group_are_no_more_rows():
    target, probabilities = labels(np.random.default_rng(5), 200)
    twice, groups = np.repeat(np.arange(200), 2), np.repeat(np.arange(200), 2)
    metrics = [HammingLoss(), F1(), RocAuc()]
    once = intervals(metrics, rows_of("multilabel", target, probabilities, NAMES), seed=0)
    rows = rows_of("multilabel", target[twice], probabilities[twice], NAMES)
    grouped, alone = (intervals(metrics, rows, seed=0, groups=each) for each in (groups, None))
    for name, each in once.items():
        width = each.high - each.low
        assert grouped[name].high - grouped[name].low == pytest.approx(width, rel=0.15)
        assert alone[name].high - alone[name].low < 0.8 * width
    both = [output_results(metrics, rows, NAMES, 0, 10, each)["rain"].metrics["f1"] for each in (groups, None)]
    assert both[1].high - both[1].low < 0.8 * (both[0].high - both[0].low)


def test_draws_of_two_models_share_their_weights():
    target, probabilities = labels(np.random.default_rng(5), 100)
    decided = probabilities > 0.5
    first, second = draw_sums(target == 1, (decided, decided), seed=3, draws=20)
    # But for the row of the prior, in which the two may differ.
    assert np.abs(first - second).max() < 0.05 < np.ptp(first[:, 1])
    assert len(np.unique(from_sums(HammingLoss(), first))) == 20
    rows = rows_of("multilabel", target, probabilities, NAMES)
    for metric in (Accuracy(), HammingLoss(), F1(), RocAuc()):
        same = paired_difference(metric, rows, rows, seed=1)
        assert same.value == 0 and -0.03 < same.low <= 0 <= same.high < 0.03
        worse = paired_difference(metric, rows, rows_of("multilabel", target, 1 - probabilities, NAMES), seed=1)
        assert worse.low > 0 if metric.direction == "max" else worse.high < 0


def test_all_rows_right_has_an_interval_that_doubts_it():
    target, _ = labels(np.random.default_rng(5), 60)
    rows = rows_of("multilabel", target, target.astype(float), NAMES)
    found = intervals([HammingLoss(), F1(), Accuracy()], rows, seed=0)
    assert found["hamming_loss"].low == 0 < found["hamming_loss"].high < 0.05
    assert found["f1"].low < 1 == found["f1"].high
    assert found["accuracy"].low < 0.95


def test_a_label_that_no_row_has_leaves_the_areas_without_a_value():
    target, probabilities = labels(np.random.default_rng(5), 50)
    target[:, 2] = 0
    assert measure([RocAuc(), F1()], rows_of("multilabel", target, probabilities, NAMES))[1] == {
        "roc_auc": "no rows are of class 'fog'"
    }


def test_more_labels_than_fit_a_word_are_counted_the_same():
    generator = np.random.default_rng(2)
    target, probabilities = generator.integers(0, 2, (70, 40)), generator.random((70, 40))
    names = [str(number) for number in range(40)]
    found = measure([F1(average="samples"), Accuracy()], rows_of("multilabel", target, probabilities, names))[0]
    decided = probabilities > 0.5
    assert found["f1_samples"] == pytest.approx(sk.f1_score(target, decided, average="samples"), abs=1e-12)
    rows = rows_of("multilabel", target, probabilities, names)
    assert intervals([HammingLoss()], rows, seed=0)["hamming_loss"].low > 0.4


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"one shape \(rows, targets\)"):
        SeveralRows.of("multilabel", np.zeros((4, 2)), np.zeros((4, 3)), ("a", "b"))
