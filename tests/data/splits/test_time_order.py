"""Splits by time: the oldest rows train, ties stay together, and what is near a border is left out aloud."""

from __future__ import annotations

import itertools
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mltrain.data.splits import Split
from mltrain.data.splits.choice import split_rows
from mltrain.data.table import Origin, Table
from mltrain.errors import DataError


def split(times, **asked):
    table = Table({"x": pa.array(range(len(times))), "t": pa.array(times)}, Origin("x.csv"), "")
    spec = TypeAdapter(Split).validate_python({"type": "time", "column": "t", **asked})
    return split_rows(spec, table, None, 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=40), st.integers(0, 8), st.integers(0, 8), st.integers(0, 3))
def test_every_row_of_a_later_split_is_newer_and_ties_stay_together(times, validation, test, gap):
    try:
        splits, _ = split(times, validation=validation, test=test, gap=gap)
    except DataError as error:
        assert "leaves none for training" in str(error) or "is left with a gap" in str(error)
        return
    parts = [np.array(times)[rows] for rows in (splits.train, splits.validation, splits.test)]
    assert len(parts[0])
    assert len(parts[1]) >= min(validation, 1)
    assert len(parts[2]) >= test
    filled = [part for part in parts if len(part)]
    for older, newer in itertools.pairwise(filled):
        assert older.max() < newer.min()
        between = {time for time in times if older.max() < time < newer.min()}
        assert len(between) == gap  # so many times are in no split, and all of their rows
    for part in parts:
        assert list(part) == sorted(part)
    if not gap:
        assert sum(map(len, parts)) == len(times)


@pytest.mark.parametrize(
    "times",
    [
        [5, 1, 4, 2, 3],
        [0.5, 0.1, 0.4, 0.2, 0.3],
        [2**53 + offset for offset in (5, 1, 4, 2, 3)],  # which a float could not tell apart
        [date(2024, 5, day) for day in (5, 1, 4, 2, 3)],
        [datetime(2024, 5, 1, hour) for hour in (5, 1, 4, 2, 3)],
    ],
    ids=["whole", "fraction", "large", "date", "datetime"],
)
def test_numbers_dates_and_times(times):
    splits, decisions = split(times, validation=1, test=0.2)
    assert splits.train.tolist() == [1, 3, 4]
    assert splits.validation.tolist() == [2]
    assert splits.test.tolist() == [0]
    assert decisions[0].what == "split.borders"
    assert decisions[0].value.startswith("train ")


def test_the_order_of_the_rows():
    splits, (borders, gap) = split([9, 8, 7, 6, 5, 4], column=None, validation=2, test=1, gap=1)
    assert [splits.train.tolist(), splits.validation.tolist(), splits.test.tolist()] == [[0, 1], [3], [5]]
    assert borders.reason == "rows are in the order of the file"
    assert gap.value == "left out: 1 of train, 1 of validation"


def test_borders_are_said_as_people_write_them():
    _, (borders, gap) = split([date(2024, month, 1) for month in range(1, 9)], validation=2, test=2, gap=1)
    assert borders.value == (
        "train 2024-01-01 to 2024-03-01 (3), validation 2024-05-01 to 2024-05-01 (1), test 2024-07-01 to 2024-08-01 (2)"
    )
    assert gap.value == "left out: 1 of train, 1 of validation"


@pytest.mark.parametrize(
    ("times", "asked", "message"),
    [
        ([1, None, 3], {}, "x.csv[1]: column 't': the time is missing"),
        (["a", "b", "c"], {}, "x.csv[0]: column 't': 'a' is not a time by which rows can be put in order"),
        (
            ["079", "080", "081"],
            {},
            "'079' is a code and not a time by which rows can be put in order; to read codes as",
        ),
        ([1, 2, 3], {"column": "when"}, "no column 'when'"),
        ([1, 1, 1, 2], {"test": 2, "validation": 0}, "rows of equal time stay together"),
        ([1, 2, 3], {"test": 1, "validation": 0, "gap": 2}, "none of the 2 train rows is left with a gap of 2"),
    ],
)
def test_what_cannot_be_split(times, asked, message):
    with pytest.raises(DataError) as caught:
        split(times, **asked)
    assert message in str(caught.value)


def test_shares_leave_something():
    with pytest.raises(ValidationError, match="leaves nothing for training"):
        split([1, 2], validation=0.5, test=0.5)


def test_the_column_is_a_feature_only_where_it_is_declared(tmp_path):
    from mltrain.data.preparation import prepare
    from mltrain.data.spec import DataSpec

    rows = "\n".join(f"{2000 + row},{row % 3},{row}.5" for row in range(20))
    (tmp_path / "x.csv").write_text(f"year,a,y\n{rows}\n")
    document = {
        "source": {"type": "csv", "path": str(tmp_path / "x.csv")},
        "target": "y",
        "split": {"type": "time", "column": "year", "test": 3},
    }
    adapter = TypeAdapter(DataSpec)
    prepared = prepare(adapter.validate_python(document), 0)
    assert prepared.info.input.columns == ("a",)
    assert prepared.splits.test.tolist() == [17, 18, 19]
    declared = prepare(adapter.validate_python({**document, "features": {"year": {"type": "number"}}}), 0)
    assert declared.info.input.columns == ("year", "a")
