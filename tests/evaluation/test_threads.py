"""Every number is the same to the last bit under 1, 2 and 4 threads of BLAS."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mltrain.data.audit.strengths import column_strengths
from mltrain.data.drift import population_stability
from mltrain.data.encoders.scaling import center_and_width
from mltrain.data.synthetic import labels as labelled_points
from mltrain.evaluation.baselines import constant_baseline, linear_baseline
from mltrain.evaluation.calibration import calibration, fit_temperature, tempered
from mltrain.evaluation.catalogue import Brier, Mae, RocAuc
from mltrain.evaluation.chance import against_chance
from mltrain.evaluation.differences import paired_difference
from mltrain.evaluation.importance import importance
from mltrain.evaluation.own_metrics import METRICS
from mltrain.evaluation.several import rows_of
from mltrain.evaluation.split_results import class_results, metric_results, output_results
from mltrain.evaluation.threads import one_thread
from mltrain.evaluation.threshold import choose_threshold
from mltrain.evaluation.threshold_aim import ThresholdAim
from mltrain.forecast_rows import ForecastRows
from tests.conftest import REPOSITORY
from tests.known_data import known_data

ROWS = 12_500  # more than the 10,000 from which OpenBLAS shares a sum of products among threads
THREADS = (1, 2, 4)
CLASSES = {"binary": ("no", "yes"), "multiclass": tuple("abc"), "multilabel": ("rain", "wind", "fog")}


def repeated(compute):
    """Return what `compute` gives under each number of threads, with every bit in it."""
    found = []
    for threads in THREADS:
        with threadpool_limits(threads, "blas"):
            assert {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"} == {threads}
            found.append(bits(compute()))
    return found


def bits(value):
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, dict):
        return {name: bits(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [bits(each) for each in value]
    return repr(value)  # of a float it has every digit


def rows(task):
    """Return targets and predictions with as many different scores as rows."""
    generator = np.random.default_rng(7)
    if task == "regression":
        target = generator.normal(50, 10, ROWS)
        return target, target + generator.normal(0, 3, ROWS)
    if task == "count":
        expected = np.exp(generator.normal(2, 1, ROWS))
        return generator.poisson(expected).astype(np.float64), expected
    if task == "multiregression":
        target = generator.normal(50, 10, (ROWS, 3))
        return target, target + generator.normal(0, 3, (ROWS, 3))
    if task == "multilabel":
        hidden = generator.normal(size=(ROWS, 3))
        return (hidden > 0.5).astype(np.int64), 1 / (1 + np.exp(-hidden - generator.normal(size=(ROWS, 3))))
    if task == "binary":
        hidden = generator.normal(size=ROWS)
        return (hidden > 0).astype(np.int64), 1 / (1 + np.exp(-hidden - generator.normal(size=ROWS)))
    target = generator.integers(0, 3, ROWS)
    scores = np.exp(generator.normal(size=(ROWS, 3)) + np.eye(3)[target])
    return target, scores / scores.sum(axis=1, keepdims=True)


def metrics_of(task):
    """Return every metric of the catalogue that is for a task, with each average that there is."""
    averages = ("auto", "micro", "macro", "weighted", "samples")
    found = []
    for spec in METRICS.specs.values():
        found += [spec(average=each) for each in averages] if "average" in spec.model_fields else [spec()]
    return [metric for metric in found if task in metric.fitting]


def forecasts(task):
    if task != "regression":
        return None
    generator = np.random.default_rng(8)
    naive, seasonal = generator.normal(50, 10, (2, ROWS))
    return ForecastRows(np.arange(ROWS), np.full(ROWS, 4.0), naive, seasonal, 3)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "count", "multilabel", "multiregression"])
def test_metrics_and_intervals(task):
    target, predictions = rows(task)
    assert len(np.unique(predictions)) > 10_000
    groups = np.arange(ROWS) // 4
    classes = CLASSES.get(task, ())

    def compute():
        measured = rows_of(task, target, predictions, classes)
        found = [metric_results(metrics_of(task), measured, seed=1, groups=each) for each in (None, groups)]
        if task == "regression":
            forecast = rows_of(task, target, predictions, (), forecasts=forecasts(task))
            found.append(metric_results(metrics_of(task), forecast, seed=1))
        if task in ("binary", "multiclass"):
            found.append(class_results(metrics_of(task), measured, groups))
        if task.startswith("multi") and task != "multiclass":
            names = classes or ("a", "b", "c")
            found.append(output_results(metrics_of(task), measured, names, 1, 10, groups))
        return found

    first, *others = repeated(compute)
    assert all(each == first for each in others)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "count", "multilabel", "multiregression"])
def test_paired_differences(task):
    target, predictions = rows(task)
    other, classes, groups = predictions[::-1] * 0.5 + predictions * 0.5, CLASSES.get(task, ()), np.arange(ROWS) // 4

    def compute():
        a, b = (rows_of(task, target, each, classes) for each in (predictions, other))
        return [
            (each.value, each.low, each.high)
            for metric in metrics_of(task)
            for of in (None, groups)
            for each in [paired_difference(metric, a, b, seed=1, draws=100, groups=of)]
        ]

    first, *others = repeated(compute)
    assert all(each == first for each in others)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "count", "multilabel", "multiregression"])
def test_baselines(task):
    generator = np.random.default_rng(9)
    x, (target, _) = generator.normal(size=(ROWS, 20)).astype(np.float32), rows(task)
    several = task in ("multilabel", "multiregression")
    info = known_data(
        task,
        (20,),
        3 if several or task == "multiclass" else 1,
        CLASSES.get(task, ()),
        rows=ROWS,
        targets=("a", "b", "c") if several else (),
    )

    def compute():
        linear = linear_baseline(info, {"x": x}, target, 1)
        return [
            each.predict({"x": rows})
            for each, rows in ((constant_baseline(info, target), x), (linear, x), (linear, x[:100]))
        ]

    first, *others = repeated(compute)
    assert all(each == first for each in others)


def test_calibration_threshold_and_chance():
    binary, several = rows("binary"), rows("multiclass")

    def compute():
        aims = (
            ThresholdAim(aim="f1"),
            ThresholdAim(aim="balanced_accuracy"),
            ThresholdAim(aim="recall", at_precision=0.8),
            ThresholdAim(aim="cost", false_positive=1.0, false_negative=3.0),
        )
        return [
            [choose_threshold(aim, *binary) for aim in aims],
            [calibration(task, *of, 10) for task, of in (("binary", binary), ("multiclass", several))],
            [fit_temperature(task, *of) for task, of in (("binary", binary), ("multiclass", several))],
            tempered("multiclass", several[1], 1.7),
            against_chance(several[0], several[1].argmax(axis=1), ("a", "b", "c"), several[0]),
            against_chance(several[0], several[1].argmax(axis=1), ("a", "b", "c"), several[0], np.arange(ROWS) // 4),
        ]

    first, *others = repeated(compute)
    assert all(each == first for each in others)


@pytest.mark.parametrize(("task", "metric"), [("binary", Brier()), ("binary", RocAuc()), ("regression", Mae())])
def test_importance(task, metric):
    target, predictions = rows(task)
    giver = np.random.default_rng(3).permutation(ROWS)
    before, after = (rows_of(task, target, each, CLASSES.get(task, ())) for each in (predictions, predictions[giver]))
    first, *others = repeated(lambda: importance(metric, before, [(giver, after)]))
    assert all(each == first for each in others)


def test_statistics_of_the_data():
    generator = np.random.default_rng(4)
    x, target = generator.normal(3, 2, (ROWS, 2)).astype(np.float32), rows("regression")[0]

    def compute():
        return [
            [center_and_width(target, scale) for scale in ("standard", "minmax")],
            column_strengths(x, ("a", "b"), target, "regression"),
            column_strengths(x, ("a", "b"), rows("binary")[0], "binary"),
            population_stability(*np.random.default_rng(5).integers(1, 90, (2, 10))),
            labelled_points(1, ROWS, labels=3, features=20, noise=0.1),
        ]

    first, *others = repeated(compute)
    assert all(each == first for each in others)


def test_one_thread_gives_the_others_back():
    with threadpool_limits(2, "blas"):
        with one_thread():
            assert {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"} == {1}
        assert {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"} == {2}


# Where BLAS or LAPACK computes, and it does so with one thread.
WITH_ONE_THREAD = {
    "evaluation/draws.py",
    "evaluation/several.py",
    "evaluation/linear_fit.py",
    "procedures/explanation/attribution.py",
}
PRODUCTS = {"dot", "vdot", "inner", "matmul", "tensordot", "einsum", "linalg", "cov", "corrcoef", "polyfit", "legendre"}
OF_TENSORFLOW = {"models/scores.py", "training/gru_loops.py", "training/lstm_loops.py"}


def products(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.MatMult) or (isinstance(node, ast.Attribute) and node.attr in PRODUCTS):
            yield node


def test_no_other_module_multiplies_matrices():
    package = REPOSITORY / "mltrain"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if any(products(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found - OF_TENSORFLOW == WITH_ONE_THREAD
    for name in WITH_ONE_THREAD:
        assert "one_thread()" in (package / name).read_text(encoding="utf-8")
