from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from mltrain.data.target import TargetEncoder, fit_target, guessed_task_hint, infer_task
from mltrain.data.target_spec import TargetSpec
from mltrain.errors import DataError
from tests.data.tables import column


def fit(values, **arguments):
    spec = TargetSpec(
        column="x", **{key: arguments.pop(key) for key in ("classes", "positive", "scale") if key in arguments}
    )
    return fit_target(column(values), spec, **arguments)


def fitted(values, **arguments) -> TargetEncoder:
    return fit(values, **arguments)[0]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["no", "yes", "no"], "binary"),
        (["a", "b", "c"], "multiclass"),
        ([True, False], "binary"),
        ([0, 1, 1], "binary"),
        ([3, 7], "binary"),
        ([0.0, 1.0, 0.0], "binary"),
        ([0, 1, 2] * 3, "multiclass"),
        (list(range(20)) * 3, "multiclass"),
        (list(range(21)) * 3, "regression"),
        ([100, 200, 300, 400], "regression"),  # as many values as rows: prices, not classes
        ([1.0, 2.5], "regression"),
    ],
)
def test_the_task_follows_from_the_values(values, task):
    assert infer_task(column(values))[0] == task


def test_what_is_stated_wins_over_the_source_and_the_source_over_the_values():
    values = [0, 1, 2] * 4
    assert fitted(values, stated="regression", known_task="multiclass").task == "regression"
    assert fitted(values, known_task="regression").task == "regression"
    assert fitted([0, 1] * 4, stated="multiclass").outputs == 2
    encoder, decisions = fit(values)
    assert encoder.task == "multiclass"
    assert [(decision.what, decision.value) for decision in decisions] == [("task", "multiclass")]
    assert "3 different values" in decisions[0].reason
    assert fit(values, stated="multiclass")[1] == ()


def test_regression_targets_are_float32_and_come_back_from_their_scale():
    raw = column([10.5, 20.0, 60.0])
    plain = fitted(raw.values)
    assert plain.encode(raw).tolist() == [10.5, 20.0, 60.0]
    assert (plain.encode(raw).dtype, plain.encode(raw).shape, plain.outputs) == (np.float32, (3,), 1)
    scaled = plain.scaled(raw)
    assert scaled.encode(raw).mean() == pytest.approx(0, abs=1e-6)
    assert scaled.encode(raw).std() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(scaled.restore(scaled.encode(raw)), [10.5, 20, 60], rtol=1e-6)
    assert scaled.truth(raw).tolist() == [10.5, 20.0, 60.0]


@pytest.mark.parametrize(
    ("values", "classes", "numbers"),
    [
        (["b", "a", "c"], ("a", "b", "c"), [1, 0, 2]),
        ([10, 9, 100], ("9", "10", "100"), [1, 0, 2]),  # by value, not by text
        ([7.0, 3.0, 9.0], ("3", "7", "9"), [1, 0, 2]),
        ([-1, 5, 0], ("-1", "0", "5"), [0, 2, 1]),
    ],
)
def test_classes_are_numbered_in_their_order(values, classes, numbers):
    encoder = fitted(values, stated="multiclass")
    assert encoder.classes == classes
    assert encoder.encode(column(values)).tolist() == numbers
    assert encoder.encode(column(values)).dtype == np.int32
    assert encoder.truth(column(values)).dtype == np.int64


def test_the_second_of_two_classes_is_the_positive_one_and_said():
    encoder, decisions = fit([True, False])
    assert encoder.classes == ("false", "true")
    assert encoder.encode(column([True, False])).tolist() == [1.0, 0.0]
    assert encoder.encode(column([True, False])).dtype == np.float32
    assert [decision.value for decision in decisions] == ["binary", "true"]


def test_positive_and_classes_choose_the_order():
    assert fitted(["yes", "no"], positive="no").classes == ("yes", "no")
    assert fitted(["yes", "no"], classes=("yes", "no")).classes == ("yes", "no")
    assert fitted(["b", "a", "c"], classes=("c", "a", "b")).encode(column(["c", "b"])).tolist() == [0, 2]


def test_names_for_number_labels():
    encoder = fitted([1, 0, 1], classes=("no", "yes"))
    assert (encoder.labels, encoder.classes) == (("0", "1"), ("no", "yes"))
    encoder = fitted([1, 0, 1], classes=("no", "yes"), positive="no")
    assert (encoder.labels, encoder.classes) == (("1", "0"), ("yes", "no"))
    assert encoder.encode(column([1, 0])).tolist() == [0.0, 1.0]


def test_names_that_the_source_knows():
    encoder = fitted([1, 0, 1], known_classes=("malignant", "benign"))
    assert encoder.classes == ("malignant", "benign")
    assert encoder.encode(column([1, 0])).tolist() == [1.0, 0.0]
    assert fitted([1, 0], known_classes=("malignant", "benign"), positive="malignant").labels == ("1", "0")
    assert fitted(["no", "yes"], known_classes=("yes", "no")).classes == ("yes", "no")


@pytest.mark.parametrize(
    ("values", "arguments", "message"),
    [
        (["a", None, None], {}, r"made.csv\[1\]: column 'x': the target is missing \(and 1 more\)"),
        ([1.5, float("nan")], {}, r"\[1\].*the target is missing"),
        ([1.5, float("inf")], {}, r"\[1\].*expected a finite number"),
        ([1.5, float("inf")], {"stated": "binary"}, r"\[1\].*finite"),
        (["a", "b"], {"stated": "regression"}, r"\[0\].*expected a number, found 'a'"),
        ([0, 1, 2], {"stated": "binary"}, r"the task is binary, but there are 3 classes \(0, 1, 2\); state multiclass"),
        ([0.5, 1.0], {"stated": "binary"}, r"\[0\].*0.5 is not a class"),
        (["a", "a"], {}, "every row has the class 'a'"),
        ([date(2024, 1, 1)], {}, "expected numbers, text or booleans in the target, but it holds dates"),
        ([date(2024, 1, 1)], {"stated": "binary"}, "expected classes in the target, but it holds dates"),
        (np.zeros((2, 2)), {}, "expected one value per row in the target"),
        (["a", "b"], {"scale": "standard"}, "data.target.scale is for regression, but the task is binary"),
        ([1.5, 2.5], {"classes": ("a", "b")}, "data.target.classes is for classes, but the task is regression"),
        ([1.5, 2.5], {"positive": "a"}, "data.target.positive is for classes"),
        (["a", "b", "c"], {"positive": "a"}, "for two classes, but the task is multiclass"),
        (["yes", "no"], {"positive": "yse"}, r"no class 'yse' \(did you mean 'yes'\?\)"),
        (["a", "b", "c"], {"classes": ("a", "b")}, r"\[2\].*the class 'c' is not in data.target.classes \(a, b\)"),
    ],
)
def test_errors_say_where(values, arguments, message):
    with pytest.raises(DataError, match=message):
        fit(values, **arguments)


def test_a_number_that_float32_cannot_hold_is_an_error():
    with pytest.raises(DataError, match=r"made.csv\[1\].*too large for float32"):
        fitted([1.5, 2.5]).encode(column([1.0, 1e300]))


def test_an_unknown_class_in_later_data_is_an_error():
    with pytest.raises(
        DataError, match=r"made.csv\[1\]: column 'x': unknown class 'Adeli' \(did you mean 'Adelie'\?\)"
    ):
        fitted(["Adelie", "Gentoo"]).encode(column(["Gentoo", "Adeli"]))


def test_prices_as_texts_are_no_classes():
    with pytest.raises(DataError, match=r"made.csv\[0\]: column 'x': '\$0.96' is text, not a number; remove '\$'"):
        fit([f"${number}.96" for number in range(30)])
    assert fitted([f"${number}.96" for number in range(30)], stated="multiclass").outputs == 30
    assert fitted(["3 cm", "4 cm"] * 5).task == "binary"  # few values: sizes that are classes
    assert fitted([f"name {number}" for number in range(30)]).task == "multiclass"


def test_the_guess_of_a_task_says_how_to_learn_numbers():
    assert "task: regression" in fit([1, 2, 3] * 5)[1][0].reason
    encoder, decisions = fit(["a", "b", "c"] * 5)
    assert "regression" not in decisions[0].reason
    assert "was guessed" in guessed_task_hint(encoder, decisions) and guessed_task_hint(encoder, ()) == ""
    with pytest.raises(DataError, match=r"unknown class '9' .known: 1, 2, 3.; if the target is a number, train with"):
        fitted([1, 2, 3] * 5).encode(column([9]))
