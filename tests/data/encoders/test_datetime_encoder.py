from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from mltrain.data.features import DatetimeFeature
from mltrain.errors import DataError
from tests.data.tables import column

DAYS = [datetime(2024, 2, 29, 13, 5), datetime(2023, 7, 2, 13, 5), None]


def test_parts_that_differ_are_taken_and_said():
    fitted = DatetimeFeature(scale="none").fit(column(DAYS), "standard")
    assert fitted.encoder.names == ("x.year", "x.month", "x.day", "x.weekday", "x is missing")
    assert [raw.name for raw in fitted.encoder.raw_inputs] == ["x.year", "x.month", "x.day", "x.weekday"]
    encoded = fitted.encoder.encode(column(DAYS))
    assert encoded.values.tolist() == [[2024, 2, 29, 3, 0], [2023, 7, 2, 6, 0], [2023.5, 4.5, 15.5, 4.5, 1]]
    assert encoded.missing == {"x": 1}
    assert fitted.decisions[0].value == "year, month, day, weekday"


def test_named_parts_come_from_the_largest_and_are_scaled():
    raw = column([date(2024, 1, 1), date(2024, 1, 3)])
    encoder = DatetimeFeature(parts=("hour", "day"), scale="minmax").fit(raw, "none").encoder
    assert encoder.names == ("x.day", "x.hour")
    assert encoder.encode(raw).values.tolist() == [[0, 0], [1, 0]]


def test_times_with_a_zone_are_taken_in_utc():
    import pyarrow as pa

    aware = pa.array([datetime(2024, 1, 1, 23, tzinfo=UTC)], pa.timestamp("us", "America/New_York"))
    raw = column(pa.concat_arrays([aware, pa.array([datetime(2024, 1, 2, 1, tzinfo=UTC)], aware.type)]))
    encoder = DatetimeFeature(parts=("hour",)).fit(raw, "none").encoder
    assert encoder.encode(raw).values[:, 0].tolist() == [23, 1]


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([None, "soon"], r"\[1\]: column 'x': expected a date, found 'soon' .*write it as 2024-05-31"),
        ([datetime(2024, 1, 1)] * 3, "every training row has 2024-01-01 00:00:00, so nothing can be learned"),
        ([None, None], "no training row has a value"),
        (np.zeros((2, 2)), "expected dates, but the column holds float64 arrays"),
    ],
)
def test_what_is_no_date_is_an_error(train, message):
    with pytest.raises(DataError, match=message):
        DatetimeFeature().fit(column(train), "none")


def test_missing_can_be_an_error():
    with pytest.raises(DataError, match=r"\[2\]: column 'x': the value is missing"):
        DatetimeFeature(missing="error").fit(column(DAYS), "none")
