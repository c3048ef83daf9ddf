from __future__ import annotations

import numpy as np
import pytest

from mltrain.data.encoders import array as array_module
from mltrain.data.features import ArrayFeature, ImageFeature
from mltrain.errors import DataError
from tests.data.tables import column


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(3, 2, shape)


@pytest.mark.parametrize(
    ("dtype", "highest", "divisor"),
    [("uint8", 200, 255), ("uint16", 900, 65535), ("float64", 16, 16), ("float32", 0.5, 1), ("int64", 16, 16)],
)
def test_images_come_to_the_unit_interval_with_a_channel(dtype, highest, divisor):
    images = np.zeros((3, 2, 4), dtype)
    images[1, 1, 2] = highest
    encoder = ImageFeature().fit(column(images), "standard").encoder
    encoded = encoder.encode(column(images)).values
    assert encoder.encoded_shape == (2, 4, 1)
    assert (encoded.shape, encoded.dtype) == ((3, 2, 4, 1), np.float32)
    assert encoded[1, 1, 2, 0] == np.float32(highest) / np.float32(divisor)


def test_standard_images_are_scaled_by_channel():
    images = random((50, 3, 3, 2)) * [1, 100]
    encoded = ImageFeature(scale="standard").fit(column(images), "none").encoder.encode(column(images)).values
    np.testing.assert_allclose(encoded.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(encoded.std(axis=(0, 1, 2)), 1, atol=1e-6)


def test_gray_images_can_be_standard_and_unscaled():
    images = random((20, 3, 3))
    encoded = ImageFeature(scale="standard").fit(column(images), "none").encoder.encode(column(images)).values
    assert encoded.shape == (20, 3, 3, 1)
    assert encoded.std() == pytest.approx(1, abs=1e-6)
    plain = ImageFeature(scale="none").fit(column(images), "none").encoder.encode(column(images)).values
    assert np.array_equal(plain[..., 0], images.astype(np.float32))


def test_arrays_are_scaled_by_feature_as_scikit_learn_does(monkeypatch):
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    monkeypatch.setattr(array_module, "BLOCK", 20)  # several blocks
    sequences = random((30, 7, 3)) * [1, 10, 0]
    for scale, scaler in (("standard", StandardScaler()), ("minmax", MinMaxScaler())):
        expected = scaler.fit_transform(sequences.reshape(-1, 3)).reshape(sequences.shape)
        encoded = ArrayFeature().fit(column(sequences), scale).encoder.encode(column(sequences)).values
        np.testing.assert_allclose(encoded, expected, atol=1e-5)


def test_index_numbers_stay_whole():
    tokens = np.array([[1, 5], [2**31 - 1, 0]], np.int64)
    encoded = ArrayFeature(scale="none").fit(column(tokens), "standard").encoder.encode(column(tokens)).values
    assert encoded.dtype == np.int32
    assert encoded.tolist() == tokens.tolist()


def test_the_data_itself_is_not_changed():
    sequences = random((5, 2)).astype(np.float32)
    before = sequences.copy()
    encoder = ArrayFeature().fit(column(sequences), "standard").encoder
    encoder.encode(column(sequences))
    assert np.array_equal(sequences, before)


NOT_FINITE = random((4, 2))
NOT_FINITE[2, 1] = np.nan


@pytest.mark.parametrize(
    ("feature", "train", "later", "message"),
    [
        (ArrayFeature(), NOT_FINITE, None, r"made.csv\[2\]: column 'x': the array holds NaN"),
        (ArrayFeature(), random((4, 2)), NOT_FINITE, r"made.csv\[2\]: column 'x': the array holds NaN"),
        (ArrayFeature(scale="none"), random((4, 2)), NOT_FINITE, r"made.csv\[2\]"),
        (ArrayFeature(scale="none"), random((4, 2)), np.array([[1.0, 1e300]]), r"\[0\].*too large for float32"),
        (ArrayFeature(), random((4, 2)), random((4, 3)), r"expected arrays of shape \(2,\), found \(3,\)"),
        (ArrayFeature(), np.array([[1e300], [-1e300]]), None, "range of its values is too large"),
        (ArrayFeature(), [1.0, 2.0], None, "expected an array in every row, but it holds numbers"),
        (ArrayFeature(scale="none"), np.array([[1]]), np.array([[0.5]]), "expected whole numbers, found float64"),
        (
            ArrayFeature(scale="none"),
            np.array([[1]]),
            np.array([[1], [2**40]]),
            r"\[1\].*from -2147483648 to 2147483647",
        ),
        (ImageFeature(), random((4, 2)), None, r"expected images .* found shape \(4, 2\)"),
        (ImageFeature(), -np.ones((2, 2, 2)), None, r"\[0\].*a negative value cannot be scaled to 0…1"),
        (ImageFeature(), np.full((2, 2, 2), np.nan), None, r"\[0\].*the array holds NaN"),
    ],
)
def test_errors_say_where(feature, train, later, message):
    with pytest.raises(DataError, match=message):
        feature.fit(column(train), "standard").encoder.encode(column(later))
