"""The part of metrics.json that is measured on rows: values, intervals, classes."""

import numpy as np
import pytest
from sklearn import metrics as sk

from mltrain.evaluation.catalogue import F1, Accuracy, LogLoss, PrAuc, Precision, Recall, RocAuc
from mltrain.evaluation.interval_forms import wilson
from mltrain.evaluation.several import rows_of
from mltrain.evaluation.split_results import class_results, draw_seed, metric_results
from mltrain.run.split_result import ClassResult

CLASSES = ("a", "b", "c", "d")
ONE_CLASS = (np.ones(9, int), np.linspace(0.1, 0.9, 9), ("no", "yes"))


def several(rows=200):
    generator = np.random.default_rng(0)
    target = generator.integers(0, 3, rows)
    logits = generator.normal(size=(rows, 4)).round(1) + np.eye(4)[target]
    logits[:, 3] -= 10  # neither true nor predicted
    predictions = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return target, predictions


def written(parts):
    """Return parts of the results as they are in metrics.json."""
    return {name: each.as_json() for name, each in parts.items()}


@pytest.mark.parametrize("areas", [(RocAuc(), PrAuc()), (PrAuc(), RocAuc())])
def test_the_areas_of_a_class_are_in_the_order_of_the_config(areas):
    found = class_results(areas, rows_of("multiclass", *several(), CLASSES))["a"]
    assert list(found.as_json()) == ["n", "precision", "recall", "f1", *(metric.name for metric in areas)]
    assert ClassResult.model_validate(found.as_json() | {"of_another_version": {}}) == found
    assert list(found.metrics) == list(found.as_json())[1:]


def test_every_class_is_as_scikit_learn_has_it():
    target, predictions = several()
    table = written(class_results((Accuracy(), RocAuc(), PrAuc()), rows_of("multiclass", target, predictions, CLASSES)))
    assert list(table) == list(CLASSES)
    expected = sk.precision_recall_fscore_support(target, predictions.argmax(axis=1), labels=range(4), zero_division=0)
    for number, name in enumerate(CLASSES[:3]):
        row = table[name]
        found = (row["precision"]["value"], row["recall"]["value"], row["f1"]["value"], row["n"])
        assert found == pytest.approx([column[number] for column in expected], rel=1e-12)
        member, score = target == number, predictions[:, number]
        assert row["roc_auc"]["value"] == pytest.approx(sk.roc_auc_score(member, score), rel=1e-12)
        assert row["pr_auc"]["value"] == pytest.approx(sk.average_precision_score(member, score), rel=1e-12)
        for kind in ("precision", "recall", "f1", "roc_auc", "pr_auc"):
            assert 0 < row[kind]["low"] < row[kind]["value"] < row[kind]["high"] < 1


def test_a_class_without_rows_has_no_intervals():
    target, predictions = several()
    table = written(class_results((RocAuc(),), rows_of("multiclass", target, predictions, CLASSES)))
    nothing = {"value": 0.0}
    undefined = {"value": None, "undefined": "no rows are of class 'd'"}
    assert table["d"] == {"n": 0, "precision": nothing, "recall": nothing, "f1": nothing, "roc_auc": undefined}
    assert "pr_auc" not in table["a"]


def test_of_two_classes_the_positive_one_is_that_of_the_metrics():
    generator = np.random.default_rng(1)
    rows = rows_of("binary", generator.integers(0, 2, 50), generator.random(50), ("no", "yes"))
    metrics = (Precision(), Recall(), F1(), RocAuc())
    table = written(class_results(metrics, rows))
    measured = written(metric_results(metrics, rows, seed=0))
    assert {name: table["yes"][name] for name in ("precision", "recall", "f1")} == {
        name: measured[name] for name in ("precision", "recall", "f1")
    }
    assert set(table["no"]) == {"n", "precision", "recall", "f1"}


def test_a_value_has_an_interval_where_one_is_asked_for():
    rows = rows_of("binary", np.array([0, 1, 1, 0, 1, 0]), np.full(6, 0.6), ("no", "yes"))
    arguments = ((Accuracy(), LogLoss()), rows)
    assert set(written(metric_results(*arguments, seed=None))["accuracy"]) == {"value"}
    interval = wilson(3, 6)
    with_interval = {"value": 0.5, "low": interval.low, "high": interval.high}
    assert written(metric_results(*arguments, seed=0))["accuracy"] == with_interval


def test_what_has_no_value_says_why():
    found = written(metric_results((RocAuc(),), rows_of("binary", *ONE_CLASS), seed=0))
    assert found == {"roc_auc": {"value": None, "undefined": "all rows are of class 'yes'"}}


def test_seeds_follow_from_names_and_stay_what_they_are():
    assert draw_seed(42, "test") == 2953344653
    assert len({draw_seed(seed, name) for seed in (0, 1) for name in ("test", "validation", "sex=\udcff")}) == 6
