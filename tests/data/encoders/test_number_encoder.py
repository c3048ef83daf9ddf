from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrain.data.encoders.number import NumberEncoder
from mltrain.data.features import BooleanFeature, NumberFeature
from mltrain.errors import DataError
from tests.data.tables import column

VALUES = [3.5, None, -2.0, 40.0, None, 7.25]


def known() -> np.ndarray:
    return np.array([value for value in VALUES if value is not None])


@pytest.mark.parametrize(("scale", "sklearn_name"), [("standard", "StandardScaler"), ("minmax", "MinMaxScaler")])
@pytest.mark.parametrize("values", [VALUES, [1, 5, 9, 5], [1e9, 1e9 + 1, 1e9 + 2], [0.1] * 7])
def test_scales_as_scikit_learn(scale, sklearn_name, values):
    from sklearn import preprocessing

    scaler = getattr(preprocessing, sklearn_name)()
    data = np.array([np.nan if value is None else value for value in values])[:, None]
    expected = scaler.fit_transform(data)[:, 0]
    raw = column(values)
    encoded = NumberFeature(scale=scale).fit(raw, "none").encoder.encode(raw).values[:, 0]
    present = ~np.isnan(expected)
    np.testing.assert_allclose(encoded[present], expected[present], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("missing", "fill"), [("mean", known().mean()), ("median", np.median(known())), ("zero", 0.0)])
def test_fills_missing_values_and_says_where(missing, fill):
    raw = column(VALUES)
    fitted = NumberFeature(scale="none", missing=missing).fit(raw, "standard")
    encoded = fitted.encoder.encode(raw)
    assert fitted.encoder.names == ("x", "x is missing")
    assert encoded.values[:, 0].tolist() == np.float32([3.5, fill, -2.0, 40.0, fill, 7.25]).tolist()
    assert encoded.values[:, 1].tolist() == [0, 1, 0, 0, 1, 0]
    assert encoded.missing == {"x": 2}
    assert "2 of 6 training rows" in fitted.decisions[0].reason


def test_a_value_missing_only_later_is_filled_and_counted_without_a_second_column():
    encoder = NumberFeature().fit(column([1.0, 3.0]), "standard").encoder
    encoded = encoder.encode(column([None, 3.0, None]))
    assert encoder.names == ("x",)
    assert encoded.values.tolist() == [[0.0], [1.0], [0.0]]
    assert encoded.missing == {"x": 2}


def test_the_scale_of_the_section_counts_where_the_column_says_none():
    raw = column([0, 10])
    assert NumberFeature().fit(raw, "minmax").encoder.encode(raw).values.tolist() == [[0.0], [1.0]]
    assert NumberFeature(scale="none").fit(raw, "minmax").encoder.encode(raw).values.tolist() == [[0.0], [10.0]]


def test_nan_counts_as_missing():
    raw = column([float("nan"), 1.0, 3.0])
    assert NumberFeature().fit(raw, "standard").encoder.encode(raw).missing == {"x": 1}


def test_a_constant_column_becomes_zero_and_is_said():
    raw = column([0.1] * 1000)
    fitted = NumberFeature().fit(raw, "standard")
    assert (fitted.encoder.encode(raw).values == 0).all()
    assert fitted.encoder.encode(column([1.1])).values[0, 0] == pytest.approx(1.0)
    assert [decision.value for decision in fitted.decisions] == ["constant"]


def test_years_with_a_narrow_spread_keep_their_digits():
    raw = column([2000.0001, 2000.0002, 2000.0003])
    encoded = NumberFeature(scale="minmax").fit(raw, "none").encoder.encode(raw).values[:, 0]
    np.testing.assert_allclose(encoded, [0, 0.5, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("train", "later", "message"),
    [
        ([1.0, float("inf")], None, r"made.csv\[1\]: column 'x': expected a finite number"),
        ([1.0, 2.0], [1.0, 2.0, float("-inf")], r"made.csv\[2\]: column 'x': expected a finite number"),
        (["a", "b"], None, r"made.csv\[0\]: column 'x': expected a number, found 'a'"),
        ([1, 2], [None, "two"], r"made.csv\[1\]: column 'x': expected a number, found 'two'"),
        ([None, None], None, r"column 'x': no training row has a value \(set data.features.x: ignore"),
        ([1e300, -1e300], None, r"column 'x': values from -1e\+300 to 1e\+300 cannot be scaled"),
        ([1e-200, 2e-200], None, r"column 'x': values from 1e-200 to 2e-200 cannot be scaled"),
        ([0.0, 1e-30], [1e30], r"made.csv\[0\]: column 'x': the number is too large for float32"),
        (np.zeros((2, 3)), None, r"column 'x': expected numbers, but it holds float64 arrays of shape \(3,\)"),
    ],
)
def test_what_is_no_number_is_an_error_with_its_place(train, later, message):
    with pytest.raises(DataError, match=message):
        NumberFeature().fit(column(train), "standard").encoder.encode(column(later))


def test_missing_can_be_an_error_in_training_and_later():
    feature = NumberFeature(missing="error")
    with pytest.raises(DataError, match=r"made.csv\[1\]: column 'x': the value is missing \(and 1 more\)"):
        feature.fit(column(VALUES), "standard")
    encoder = feature.fit(column([1.0, 2.0]), "standard").encoder
    with pytest.raises(DataError, match=r"made.csv\[2\]: column 'x': the value is missing; correct it"):
        encoder.encode(column([1.0, 1.0, None]))


def test_truth_values_are_zero_and_one_whatever_the_scale():
    raw = column([True, None, True, False])
    encoder = BooleanFeature().fit(raw, "standard").encoder
    assert encoder.encode(raw).values.tolist() == [[1, 0], [1, 1], [1, 0], [0, 0]]
    assert encoder.encode(column([1, 0])).values.tolist() == [[1, 0], [0, 0]]


def test_a_two_is_no_truth_value():
    with pytest.raises(DataError, match=r"made.csv\[1\]: column 'x': expected true or false \(or 1 or 0\), found 2"):
        BooleanFeature().fit(column([1, 2]), "standard")


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.none() | st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=1).filter(
        lambda items: any(item is not None for item in items)
    ),
    st.sampled_from(["standard", "minmax", "none"]),
)
def test_json_gives_back_the_same_bits(values, scale):
    raw = column([*values, None, 1.0])
    encoder = NumberFeature().fit(column(values), scale).encoder
    again = NumberEncoder.model_validate(json.loads(json.dumps(encoder.model_dump(mode="json"))))
    assert again == encoder
    first, second = encoder.encode(raw).values, again.encode(raw).values
    assert first.dtype == np.float32
    assert first.tobytes() == second.tobytes()
