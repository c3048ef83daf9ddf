"""Forecasts through the real command: windows of series in, and nothing of the future in the training."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from mltrain.comparison.compared_run import read_run
from mltrain.comparison.pairing import pair
from mltrain.evaluation.interval_forms import student_t
from mltrain.run.predictions import prediction_files
from mltrain.run.rundir import RunDirectory
from tests.conftest import in_process
from tests.csv_files import read_csv
from tests.procedures.interrupted import assert_same_after_an_interruption

STEPS, LENGTH, HORIZON, SEASON = 60, 6, 2, 4
CONFIG = f"""\
data:
  source: {{type: csv, path: sales.csv}}
  target: {{column: sold, scale: standard}}
  windows: {{length: {LENGTH}, horizon: {HORIZON}, season: {SEASON}, by: store}}
  split: {{type: time, column: day, validation: 0.2, test: 0.2}}
model: {{type: sequential, layers: [{{type: LSTM, units: 3, dropout: 0.1}}]}}
training: {{epochs: 3, batch_size: 16, checkpoint: {{every: 2 steps}}}}
evaluation: {{metrics: [mase, mae, rmse]}}
"""


def sales(seed=0):
    """Return rows of two stores, day by day and out of order."""
    draw = np.random.default_rng(seed)
    rows = [
        (f"2024-{1 + step // 28:02d}-{1 + step % 28:02d}", store, step % 7, float(round(level + season + noise, 3)))
        for step, noise in enumerate(draw.normal(size=STEPS))
        for store, level in (("north", 100), ("south", 10))
        for season in [5 * np.sin(2 * np.pi * step / SEASON)]
    ]
    return [rows[place] for place in draw.permutation(len(rows))]


def write(path, rows, header=("day", "store", "weekday", "sold")):
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecast")
    write(folder / "sales.csv", sales())
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    return folder, done.err


@pytest.fixture
def folder(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


def by_hand():
    """Return (day, store) -> value, and the days in order."""
    values = {(day, store): sold for day, store, _, sold in sales()}
    return values, sorted({day for day, _ in values})


def metrics_of(run):
    return json.loads((run / "metrics.json").read_text())


def test_the_splits_are_by_the_day_of_the_target_and_the_horizon_is_left_out(finished):
    folder, said = finished
    rows = sales()
    parts = {name: np.load(folder / f"run/splits/{name}.npy") for name in ("train", "validation", "test")}
    days = {name: sorted({rows[row][0] for row in part}) for name, part in parts.items()}
    _, every = by_hand()
    # Of a horizon of 2, the one day before a border is not known when the first row behind it is foretold.
    assert every.index(days["validation"][0]) == every.index(days["train"][-1]) + HORIZON
    assert every.index(days["test"][0]) == every.index(days["validation"][-1]) + HORIZON
    assert every.index(days["train"][0]) == LENGTH - 1 + HORIZON
    assert "left out: 2 of train, 2 of validation" in said


def test_mase_and_the_naive_baselines_are_those_of_direct_computation(finished):
    folder, said = finished
    values, every = by_hand()
    rows, test = sales(), np.load(folder / "run/splits/test.npy")
    last = max(every.index(rows[row][0]) for row in np.load(folder / "run/splits/train.npy"))
    scale = {
        store: np.mean(
            [abs(values[every[t], store] - values[every[t - SEASON], store]) for t in range(SEASON, last + 1)]
        )
        for store in ("north", "south")
    }
    truth = np.array([rows[row][3] for row in test])
    predicted = np.load(folder / "run/predictions/test.predictions.npy")
    scales = np.array([scale[rows[row][1]] for row in test])
    measured = metrics_of(folder / "run")["splits"]["test"]
    found = measured["metrics"]["mase"]
    assert found["value"] == pytest.approx(np.mean(np.abs(predicted - truth) / scales), rel=1e-12)
    assert found["low"] < found["value"] < found["high"]
    for name, lag in (("naive", HORIZON), ("seasonal_naive", SEASON)):
        guess = np.array([values[every[every.index(rows[row][0]) - lag], rows[row][1]] for row in test])
        baseline = measured["baselines"][name]
        assert baseline["metrics"]["mase"]["value"] == pytest.approx(np.mean(np.abs(guess - truth) / scales), rel=1e-12)
        assert baseline["metrics"]["rmse"]["value"] == pytest.approx(np.sqrt(np.mean((guess - truth) ** 2)), rel=1e-12)
        assert {"value", "low", "high"} <= baseline["difference"]["mase"].keys()
    assert "the last value" in said
    assert "the value one season earlier" in said
    assert "the last value" in (folder / "run/report.html").read_text()


def test_evaluate_gives_the_same_numbers(folder, mltrain):
    done = mltrain("evaluate", "run", "--split", "validation", "--json")
    assert done.code == 0, done.err
    recorded = metrics_of(folder / "run")["splits"]["validation"]
    assert json.loads(done.out)["splits"]["validation"]["metrics"] == recorded["metrics"]
    done = mltrain("evaluate", "run", "--data", "sales.csv", "--json")
    assert json.loads(done.out)["splits"]["sales.csv"]["n"] == 2 * (STEPS - LENGTH + 1 - HORIZON)


def test_two_runs_are_paired_by_mase_with_the_intervals_of_blocks(folder, mltrain):
    """Errors of two stores on one day, and of days in a row, resemble each other: single rows say too much."""
    kept = RunDirectory(folder / "run").predictions("test")
    worse = replace(kept, values=kept.values + np.linspace(-1, 3, len(kept.rows)))
    copied_run(folder, "other", worse)
    (found,) = json.loads(mltrain("compare", "run", "other", "--json").out)["pairs"]
    lost = (np.abs(worse.target - worse.values) - np.abs(kept.target - kept.values)) / kept.forecasts.scale
    half = student_t(kept.forecasts.units - 1) * kept.forecasts.standard_error((lost - lost.mean()) / len(lost))
    half *= np.sqrt(len(lost) / (len(lost) - 1))  # the mean is that of these rows
    assert found["metric"] == "test.mase"
    assert found["paired"]["difference"] == pytest.approx(
        {"value": lost.mean(), "low": lost.mean() - half, "high": lost.mean() + half}, rel=1e-6
    )

    unlike = copied_run(folder, "unlike", replace(kept, forecasts=replace(kept.forecasts, scale=kept.target)))
    first, third = (read_run(RunDirectory(run)) for run in (folder / "run", unlike))
    assert "in units of other naive errors" in pair(third, first).why_not
    assert pair(third, first, "test.mae").paired.value == 0


def copied_run(folder, name, predictions):
    """Copy the run, with other predictions of the test rows."""
    shutil.copytree(folder / "run", folder / name)
    for file, content in prediction_files({"test": predictions}).items():
        (folder / name / "predictions" / file).write_bytes(content)
    return folder / name


def test_a_chart_shows_the_forecasts_of_one_series_in_their_order(folder):
    assert not (folder / "run" / "plots" / "forecast.svg").exists()  # of two stores the lines would cross
    write(folder / "sales.csv", [row for row in sales() if row[1] == "north"])
    done = in_process(
        folder,
        "train",
        "config.yaml",
        "--run-dir",
        "north",
        "--set",
        "data.windows.by=null",
        "--set",
        "training.epochs=1",
    )
    assert done.code == 0, done.err
    test = RunDirectory(folder / "north").predictions("test")
    assert f"the last {len(test.rows)} forecasts of test, 2 rows ahead" in (folder / "north/report.html").read_text()
    assert (folder / "north" / "plots" / "forecast.svg").exists()


def test_the_future_changes_nothing_of_what_the_training_sees(folder):
    from mltrain.config.load import load_text
    from mltrain.data.preparation import prepare

    first = prepare(load_text(CONFIG.encode(), "config.yaml", folder).spec.data, 0)
    rows, seen = sales(), first.splits.train
    border = max(rows[row][0] for row in seen)
    other = [(*row[:3], row[3] if row[0] <= border else row[3] * 1000 + 7) for row in rows]
    write(folder / "sales.csv", other)
    second = prepare(load_text(CONFIG.encode(), "config.yaml", folder).spec.data, 0)
    assert second.preprocessing == first.preprocessing
    assert second.examples["train"].x.tobytes() == first.examples["train"].x.tobytes()
    assert second.examples["train"].y.tobytes() == first.examples["train"].y.tobytes()
    assert second.examples["test"].y.tobytes() != first.examples["test"].y.tobytes()


def test_predictions_are_those_that_were_measured_and_the_newest_reach_beyond_the_data(folder, mltrain):
    done = mltrain("predict", "run", "sales.csv", "--out", "out.csv", "--quiet")
    assert done.code == 0, done.err
    out = {(row["day"], row["store"]): float(row["prediction"]) for row in read_csv(folder / "out.csv")}
    _, every = by_hand()
    assert {day for day, _ in out} == set(every[LENGTH - 1 :])  # the last day, too: its forecast lies behind the data
    rows, test = sales(), np.load(folder / "run/splits/test.npy")
    predicted = np.load(folder / "run/predictions/test.predictions.npy")
    origins = [(every[every.index(rows[row][0]) - HORIZON], rows[row][1]) for row in test]
    np.testing.assert_allclose([out[origin] for origin in origins], predicted, rtol=1e-6)
    told = mltrain("predict", "run", "sales.csv", "--out", "again.csv")
    assert f"{2 * (LENGTH - 1)} of {2 * STEPS} rows were not predicted: too few rows come before them" in told.err


def test_an_interrupted_run_ends_as_if_it_had_not_been(folder, mltrain, monkeypatch):
    done = assert_same_after_an_interruption(folder, mltrain, monkeypatch, ("best", "last"))
    assert "resumed from step" in done.err


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ("data.windows=null", 3, "mase is for forecasts"),
        ("data.split={type: random}", 3, "windows of a series overlap"),
        ("data.windows={length: 2, season: 7}", 3, "a season of 7 rows needs windows of 7 rows or more"),
        ("data.windows={length: 90, by: store}", 4, "no series has the 91 rows that an example needs"),
        (
            "data.windows={length: 6}",
            4,
            "correct or remove the duplicate; if there are several series, set data.windows.by",
        ),
        ("task=binary", 3, "data.windows forecast a number: set task to regression, not binary"),
        ("data.features={store: {type: category}}", 3, "windows hold numbers as they are"),
    ],
)
def test_what_cannot_be_forecast_is_said_in_a_line(folder, mltrain, change, code, message):
    command = "validate" if code == 3 else "train"
    done = mltrain(command, "config.yaml", "--set", change)
    assert (done.code, message in done.err) == (code, True), done.err


def test_a_missing_value_is_an_error_at_its_row(folder, mltrain):
    rows = sales()
    write(folder / "sales.csv", [*rows[:3], (*rows[3][:2], "", rows[3][3]), *rows[4:]])
    done = mltrain("train", "config.yaml")
    assert done.code == 4
    assert "sales.csv:5: column 'weekday': the value is missing, but windows need every value" in done.err
