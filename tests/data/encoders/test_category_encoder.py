from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mltrain.data.features import CategoryFeature
from mltrain.errors import DataError
from tests.data.tables import column


def test_one_hot_has_one_column_a_category_and_one_for_missing_values():
    raw = column(["b", None, "a", "b"])
    encoder = CategoryFeature().fit(raw, "standard").encoder
    encoded = encoder.encode(raw)
    assert encoder.names == ("x=a", "x=b", "x is missing")
    assert encoded.values.dtype == np.float32
    assert encoded.values.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert encoded.missing == {"x": 1}


def test_an_unknown_and_a_never_missing_value_are_none_of_the_categories_and_counted():
    encoder = CategoryFeature().fit(column(["b", "a"]), "standard").encoder
    encoded = encoder.encode(column(["c", None, "a", "d"]))
    assert encoded.values.tolist() == [[0, 0], [0, 0], [1, 0], [0, 0]]
    assert (encoded.missing, encoded.unknown) == ({"x": 1}, {"x": 2})


def test_index_numbers_start_at_one_and_unknown_is_zero():
    raw = column(["b", None, "a"])
    encoder = CategoryFeature(encoding="index").fit(raw, "standard").encoder
    assert encoder.names == ("x",)
    assert encoder.encode(column(["a", "b", None, "c"])).values.tolist() == [[1], [2], [3], [0]]


def test_ordinal_numbers_follow_the_order_and_are_scaled_like_numbers():
    raw = column(["low", "high", "mid", "mid"])
    encoder = CategoryFeature(order=("low", "mid", "high"), scale="minmax").fit(raw, "none").encoder
    encoded = encoder.encode(column(["high", "low", "huge", None, "mid"]))
    assert encoded.values[:, 0].tolist() == [1.0, 0.0, 0.5, 0.5, 0.5]  # the mean stands in
    assert (encoded.missing, encoded.unknown) == ({"x": 1}, {"x": 1})


def test_ordinal_says_where_a_value_was_missing():
    raw = column(["low", None, "high"])
    encoder = CategoryFeature(order=("low", "high")).fit(raw, "none").encoder
    assert encoder.names == ("x", "x is missing")
    assert encoder.encode(raw).values.tolist() == [[0, 0], [0.5, 1], [1, 0]]


def test_whole_numbers_and_truth_values_are_names():
    raw = column([3.0, None, 1.0])
    assert CategoryFeature().fit(raw, "none").encoder.names == ("x=1", "x=3", "x is missing")
    assert CategoryFeature().fit(column([True, False]), "none").encoder.names == ("x=false", "x=true")
    assert CategoryFeature().fit(column([123456789012.0, -0.0]), "none").encoder.names == ("x=0", "x=123456789012")
    assert CategoryFeature().fit(column([1.5, 2.0]), "none").encoder.names == ("x=1.5", "x=2")


@pytest.mark.parametrize(
    ("feature", "train", "later", "message"),
    [
        (
            {"unknown": "error"},
            ["Biscoe", "Dream"],
            ["Dream", "Biscos"],
            r"\[1\].*'Biscos' \(did you mean 'Biscoe'\?\)",
        ),
        ({"missing": "error"}, ["a", None], None, r"\[1\]: column 'x': the value is missing"),
        ({"missing": "error"}, ["a", "b"], ["a", None], r"\[1\]: column 'x': the value is missing"),
        (
            {"max_categories": 2},
            ["a", "b", "c"],
            None,
            "3 different values in 3 training rows, more than max_categories 2",
        ),
        ({}, [None, None], None, "no training row has a value"),
        (
            {"order": ("low", "high")},
            ["low", "hihg"],
            None,
            r"\[1\].*unknown category 'hihg' \(did you mean 'high'\?\)",
        ),
        ({"order": ("low", "high"), "missing": "error"}, ["low", None], None, r"\[1\].*the value is missing"),
        ({}, np.zeros((2, 2)), None, r"expected single values, but it holds float64 arrays"),
    ],
)
def test_errors_say_where(feature, train, later, message):
    with pytest.raises(DataError, match=message):
        CategoryFeature(**feature).fit(column(train), "standard").encoder.encode(column(later))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoding": "ordinal"}, "needs the order"),
        ({"encoding": "one_hot", "order": ["a", "b"]}, "no meaning in the encoding 'one_hot'"),
        ({"order": ["a", "a"]}, "'a' is listed twice"),
        ({"scale": "standard"}, "only ordinal categories are scaled"),
        ({"max_categories": 0}, "greater than or equal to 1"),
    ],
)
def test_contradictions_are_found_without_data(arguments, message):
    with pytest.raises(ValidationError, match=message):
        CategoryFeature.model_validate(arguments)
