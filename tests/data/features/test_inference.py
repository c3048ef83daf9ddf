from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from mltrain.data.features.inference import infer_feature
from tests.data.tables import column


def texts(distinct: int, rows: int) -> list[str]:
    return [f"v{row % distinct}" for row in range(rows)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, None], "number"),
        ([1.5, 2.5], "number"),
        ([True, None], "boolean"),
        ([date(2024, 1, 1), date(2024, 1, 2)], "datetime"),
        ([date(2024, 1, 1), None], "ignore"),
        ([None, None], "ignore"),
        (["a", "b", None], "category"),
        (texts(50, 60), "category"),
        (texts(51, 60), "ignore"),
        (texts(60, 1200), "category"),
        (texts(61, 1200), "ignore"),
        (texts(1001, 40_000), "ignore"),
        (np.zeros((2, 8, 8), np.uint8), "image"),
        (np.zeros((2, 8, 8, 3), np.float32), "image"),
        (np.zeros((2, 8, 8), np.float32), "array"),
        (np.zeros((2, 8, 8, 5), np.float32), "array"),
        (np.zeros((2, 784), np.uint8), "array"),
    ],
)
def test_kinds(values, kind):
    feature, decision = infer_feature(column(values))
    assert feature.type == kind
    assert (decision.what, decision.value) == ("features.x", kind)


def test_a_text_column_that_is_left_out_says_how_to_use_it():
    _, decision = infer_feature(column(texts(55, 55)))
    assert "55 different values in 55 training rows" in decision.reason
    assert "data.features.x: {type: category, max_categories: 55}" in decision.reason


def test_index_numbers_and_images_scaled_already_are_not_scaled_again():
    tokens, _ = infer_feature(column(np.zeros((3, 5), np.int64)))
    images, decision = infer_feature(column(-np.ones((3, 5, 5, 1), np.float32)))
    assert (tokens.scale, images.scale) == ("none", "none")
    assert "negative" in decision.reason
