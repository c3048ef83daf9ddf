from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mltrain.data.features import ArrayFeature, CategoryFeature, IgnoreFeature, NumberFeature
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.preprocessing_fit import fit_preprocessing
from mltrain.data.target import TargetEncoder
from mltrain.errors import DataError, RunError
from tests.data.tables import mixed_table, only_input, table

TARGET = TargetEncoder(column="y", task="regression")
STATED = {
    "where": CategoryFeature(order=("low", "mid", "high")),
    "zip": CategoryFeature(encoding="index"),
    "price/sqm": NumberFeature(scale="minmax"),
}


def fit(train, features=None, scale="standard", leave_out=()):
    return fit_preprocessing(train, TARGET, features or {}, scale, leave_out)


@pytest.fixture(scope="module")
def mixed() -> Preprocessing:
    return fit(mixed_table(300, seed=0), STATED)[0]


def test_columns_stand_in_the_order_of_the_table(mixed):
    assert mixed.feature_names == (
        "island=Biscoe", "island=Dream", "island=[UNK]", 'island=É"t\n', "island is missing", "mean radius",
        "mean radius is missing", "price/sqm", "cast", "where", "where is missing", "sold.day", "sold.weekday",
        "sold.hour", "sold is missing", "sold.hour", "open", "open is missing", "zip", "constant",
    )  # fmt: skip
    encoded = mixed.encode(mixed_table(40, seed=1))
    assert (encoded.inputs["table"].shape, encoded.inputs["table"].dtype) == ((40, 20), np.float32)
    assert (mixed.inputs[0].shape, mixed.inputs[0].dtype) == ((20,), "float32")
    assert set(encoded.missing) == {"island", "mean radius", "where", "sold", "open"}


def test_training_rows_are_scaled_exactly_and_nothing_is_lost(mixed):
    train = mixed_table(300, seed=0)
    values = dict(zip(mixed.feature_names, only_input(mixed, train).T, strict=True))
    assert values["cast"].mean() == pytest.approx(0, abs=1e-6)
    assert values["cast"].std() == pytest.approx(1, abs=1e-6)
    assert (values["price/sqm"].min(), values["price/sqm"].max()) == (0, 1)
    islands = sum(values[name] for name in mixed.feature_names if name.startswith("island"))
    assert (islands == 1).all()


def test_json_gives_back_the_same_object_and_the_same_bits(mixed):
    again = Preprocessing.from_json(json.loads(json.dumps(mixed.to_json())))
    assert again == mixed
    later = mixed_table(50, seed=2)
    assert only_input(again, later).tobytes() == only_input(mixed, later).tobytes()
    assert json.dumps(again.to_json()) == json.dumps(mixed.to_json())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "preprocessing: format"),
        ({"columns": []}, "preprocessing: columns"),
        ({"columns": [{"type": "lambda"}]}, "preprocessing: columns.0"),
        ({"target": None}, "preprocessing: target"),
        ({"more": 1}, "preprocessing: more"),
    ],
)
def test_a_damaged_description_is_refused(mixed, change, message):
    with pytest.raises(RunError, match=message):
        Preprocessing.from_json({**mixed.to_json(), **change})


def test_a_row_is_encoded_alike_alone_and_among_others(mixed):
    later = mixed_table(20, seed=3)
    rows = np.array([7, 3, 11])
    assert np.array_equal(only_input(mixed, later.take(rows)), only_input(mixed, later)[rows])


def test_a_missing_column_is_named_and_others_do_not_matter(mixed):
    later = mixed_table(5, seed=4)
    extra = table(**{**later.columns, "surplus": [1] * 5})
    assert np.array_equal(only_input(mixed, extra), only_input(mixed, later))
    columns = {("iland" if name == "island" else name): values for name, values in later.columns.items()}
    with pytest.raises(DataError, match=r"no column 'island' \(did you mean 'iland'\?\)"):
        only_input(mixed, table(**columns))


def test_raw_inputs_have_unique_names_without_slashes(mixed):
    names = [raw.name for raw in mixed.raw_inputs]
    assert "price_sqm" in names
    assert names.count("sold.hour") == 1
    assert "sold.hour_" in names  # a column of that name beside the part of `sold`
    raw = mixed.raw(mixed_table(3, seed=5))
    assert list(raw) == names
    assert {values.shape for values in raw.values()} == {(3, 1)}


def test_what_is_the_same_for_several_columns_is_said_once():
    _, decisions = fit(table(a=[1, 2], b=["x", "y"], c=[5, 5], d=[7, 7], note=[None, None], y=[1.0, 2.0]))
    said = [(decision.what, decision.value) for decision in decisions]
    assert said == [
        ("features", "number: a, c, d"),
        ("features.b", "category"),
        ("features", "constant: c, d"),
        ("features.note", "ignore"),
    ]


def test_ignored_and_left_out_columns_are_no_features():
    data = table(a=[1, 2], b=[3, 4], part=["train", "test"], y=[1.0, 2.0])
    assert fit(data, {"b": IgnoreFeature()}, leave_out=["part"])[0].feature_names == ("a",)


@pytest.mark.parametrize(
    ("columns", "features", "message"),
    [
        ({"a": [1]}, {"aa": NumberFeature()}, r"data.features.aa: no such column \(did you mean 'a'\?\)"),
        (
            {"a": [1]},
            {"a": IgnoreFeature()},
            "no column is left to learn from; remove 'ignore' from one of them under data.features: a",
        ),
        ({}, {}, "no column is left to learn from"),
    ],
)
def test_what_cannot_be_fitted(columns, features, message):
    with pytest.raises(DataError, match=message):
        fit(table(**columns, y=[1.0]), features)


def test_one_array_column_is_the_input():
    tokens = np.arange(12).reshape(3, 4)
    preprocessing, decisions = fit(table(tokens=tokens, y=[1.0, 2.0, 3.5]), {"tokens": ArrayFeature(scale="none")})
    assert (preprocessing.inputs[0].shape, preprocessing.inputs[0].dtype) == ((4,), "int32")
    assert (preprocessing.feature_names, decisions) == ((), ())
    assert only_input(preprocessing, table(tokens=tokens)).dtype == np.int32


def test_a_column_is_told_once_it_is_encoded_in_every_split(mixed):
    rows = mixed_table(40, seed=1)
    told = []
    splits = {"train": rows.take(np.arange(30)), "test": rows.take(np.arange(30, 40))}
    encoded = mixed.encode_each(splits, told.append)
    assert told == [encoder.column for encoder in mixed.columns]
    whole = only_input(mixed, rows)
    np.testing.assert_array_equal(np.concatenate([encoded[name].inputs["table"] for name in splits]), whole)


def test_rows_that_are_taken_copy_no_column_before_it_is_asked_for():
    rows = mixed_table(40, seed=1)
    columns = dict(rows.columns)
    taken = replace(rows, columns=columns).take(np.array([3, 1]))
    name = next(iter(columns))
    del columns[name]
    assert name not in taken.columns
    assert len(taken) == 2
