"""Our formulas against scikit-learn's, over random, tied and degenerate rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from mltrain.evaluation.catalogue import (
    DEFAULTS,
    F1,
    Brier,
    LogLoss,
    Precision,
    QuantileLoss,
    Recall,
    TopKAccuracy,
)
from mltrain.evaluation.counts import confusion_matrix
from mltrain.evaluation.margins import Margins, per_class
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.own_metrics import METRICS
from mltrain.evaluation.several import rows_of
from mltrain.outputs import KINDS

EXACT = pytest.approx
CLASSES = ("a", "b", "c", "d")
# scikit-learn warns where it gives a number for what has none; those cases are told apart below.
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore::UserWarning")
AVERAGED = tuple(
    kind(average=average) for kind in (Precision, Recall, F1) for average in ("macro", "micro", "weighted")
)
FUNCTIONS = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


def metrics_for(task):
    # mase needs to know what the forecasts are of: test_forecast.py
    return tuple(metric() for name, metric in METRICS.specs.items() if task in metric.tasks and name != "mase")


def same(ours, theirs):
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-12, abs=1e-12, nan_ok=True), name


def counted(target, predicted, labels, positive):
    """What scikit-learn says of classes alone."""
    values = {
        "accuracy": sk.accuracy_score(target, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(target, predicted),
        "mcc": sk.matthews_corrcoef(target, predicted),
        "cohen_kappa": sk.cohen_kappa_score(target, predicted, labels=labels),
    }
    # scikit-learn checks its arguments for longer than it counts, so all three come from one call.
    for average in ("binary", "macro", "micro", "weighted") if positive else ("macro", "micro", "weighted"):
        found = sk.precision_recall_fscore_support(target, predicted, zero_division=0, average=average)
        for name, value in zip(("precision", "recall", "f1"), found, strict=False):
            if average == ("binary" if positive else "macro"):
                values[name] = value
            if average != "binary":
                values[f"{name}_{average}"] = value
    return values


def smape(target, predictions):
    """By the definition, a row at a time; scikit-learn has none."""
    sizes = [(abs(t) + abs(p)) / 2 for t, p in zip(target, predictions, strict=True)]
    errors = [abs(t - p) for t, p in zip(target, predictions, strict=True)]
    return sum(error / size if size else 0 for error, size in zip(errors, sizes, strict=True)) / len(target)


# Few distinct scores, so that most rows are tied; few rows, so that classes are missing.
scores = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.500001, 0.9, 1.0]) | st.floats(0, 1)
binary_rows = st.lists(st.tuples(st.integers(0, 1), scores), min_size=1, max_size=30)
multiclass_rows = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any)),
    min_size=1,
    max_size=30,
)
values = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
regression_rows = st.lists(st.tuples(values, values), min_size=2, max_size=30)


@quiet
@given(binary_rows)
@settings(max_examples=150, deadline=None)
def test_binary_equals_scikit_learn(rows):
    target, predictions = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    expected = counted(target, KINDS["binary"].decide(predictions), [0, 1], positive=True) | {
        "roc_auc": sk.roc_auc_score(target, predictions) if len(set(target)) == 2 else math.nan,
        "pr_auc": sk.average_precision_score(target, predictions) if target.any() else math.nan,
        "log_loss": sk.log_loss(target, predictions, labels=[0, 1]),
        "brier": sk.brier_score_loss(target, predictions, pos_label=1),
    }
    rows = rows_of("binary", target, predictions, ("no", "yes"))
    same(measure((*metrics_for("binary"), *AVERAGED), rows)[0], expected)


@quiet
@given(multiclass_rows)
@settings(max_examples=150, deadline=None)
def test_multiclass_equals_scikit_learn(rows):
    target = np.array([row[0] for row in rows])
    predictions = np.array([row[1] for row in rows], np.float64)
    predictions /= predictions.sum(axis=1, keepdims=True)
    members = np.eye(4)[target]
    present = members.any(axis=0)
    expected = counted(target, KINDS["multiclass"].decide(predictions), [0, 1, 2, 3], positive=False) | {
        "roc_auc": sk.roc_auc_score(members, predictions) if present.all() and len(target) > 1 else math.nan,
        "pr_auc": sk.average_precision_score(members, predictions) if present.all() else math.nan,
        "log_loss": sk.log_loss(target, predictions, labels=[0, 1, 2, 3]),
        "brier": sk.brier_score_loss(target, predictions, labels=[0, 1, 2, 3]),
        # Mirrored: scikit-learn gives ties to the last class, we to the first, as argmax does.
        "top_2_accuracy": sk.top_k_accuracy_score(3 - target, predictions[:, ::-1], k=2, labels=[0, 1, 2, 3]),
        "top_k_accuracy": 1.0,
    }
    measured = measure(
        (*metrics_for("multiclass"), *AVERAGED, TopKAccuracy(k=2)), rows_of("multiclass", target, predictions, CLASSES)
    )[0]
    same(measured, expected)


@given(regression_rows)
@settings(max_examples=150, deadline=None)
def test_regression_equals_scikit_learn(rows):
    target, predictions = np.array(rows).T
    expected = {
        "mse": sk.mean_squared_error(target, predictions),
        "rmse": sk.root_mean_squared_error(target, predictions),
        "mae": sk.mean_absolute_error(target, predictions),
        "median_absolute_error": sk.median_absolute_error(target, predictions),
        "mape": sk.mean_absolute_percentage_error(target, predictions),
        "smape": smape(target, predictions),
        "quantile_loss": sk.mean_pinball_loss(target, predictions),
        "quantile_loss_0_9": sk.mean_pinball_loss(target, predictions, alpha=0.9),
        "r2": sk.r2_score(target, predictions),
        "explained_variance": sk.explained_variance_score(target, predictions),
    }
    measured = measure(
        (*metrics_for("regression"), QuantileLoss(quantile=0.9)), rows_of("regression", target, predictions, ())
    )[0]
    # A nearly constant target divides by its tiny variance, where the order of summation shows.
    for name in ("r2", "explained_variance"):
        assert measured.pop(name) == pytest.approx(expected.pop(name), rel=1e-9, abs=1e-9)
    same(measured, expected)


def test_many_rows_equal_scikit_learn():
    generator = np.random.default_rng(3)
    target = generator.integers(0, 4, 5000)
    logits = generator.normal(size=(5000, 4)).round(1) + np.eye(4)[target]
    predictions = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    measured = measure(DEFAULTS["multiclass"], rows_of("multiclass", target, predictions, CLASSES))[0]
    predicted = predictions.argmax(axis=1)
    assert measured["roc_auc"] == pytest.approx(sk.roc_auc_score(target, predictions, multi_class="ovr"), rel=1e-12)
    assert measured["f1"] == pytest.approx(sk.f1_score(target, predicted, average="macro"), rel=1e-12)
    assert measured["log_loss"] == pytest.approx(sk.log_loss(target, predictions), rel=1e-12)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_column_is_the_same_as_a_vector(task):
    target, predictions = np.array([0, 1, 1, 0]), np.array([0.2, 0.9, 0.3, 0.1])
    metrics = metrics_for(task)
    flat = measure(metrics, rows_of(task, target, predictions, ("no", "yes")))[0]
    rows = rows_of(task, target[:, None].astype(np.float32), predictions[:, None], ("no", "yes"))
    assert flat == measure(metrics, rows)[0]


def test_float32_predictions_are_measured_in_float64():
    target = np.full(100_000, 0.1)
    predictions = np.full(100_000, 0.3, np.float32)
    expected = (float(np.float32(0.3)) - 0.1) ** 2
    measured = measure(metrics_for("regression"), rows_of("regression", target, predictions))[0]
    assert measured["mse"] == EXACT(expected, rel=1e-12)


def test_log_loss_is_clipped_at_the_resolution_of_the_predictions():
    target = np.array([0, 1])
    for dtype in (np.float32, np.float64):
        predictions = np.array([1, 0], dtype)
        measured = measure((LogLoss(),), rows_of("binary", target, predictions, ("no", "yes")))[0]["log_loss"]
        assert measured == pytest.approx(sk.log_loss(target, predictions), rel=1e-6)
        assert measured == pytest.approx(-math.log(np.finfo(dtype).eps), rel=1e-12)


def test_brier_of_two_softmax_outputs_is_summed():
    measured = measure((Brier(),), rows_of("multiclass", np.array([0]), np.array([[0.25, 0.25, 0.5]]), CLASSES[:3]))[0]
    assert measured["brier"] == EXACT(0.75**2 + 0.25**2 + 0.5**2)


def test_a_class_that_neither_occurs_nor_is_predicted_does_not_count():
    predictions = np.eye(4)[[0, 1, 1]]
    assert measure((F1(),), rows_of("multiclass", np.array([0, 1, 1]), predictions, CLASSES))[0]["f1"] == 1.0


def test_one_class_has_no_roc_auc_and_the_reason_is_given():
    metrics = DEFAULTS["binary"]
    predictions = np.array([0.2, 0.6, 0.7])
    measured, reasons = measure(metrics, rows_of("binary", np.ones(3, int), predictions, ("no", "yes")))
    assert math.isnan(measured["roc_auc"])
    assert measured["pr_auc"] == 1.0
    assert reasons == {"roc_auc": "all rows are of class 'yes'"}
    _, reasons = measure(metrics, rows_of("binary", np.zeros(3, int), predictions, ("no", "yes")))
    assert set(reasons.values()) == {"no rows are of class 'yes'"}
    assert set(reasons) == {"roc_auc", "pr_auc"}


def test_a_missing_class_is_named():
    predictions = np.full((3, 4), 0.25)
    reasons = measure(DEFAULTS["multiclass"], rows_of("multiclass", np.array([0, 1, 2]), predictions, CLASSES))[1]
    assert reasons == {"roc_auc": "no rows are of class 'd'"}


def test_one_row_has_no_r2():
    rows = rows_of("regression", np.array([2.0]), np.array([2.5]), ())
    measured, reasons = measure(metrics_for("regression"), rows)
    assert set(reasons) == {"r2", "explained_variance"}
    assert measured["mse"] == 0.25


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_predictions_that_are_not_finite_give_no_value(task, bad):
    target = np.array([0, 1, 1])
    predictions = np.full((3, 4) if task == "multiclass" else 3, 0.25)
    predictions[1] = bad
    metrics = metrics_for(task)
    classes = CLASSES if task == "multiclass" else ("no", "yes")
    assert all(math.isnan(value) for value in measure(metrics, rows_of(task, target, predictions, classes))[0].values())
    reasons = measure(metrics, rows_of(task, target, predictions, classes))[1]
    assert set(reasons.values()) == {"the predictions of 1 of 3 rows are NaN or infinite"}


@pytest.mark.parametrize(
    ("task", "rows", "shape"),
    [
        ("multiclass", 3, (3, 3)),
        ("multiclass", 3, (12,)),
        ("binary", 3, (2,)),
        ("binary", 0, (0,)),
        ("regression", 2, (2, 2)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(task, rows, shape):
    with pytest.raises(ValueError, match="expected predictions of shape"):
        rows_of(task, np.zeros(rows), np.zeros(shape), CLASSES)


def test_confusion_matrix_and_its_classes_equal_scikit_learn():
    generator = np.random.default_rng(0)
    target, predicted = generator.integers(0, 3, 50), generator.integers(0, 4, 50)
    confusion = confusion_matrix(target, predicted, 4)
    assert (confusion == sk.confusion_matrix(target, predicted)).all()
    expected = sk.precision_recall_fscore_support(target, predicted, labels=[0, 1, 2, 3], zero_division=0)
    for kind, values in zip(("precision", "recall", "f1"), expected, strict=False):
        assert per_class(kind, Margins.of(confusion)) == pytest.approx(values, rel=1e-12)


def test_decisions():
    assert KINDS["binary"].decide(np.array([[0.5], [0.50001], [0.1]])).tolist() == [0, 1, 0]
    assert KINDS["multiclass"].decide(np.array([[0.4, 0.4, 0.2], [0, 0.1, 0.9]])).tolist() == [0, 2]
