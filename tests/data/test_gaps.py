"""Gaps in the time of a series: counted, reported, and left out or refused where that is asked for."""

import json
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from mltrain.data.table import Origin, Table
from mltrain.data.windowed import with_windows
from mltrain.data.windows import WindowsSpec
from tests.csv_files import read_csv

CONFIG = """\
data:
  source: {type: csv, path: sales.csv}
  target: {column: sold, scale: standard}
  windows: {length: 3, by: store}
  split: {type: time, column: day, validation: 0.2, test: 0.2}
model: {type: linear}
training: {epochs: 1}
"""


@pytest.mark.parametrize("horizon", [1, 2])
def test_windows_over_a_gap_are_those_that_a_slow_count_finds(horizon):
    draw = np.random.default_rng(0)
    rows = [(name, time) for name in "ab" for time in range(40) if draw.random() > 0.1]
    rows = [rows[place] for place in draw.permutation(len(rows))]
    columns = {
        "by": pa.array([name for name, _ in rows]),
        "t": pa.array([time for _, time in rows]),
        "y": pa.array(np.arange(len(rows), dtype=np.float64)),
    }
    table, length = Table(columns, Origin("x.csv"), ""), 3
    windows = WindowsSpec(length=length, horizon=horizon, by="by")
    windowed = with_windows(table, windows, ("y",), "t")
    over = set()
    for row in windowed.examples:
        times = sorted(time for name, time in rows if name == rows[row][0])
        place = times.index(rows[row][1])
        part = times[place - horizon - length + 1 : place + 1]
        if max(np.diff(part)) > 1:
            over.add(int(row))
    assert over
    assert set(np.flatnonzero(windowed.gaps.spans[windowed.examples]).tolist()) == {
        place for place, row in enumerate(windowed.examples) if int(row) in over
    }
    assert (windowed.gaps.spanning, windowed.gaps.windows) == (len(over), len(windowed.examples))
    steps = [step for name in "ab" for step in np.diff(sorted(time for other, time in rows if other == name))]
    assert (windowed.gaps.count, windowed.gaps.steps) == (sum(step > 1 for step in steps), len(steps))
    dropped = with_windows(table, WindowsSpec(length=length, horizon=horizon, by="by", gaps="drop"), ("y",), "t")
    assert dropped.examples.tolist() == [row for row in windowed.examples.tolist() if row not in over]


def test_the_months_of_a_year_are_not_gaps():
    days = [datetime(2020 + month // 12, month % 12 + 1, 1) for month in range(36)]
    columns = {"t": pa.array(days, pa.timestamp("us")), "y": pa.array(np.arange(36.0))}
    assert with_windows(Table(columns, Origin("x.csv"), ""), WindowsSpec(length=3), ("y",), "t").gaps is None


def sales(folder, name="sales.csv", missing=(20, 21, 22)):
    rows = [
        (date(2024, 1, 1) + timedelta(days=day), store, (day * 7 + len(store)) % 5 + 0.5)
        for day in range(40)
        for store in ("north", "southern")
        if not (store == "north" and day in missing)
    ]
    (folder / name).write_text("day,store,sold\n" + "".join(f"{day},{store},{sold}\n" for day, store, sold in rows))
    return rows


SENTENCE = (
    "the usual step of 'day' is 1 day; 1 of 75 steps is longer (the longest is 4 days, before sales.csv:45), and 3 of "
    "71 windows span such a gap"
)


def train(folder, mltrain, gaps, code=0):
    sales(folder)
    (folder / "config.yaml").write_text(CONFIG.replace("length: 3", f"length: 3, gaps: {gaps}"))
    done = mltrain("train", "config.yaml", "--run-dir", gaps)
    assert done.code == code, done.err
    return done


def test_gaps_are_reported_and_the_windows_kept(tmp_path, mltrain):
    done = train(tmp_path, mltrain, "keep")
    assert SENTENCE in done.err
    assert "data.windows.gaps: drop leaves these windows out" in done.err
    predicted = mltrain("predict", "keep", "sales.csv", "--out", "out.csv", "--summary", "s.json")
    assert "of 75 steps is longer" in predicted.err
    assert json.loads((tmp_path / "s.json").read_text())["gaps"] == {"steps": 1, "windows": 2}
    assert len(read_csv(tmp_path / "out.csv")) == 77 - 2 * 2
    measured = mltrain("evaluate", "keep", "--data", "sales.csv")
    assert (measured.code, SENTENCE in measured.err) == (0, True)


def test_windows_over_a_gap_can_be_left_out(tmp_path, mltrain):
    done = train(tmp_path, mltrain, "drop")
    assert f"{SENTENCE}; these windows are left out" in done.err
    predicted = mltrain("predict", "drop", "sales.csv", "--out", "out.csv", "--summary", "s.json")
    assert predicted.code == 0, predicted.err
    assert len(read_csv(tmp_path / "out.csv")) == 77 - 2 * 2 - 2
    assert json.loads((tmp_path / "s.json").read_text())["without_history"] == 4
    measured = json.loads(mltrain("evaluate", "drop", "--data", "sales.csv", "--json").out)
    assert next(iter(measured["splits"].values()))["n"] == 71 - 3


def test_gaps_can_be_refused(tmp_path, mltrain):
    done = train(tmp_path, mltrain, "error", code=4)
    assert "sales.csv:45: column 'day': there is a gap of 4 days before this row" in done.err
    assert done.err.count("\n") == 1
    (tmp_path / "config.yaml").write_text(
        CONFIG.replace("length: 3", "length: 3, gaps: drop").replace("column: day, ", "")
    )
    refused = mltrain("validate", "config.yaml")
    assert refused.code == 3
    assert "data.windows.gaps: gaps can only be found in a column of times: set data.split.column" in refused.err


def test_the_advice_for_a_missing_target_works(tmp_path, mltrain):
    rows = sales(tmp_path)
    text = (tmp_path / "sales.csv").read_text().splitlines()
    text[30] = text[30].rpartition(",")[0] + ","
    (tmp_path / "sales.csv").write_text("\n".join(text) + "\n")
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("train", "config.yaml")
    assert done.code == 4
    assert "sales.csv:31: column 'sold': the value is missing" in done.err
    assert "ignore" not in done.err
    assert "fill it in the data, or remove the row" in done.err
    del text[30]
    (tmp_path / "sales.csv").write_text("\n".join(text) + "\n")
    assert mltrain("audit", "config.yaml").code == 0
    assert len(rows) == 77


def test_the_audit_reports_gaps(tmp_path, mltrain):
    sales(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("audit", "config.yaml")
    line = f"{SENTENCE}; data.windows.gaps: drop leaves these windows out [data.windows.gaps]"
    assert f"warning: {line}\n" in done.out
    assert "nothing was found" not in done.out
    found = json.loads(mltrain("audit", "config.yaml", "--json").out)["findings"]
    assert [(each["finding"], each["level"]) for each in found if each["key"] == "data.windows.gaps"] == [
        ("gaps_in_time", "warning")
    ]
    assert mltrain("audit", "config.yaml", "--strict").code == 10
    dropped = mltrain("audit", "config.yaml", "--set", "data.windows.gaps=drop")
    assert f"note: {SENTENCE}; these windows are left out" in dropped.out


def test_a_series_without_a_window_is_named(tmp_path, mltrain):
    sales(tmp_path, missing=())
    with (tmp_path / "sales.csv").open("a") as file:
        file.write("2024-01-01,west,1.5\n2024-01-02,west,2.5\n")
    (tmp_path / "config.yaml").write_text(CONFIG)
    sentence = "1 of 3 series has no window and cannot be forecast: west; a window and its target need 4 rows"
    done = mltrain("audit", "config.yaml")
    assert f"warning: {sentence}" in done.out
    trained = mltrain("train", "config.yaml", "--run-dir", "run")
    assert trained.code == 0, trained.err
    assert sentence in trained.err
    assert "74 of 82 rows in 3 series have enough rows before them, in 2 of the series" in trained.err


def test_the_audit_says_that_there_are_few_training_rows(tmp_path, mltrain):
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(17)]
    (tmp_path / "sales.csv").write_text("day,sold\n" + "".join(f"{day},{day.day % 5}.5\n" for day in days))
    (tmp_path / "config.yaml").write_text(CONFIG.replace(", by: store", ""))
    done = mltrain("audit", "config.yaml")
    assert "note: too few rows: there are only 8 training rows" in done.out, done.out
    assert "nothing was found" not in done.out


def test_two_rows_of_one_time_are_both_named(tmp_path, mltrain):
    sales(tmp_path, missing=())
    with (tmp_path / "sales.csv").open("a") as file:
        file.write("2024-01-03,north,1.5\n")
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("audit", "config.yaml")
    assert done.code == 4
    assert "sales.csv:82: column 'day'" in done.err
    assert "series 'north' has another row of the same time, sales.csv:6; correct or remove the duplicate" in done.err
