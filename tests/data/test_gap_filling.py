"""Gaps that are filled with rows: at the usual step, never a target, and never with what is later than a window."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrain.data.table import Origin, Table
from mltrain.data.windowed import with_windows
from mltrain.data.windows import FillGaps, WindowsSpec
from mltrain.errors import DataError
from tests.csv_files import read_csv


def table_of(rows):
    """Return the table of rows (series, time, value)."""
    by, times, values = zip(*rows, strict=True)
    columns = {"by": pa.array(by), "t": pa.array(times), "y": pa.array(np.array(values, np.float64))}
    return Table(columns, Origin("x.csv"), "")


def windowed_of(table, how, length=2, horizon=1):
    windows = WindowsSpec(length=length, horizon=horizon, by="by", gaps=FillGaps(fill=how))
    return with_windows(table, windows, ("y",), "t")


def filled_of(times, how="previous"):
    """Return the times and the values of the rows that fill the gaps of one series."""
    found = windowed_of(table_of([("a", time, number) for number, time in enumerate(times)]), how)
    table = found.table
    rows = np.flatnonzero(found.made)
    return table.column("t").take(rows).to_pylist(), table.column("y").take(rows).to_pylist()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([0, 1, 2, 5, 6], [3, 4]),
        ([0.0, 0.5, 1.0, 2.0, 2.5], [1.5]),
        ([0, 2, 4, 9, 11], [6]),  # of 5 steps of 2 two fit in, so one row, and times stay whole
        ([date(2024, 1, day) for day in (1, 2, 3, 6, 7)], [datetime(2024, 1, 4), datetime(2024, 1, 5)]),
        ([date(2024, month, 1) for month in (1, 2, 3, 6, 7)], [datetime(2024, 4, 1), datetime(2024, 5, 1)]),
        (
            [date(2024, month, day) for month, day in ((1, 31), (2, 29), (3, 31), (6, 30), (7, 31))],
            [datetime(2024, 4, 30), datetime(2024, 5, 31)],
        ),
        ([datetime(2024, 1, 1, hour) for hour in (0, 6, 12)] + [datetime(2024, 1, 2)], [datetime(2024, 1, 1, 18)]),
    ],
    ids=["whole numbers", "numbers", "no whole number of steps", "days", "months", "ends of months", "hours"],
)
def test_rows_are_at_the_usual_step(times, expected):
    if isinstance(times[0], date):
        times = [datetime(each.year, each.month, each.day, getattr(each, "hour", 0)) for each in times]
    assert filled_of(times)[0] == expected


def test_values_are_those_before_the_gap_or_on_the_line_across_it():
    assert filled_of([0, 1, 2, 5, 6], "previous")[1] == [2, 2]
    assert filled_of([0, 1, 2, 5, 6], "linear")[1] == pytest.approx([2 + 1 / 3, 2 + 2 / 3])


@st.composite
def series_with_gaps(draw):
    rows = []
    for name in ("a", "b")[: draw(st.integers(1, 2))]:
        there = draw(st.lists(st.booleans(), min_size=10, max_size=25))
        rows += [(name, time) for time, is_there in enumerate(there) if is_there or time < 6]
    rows = draw(st.permutations(rows))
    return [(name, time, float(number)) for number, (name, time) in enumerate(rows)]


@settings(max_examples=80, deadline=None)
@given(series_with_gaps(), st.sampled_from(["previous", "linear"]), st.integers(1, 3), st.integers(1, 2))
def test_no_window_knows_a_later_row_and_no_target_was_filled_in(rows, how, length, horizon):
    try:
        found = windowed_of(table_of(rows), how, length, horizon)
    except DataError:  # more gaps than rows
        return
    assert (found.examples < len(rows)).all()
    whole = found.table.column("t").to_numpy()
    values = found.table.columns[found.column]
    known = {(name, time): value for name, time, value in rows}
    for changed, (name, time, value) in enumerate(rows):
        other = [*rows[:changed], (name, time, value + 1000), *rows[changed + 1 :]]
        again = windowed_of(table_of(other), how, length, horizon)
        assert again.examples.tolist() == found.examples.tolist()
        different = (again.table.columns[again.column] != values).any(axis=(1, 2))
        for row in found.examples[different[found.examples]]:
            assert rows[row][0] == name
            assert whole[row] - horizon >= time  # the window ends at that row, or later
    for row in found.examples:  # where no row was filled in, a window has the values as they are
        times = sorted(time for name, time, _ in rows if name == rows[row][0])
        steps = sorted(late - early for early, late in pairwise(times))
        if steps[(len(steps) - 1) // 2] != 1:  # the usual step is another one, and these are not its steps
            continue
        for place, back in enumerate(range(horizon + length - 1, horizon - 1, -1)):
            step = (rows[row][0], rows[row][1] - back)
            if step in known:
                assert values[row, place, 0] == known[step]


def test_a_date_far_away_does_not_fill_the_memory():
    rows = [("a", time, 0.0) for time in (*range(20), 10**9)]
    with pytest.raises(DataError, match=r"fill would add 999,999,980 rows to 21 \(the longest gap is 1e\+09, before x"):
        windowed_of(table_of(rows), "previous")


CONFIG = """\
data:
  source: {type: csv, path: sales.csv}
  target: {column: sold, scale: standard}
  windows: {length: 3, by: store, season: 2, gaps: {fill: HOW}}
  split: {type: time, column: day, validation: 0.2, test: 0.2}
model: {type: linear}
training: {epochs: 1}
evaluation: {metrics: [mase]}
"""


def sales(missing=(20, 21, 22)):
    return [
        (date(2024, 1, 1) + timedelta(days=day), store, (day * 7 + len(store)) % 5 + day % 3)
        for day in range(40)
        for store in ("north", "southern")
        if not (store == "north" and day in missing)
    ]


@pytest.mark.long
@pytest.mark.parametrize(
    ("how", "rows", "holding"), [("previous", 71, 3), pytest.param("linear", 70, 2, marks=pytest.mark.long)]
)
def test_it_is_said_and_done_alike_in_every_command(mltrain, tmp_path, how, rows, holding):
    lines = "".join(f"{day},{store},{sold}\n" for day, store, sold in sales())
    (tmp_path / "sales.csv").write_text(f"day,store,sold\n{lines}")
    (tmp_path / "c.yaml").write_text(CONFIG.replace("HOW", how))
    values = "the values of the row before the gap" if how == "previous" else "values on the line across the gap"
    said = (
        "the usual step of 'day' is 1 day; 1 of 75 steps is longer (the longest is 4 days, before sales.csv:45); "
        f"3 rows fill the gaps with {values}, and {holding} of {rows} windows hold such rows, which are never forecast"
    )
    done = mltrain("train", "c.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "run/record.json").read_text())
    assert record["data"]["rows"] == 77
    (decision,) = [each for each in record["decisions"] if each["what"] == "windows.gaps"]
    assert decision["value"] == f"fill: {how}"
    assert decision["reason"].startswith(said)
    assert said in mltrain("audit", "c.yaml").out
    recorded = json.loads((tmp_path / "run/metrics.json").read_text())["splits"]["test"]["metrics"]
    assert json.loads(mltrain("evaluate", "run", "--json").out)["splits"]["test"]["metrics"] == recorded
    measured = mltrain("evaluate", "run", "--data", "sales.csv", "--json")
    assert json.loads(measured.out)["splits"]["sales.csv"]["n"] == rows
    assert said in measured.out
    done = mltrain("predict", "run", "sales.csv", "--out", "out.csv")
    assert done.code == 0, done.err
    assert "3 rows fill the gaps" in done.err
    assert len(read_csv(tmp_path / "out.csv")) == 77 - 4


def test_the_scale_of_mase_and_of_the_window_is_that_of_rows_that_are_there(mltrain, tmp_path):
    rows = sales()
    lines = "".join(f"{day},{store},{sold}\n" for day, store, sold in rows)
    (tmp_path / "sales.csv").write_text(f"day,store,sold\n{lines}")
    (tmp_path / "c.yaml").write_text(CONFIG.replace("HOW", "linear"))
    assert mltrain("train", "c.yaml", "--run-dir", "run").code == 0
    train = np.load(tmp_path / "run/splits/train.npy")
    assert train.max() < len(rows)
    last = {store: max(rows[row][0] for row in train if rows[row][1] == store) for store in ("north", "southern")}
    known = {(store, day): sold for day, store, sold in rows if day <= last[store]}
    window = json.loads((tmp_path / "run/preprocessing.json").read_text())["columns"][0]
    assert window["windows"]["gaps"] == {"fill": "linear"}
    assert window["center"] == pytest.approx([np.mean([*known.values()])], rel=1e-12)
    for store, error in zip(window["series"], window["naive_errors"], strict=True):
        season = timedelta(days=2)
        mine = [
            abs(sold - known[store, day - season])
            for (of, day), sold in known.items()
            if of == store and (store, day - season) in known
        ]
        assert error == pytest.approx(np.mean(mine), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "data.windows.gaps={fill: next}",
            "data.windows.gaps.fill: expected 'previous' or 'linear', received text 'next'",
        ),
        ("data.windows.gaps=fill", "data.windows.gaps: expected 'keep', 'drop' or 'error' or a mapping"),
        ("data.split={type: none}", "gaps can only be found in a column of times: set data.split.column"),
    ],
)
def test_what_cannot_be_filled_is_said_at_its_line(mltrain, tmp_path, change, message):
    (tmp_path / "c.yaml").write_text(CONFIG.replace("HOW", "linear"))
    done = mltrain("validate", "c.yaml", "--set", change)
    assert (done.code, message in done.err) == (3, True), done.err
