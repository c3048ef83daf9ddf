"""Gates: what they are read as, and what becomes of them."""

import math
from types import SimpleNamespace

import pytest

from mltrain.gates.gate import Gate, Quantity
from mltrain.gates.judging import judge, judge_folds
from mltrain.run.folds_form import FoldBaseline, FoldDifference, FoldMean
from tests.made_results import made_splits

SPLITS = made_splits(
    **{
        "validation": {"n": 4, "metrics": {"loss": {"value": 0.5}}},
        "test": {
            "n": 5,
            "metrics": {
                "f1": {"value": 0.8, "low": 0.7, "high": 0.9},
                "accuracy": {"value": 0.75, "low": 0.6, "high": 0.85},
                "roc_auc": {"value": None, "undefined": "all rows are of class 'a'"},
                "loss": {"value": 0.4},
            },
            "classes": {"(b) >= 3": {"n": 2, "recall": {"value": 0.5, "low": 0.1, "high": 0.9}}},
            "slices": [{"slice": "age<30", "n": 3, "metrics": {"f1": {"value": 0.6, "low": 0.2, "high": 0.8}}}],
            "baselines": {"majority": {"difference": {"accuracy": {"value": 0.15, "low": 0.05, "high": 0.25}}}},
        },
    }
)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("test.f1 >= 0.8", Quantity("test", "f1")),
        ("  validation.loss<.5 ", Quantity("validation", "loss")),
        ("test.f1.low > -1e-3", Quantity("test", "f1", bound="low")),
        ("test.f1.value > 0", Quantity("test", "f1")),
        ("test[sex=f].f1 >= 0.7", Quantity("test", "f1", slice="sex=f")),
        ("test[22<=age<35].f1.high < 1", Quantity("test", "f1", slice="22<=age<35", bound="high")),
        ("test[a[0].b=1].f1 < 1", Quantity("test", "f1", slice="a[0].b=1")),
        ("test.recall(yes) >= 0.9", Quantity("test", "recall", of_class="yes")),
        ("test.recall(no >= 3 (or so)).low > 0", Quantity("test", "recall", of_class="no >= 3 (or so)", bound="low")),
        ("test.accuracy - majority >= 0.05", Quantity("test", "accuracy", baseline="majority")),
        ("(test.accuracy - majority).low > 0", Quantity("test", "accuracy", baseline="majority", bound="low")),
        ("data.f1 >= 0.8", Quantity("data", "f1")),
        ("folds.f1 >= 0.8", Quantity("folds", "f1", bound="mean")),
        ("folds.f1.std < 0.1", Quantity("folds", "f1", bound="std")),
        ("(folds.f1 - majority).low > 0", Quantity("folds", "f1", baseline="majority", bound="low")),
    ],
)
def test_a_gate_is_read_and_its_spelling_is_read_the_same(text, quantity):
    gate = Gate.parse(text)
    assert gate.quantity == quantity
    assert Gate.parse(str(gate)) == gate


def test_gates_of_folds_are_judged_by_the_means():
    mean = {"mean": 0.8, "std": 0.1, "low": 0.7, "high": 0.9, "min": 0.6}
    difference = FoldDifference(**mean, verdict="better")
    results = SimpleNamespace(
        metrics={"f1": FoldMean(**mean)},
        baselines={"majority": FoldBaseline(metrics={}, difference={"f1": difference})},
    )
    texts = ("test.f1 > 0", "folds.f1.min < 0.65", "(folds.f1 - majority).low > 0.8")
    judged = judge_folds([Gate.parse(text) for text in texts], results)
    assert [(each.value, each.passed) for each in judged] == [(0.6, True), (0.7, False)]


@pytest.mark.parametrize("number", [0.1, 2.0, 1e-7, 1 / 3, -5.0, 1e300])
def test_the_number_keeps_every_digit(number):
    assert Gate.parse(str(Gate(Quantity("test", "f1"), ">", number))).number == number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected 'split.metric >= number'"),
        ("test.f1", "expected 'split.metric >= number'"),
        ("test.f1 >= high", "expected 'split.metric >= number'"),
        ("test.f1 >= 0.8.1", "expected 'split.metric >= number'"),
        (f"test.f1 >= {'1' * 600}", "1…'"),
        ("test.f1 >= 1e999", "expected 'split.metric >= number'"),
        ("test.f1 == 0.8", "expected 'split.metric >= number'"),
        ("f1 >= 0.8", "unknown quantity"),
        ("test.f1 + test.f1 >= 0.8", "unknown quantity"),
        ("__import__('os').f1 >= 0.8", "unknown quantity"),
        ("tst.f1 >= 0.8", "unknown split 'tst' (did you mean 'test'?)"),
        ("test.f1.lower >= 0.8", "unknown end of an interval 'lower'"),
        ("test.f1.mean >= 0.8", "unknown end of an interval 'mean'"),
        ("folds.f1.value >= 0.8", "folds have no 'value': expected .mean, .low"),
        ("folds[sex=f].f1 >= 0.8", "remove the slice"),
        ("test[sex=f].accuracy - majority > 0", "remove [sex=f]"),
    ],
)
def test_what_is_no_gate_is_said(text, said):
    with pytest.raises(ValueError) as error:
        Gate.parse(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "value", "passed"),
    [
        ("test.f1 >= 0.8", 0.8, True),
        ("test.f1 > 0.8", 0.8, False),
        ("test.f1.low >= 0.8", 0.7, False),
        ("test.f1.high <= 0.9", 0.9, True),
        ("test.acc < 0.75", 0.75, False),  # another spelling of accuracy
        ("test[age<30].f1 >= 0.6", 0.6, True),
        ("test[age<30].f1.low >= 0.6", 0.2, False),
        ("test.recall((b) >= 3).low > 0.05", 0.1, True),
        ("test.accuracy - majority >= 0.1", 0.15, True),
        ("(test.accuracy - majority).low >= 0.1", 0.05, False),
        ("validation.loss < 1", 0.5, True),
    ],
)
def test_a_gate_is_judged_by_what_was_measured(text, value, passed):
    (judged,) = judge([Gate.parse(text)], SPLITS)
    assert (judged.value, judged.passed, judged.reason) == (value, passed, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("test.roc_auc >= 0.1", "all rows are of class 'a'"),
        ("test.loss.low >= 0", "loss has no interval here"),
        ("train.f1 >= 0", "there is no split 'train' (there are: validation, test)"),
        ("test.r2 < 9", "there is no metric of test 'r2' (there are: f1, accuracy, roc_auc, loss)"),
        ("test[age<31].f1 >= 0", "there is no slice of test 'age<31' (there are: age<30)"),
        ("validation[age<31].f1 >= 0", "there is no slice of validation 'age<31' (there is none)"),
        ("test.recall(c) >= 0", "there is no class in the results of test 'c' (there are: (b) >= 3)"),
        ("test.f1 - majority >= -9", "there is no metric of test - majority 'f1' (there are: accuracy)"),
        ("validation.loss - majority >= -9", "there is no baseline of validation 'majority' (there is none)"),
    ],
)
def test_a_gate_without_a_value_is_missed_with_the_reason(text, reason):
    (judged,) = judge([Gate.parse(text)], SPLITS)
    assert (judged.value, judged.passed, judged.reason) == (None, False, reason)


def test_nan_passes_no_gate():
    for operator in (">=", "<", ">", "<="):
        gate = Gate.parse(f"test.f1 {operator} 0")
        (judged,) = judge([gate], made_splits(test={"n": 1, "metrics": {"f1": {"value": math.nan}}}))
        assert not judged.passed
