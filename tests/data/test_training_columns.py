"""What is kept of the training rows, and other rows held against it."""

import numpy as np
import pyarrow as pa
import pytest

from mltrain.data.encoders.array import ArrayEncoder
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.preprocessing_fit import fit_preprocessing
from mltrain.data.table import Origin, Table
from mltrain.data.target import TargetEncoder
from mltrain.data.training_columns import MOST_CATEGORIES, Comparison, TrainingColumns
from mltrain.errors import RunError

TARGET = TargetEncoder(column="y", task="regression")


def table(**columns):
    return Table({name: pa.array(values) for name, values in columns.items()}, Origin("x"), "")


def fitted(train):
    preprocessing, _ = fit_preprocessing(train, TARGET, {}, "standard")
    return preprocessing, TrainingColumns.of(preprocessing, train)


def test_deciles_have_equal_counts_and_a_place_for_missing_values():
    values = np.random.default_rng(0).normal(size=1000).tolist()
    _, found = fitted(table(a=[*values, None, None]))
    (column,) = found.columns
    assert found.rows == 1002
    assert column.counts[-1] == 2
    assert column.counts[:-1] == (100,) * 10
    assert (column.low, column.high) == (min(values), max(values))


def test_values_that_repeat_share_a_bin():
    _, found = fitted(table(a=[0, 1] * 100))
    (column,) = found.columns
    assert column.edges == (0.0, 1.0)
    assert column.counts == (100, 100, 0, 0)


def test_rare_categories_are_counted_together():
    names = [f"c{number:02d}" for number in range(40) for _ in range(number + 1)]
    _, found = fitted(table(a=[*names, None]))
    (column,) = found.columns
    assert column.categories[0] == "c39"
    assert len(column.categories) == MOST_CATEGORIES
    assert sum(column.counts) == len(names) + 1
    assert column.counts[-1] == 1


def test_rows_are_counted_block_by_block():
    draw = np.random.default_rng(0)
    train = table(a=draw.normal(size=500), b=draw.choice(["x", "y"], 500))
    preprocessing, reference = fitted(train)
    new = table(a=[*draw.normal(size=99), 100.0], b=[*["x"] * 90, *["z"] * 10])
    whole, parts = Comparison(reference, preprocessing), Comparison(reference, preprocessing)
    whole.add(new)
    for start in range(0, 100, 7):
        parts.add(new.take(np.arange(start, min(start + 7, 100))))
    assert whole.findings() == parts.findings()
    a, b = whole.findings()
    assert (a.column, a.outside, a.stability.drift) == ("a", 1, "none")
    assert (b.column, b.outside, b.low, b.stability.drift) == ("b", 0, None, "large")


def test_dates_are_looked_at_by_their_parts_and_arrays_by_their_means():
    dates = pa.array(np.array(["2024-01-01", "2024-05-01", "2025-03-01"] * 10, "M8[us]"))
    _, found = fitted(Table({"sold": dates}, Origin("x"), ""))
    assert [column.column for column in found.columns] == ["sold.year", "sold.month", "sold.weekday"]
    encoder = ArrayEncoder(column="x", shape=(2, 2), dtype="float32", channel=False, center=(0.0,), width=(1.0,))
    arrays = Table({"x": np.arange(40.0).reshape(10, 2, 2)}, Origin("x"), "")
    (column,) = TrainingColumns.of(Preprocessing(columns=(encoder,), target=TARGET), arrays).columns
    assert (column.column, column.low, column.high) == ("mean of x", 1.5, 37.5)


def test_json_and_back():
    _, found = fitted(table(a=[0.1, 0.2, 0.7] * 10, b=["x", "y", None] * 10))
    assert TrainingColumns.from_json(found.model_dump(mode="json"), "place") == found
    with pytest.raises(RunError, match="place: rows"):
        TrainingColumns.from_json({"format": 1, "rows": "many", "columns": []}, "place")
