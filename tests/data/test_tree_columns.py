"""The columns of a table as trees take them: missing values are missing, and a category is one column."""

import numpy as np
import pytest

from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec
from mltrain.data.tree_columns import has_tree_columns, is_table_alone, tree_columns, tree_width

ROWS = [
    ["size", "kind", "grade", "seen", "city", "y"],
    [1.5, "a", "low", "2024-01-05", "p", 1.0],
    ["", "b", "high", "", "q", 2.5],
    [3.5, "", "low", "2024-03-05", "p", 3.0],
    [4.5, "a", "", "2025-01-05", "r", 4.5],
    [2.5, "b", "high", "2025-02-05", "q", 5.0],
]


@pytest.fixture
def prepared(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in ROWS) + "\n", encoding="utf-8")
    features = {
        "grade": {"type": "category", "encoding": "ordinal", "order": ["low", "high"]},
        "city": {"type": "category", "encoding": "embedding"},
    }
    spec = {
        "source": {"type": "csv", "path": str(path)},
        "target": "y",
        "features": features,
        "split": {"type": "none"},
    }
    return prepare(DataSpec.model_validate(spec), 0)


def test_a_number_is_missing_where_it_was_filled(prepared):
    found = tree_columns(prepared.preprocessing, prepared.examples["train"].inputs)
    size = found.values[:, 0]
    assert np.isnan(size).tolist() == [False, True, False, False, False]
    assert (np.argsort(size[[0, 2, 3, 4]]) == np.argsort([1.5, 3.5, 4.5, 2.5])).all()
    grade = found.values[:, 2]
    assert np.isnan(grade).tolist() == [False, False, False, True, False]
    assert grade[0] == grade[2] < grade[1] == grade[4]


def test_the_parts_of_a_date_are_missing_together(prepared):
    found = tree_columns(prepared.preprocessing, prepared.examples["train"].inputs)
    dates = found.values[:, 3:-1]
    assert dates.shape[1] >= 2
    assert np.isnan(dates).all(axis=1).tolist() == np.isnan(dates).any(axis=1).tolist() == [False, True] + [False] * 3


def test_a_category_is_one_column_however_the_network_gets_it(prepared):
    found = tree_columns(prepared.preprocessing, prepared.examples["train"].inputs)
    assert found.values.shape == (5, tree_width(prepared.preprocessing)) == (5, len(found.categories))
    assert [place for place, each in enumerate(found.categories) if each] == [1, len(found.categories) - 1]
    for column, texts in ((1, ["a", "b", "", "a", "b"]), (-1, ["p", "q", "p", "r", "q"])):
        numbers = found.values[:, column].tolist()
        assert [numbers[texts.index(text)] for text in texts] == numbers
        assert len(set(numbers)) == len(set(texts))


def test_some_rows_in_their_order(prepared):
    inputs = prepared.examples["train"].inputs
    some = tree_columns(prepared.preprocessing, inputs, np.array([3, 0])).values
    assert np.array_equal(some, tree_columns(prepared.preprocessing, inputs).values[[3, 0]], equal_nan=True)


def test_a_table_is_one_where_columns_are(prepared):
    assert has_tree_columns(prepared.preprocessing) and is_table_alone(prepared.preprocessing)
    spec = {"source": {"type": "synthetic", "kind": "shapes", "rows": 20}}
    images = prepare(DataSpec.model_validate(spec), 0).preprocessing
    assert not has_tree_columns(images) and not is_table_alone(images)
