"""Windows of series: each holds the rows before its target, of its own series, and nothing of a later split."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrain.data.splits import TimeSplit
from mltrain.data.splits.choice import split_rows
from mltrain.data.table import Origin, Table
from mltrain.data.windowed import with_windows
from mltrain.data.windows import WindowsSpec
from mltrain.errors import DataError


@st.composite
def tables(draw):
    """Return rows of up to three series in any order, whose value is the number of the row."""
    lengths = draw(st.lists(st.integers(1, 25), min_size=1, max_size=3))
    rows = [
        (f"s{number}", time + draw(st.integers(0, 2)))
        for number, end in enumerate(lengths)
        for time in range(0, 3 * end, 3)
    ]
    rows = draw(st.permutations(rows))
    columns = {
        "by": pa.array([name for name, _ in rows]),
        "t": pa.array([time for _, time in rows]),
        "y": pa.array(np.arange(len(rows), dtype=np.float64)),
    }
    return Table(columns, Origin("x.csv"), "")


@settings(max_examples=150, deadline=None)
@given(tables(), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2))
def test_no_target_of_a_later_split_is_in_a_window_of_an_earlier_one(table, length, horizon, gap):
    names, times = table.column("by").to_pylist(), table.column("t").to_pylist()
    windows = WindowsSpec(length=length, horizon=horizon, by="by")
    try:
        windowed = with_windows(table, windows, ("y",), "t")
        split = TimeSplit(column="t", validation=0.2, test=0.2, gap=gap)
        splits, _ = split_rows(split, windowed.table, None, 0, (), windowed)
    except DataError:
        return
    column = windowed.table.columns[windowed.column][:, :, 0].astype(int)
    for row in windowed.examples:
        series = sorted((times[other], other) for other in range(len(table)) if names[other] == names[row])
        place = series.index((times[row], row))
        expected = [other for _, other in series[place - horizon - length + 1 : place - horizon + 1]]
        assert column[row].tolist() == expected
    parts = [splits.train, splits.validation, splits.test]
    for number, part in enumerate(parts):
        later = {int(row) for rows in parts[number + 1 :] for row in rows}
        for row in part:
            assert not later & {int(row), *column[row].tolist()}
        for first in later:  # when it is foretold, every earlier target of its series is known
            known = times[column[first][-1]]
            assert all(times[row] <= known for row in part if names[row] == names[first])


def test_rows_in_order_are_not_copied():
    table = Table({"y": pa.array(np.arange(9.0))}, Origin("x.csv"), "")
    windowed = with_windows(table, WindowsSpec(length=3), ("y",), None)
    assert not windowed.table.columns["window"].flags.owndata
    assert windowed.table.columns["window"][8, :, 0].tolist() == [5, 6, 7]


def test_windows_that_do_not_fit_in_the_memory(monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 8)
    table = Table({"y": pa.array(np.arange(9.0))}, Origin("x.csv"), "")
    with pytest.raises(DataError, match="9 windows of 3 x 1 numbers need about 0 GiB of memory"):
        with_windows(table, WindowsSpec(length=3), ("y",), None)
