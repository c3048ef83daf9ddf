"""Forecasts of several columns at once: each has its own naive errors, and the metrics are means over them."""

import json
import shutil

import numpy as np
import pytest

from mltrain.errors import RunError
from mltrain.evaluation.interval_forms import student_t
from mltrain.run.predictions import prediction_files
from mltrain.run.rundir import RunDirectory
from tests.conftest import in_process
from tests.csv_files import read_csv
from tests.procedures.interrupted import assert_same_after_an_interruption
from tests.procedures.test_forecast import sales

LENGTH, HORIZON, SEASON = 6, 2, 4
CONFIG = f"""\
data:
  source: {{type: csv, path: sales.csv}}
  target: {{columns: [sold, returned]}}
  windows: {{length: {LENGTH}, horizon: {HORIZON}, season: {SEASON}, by: store}}
  split: {{type: time, column: day, validation: 0.2, test: 0.2}}
model: {{type: sequential, layers: [{{type: LSTM, units: 3, dropout: 0.1}}]}}
training: {{epochs: 3, batch_size: 16, checkpoint: {{every: 2 steps}}}}
evaluation: {{metrics: [mase, mae, rmse]}}
"""
TARGETS = ("sold", "returned")


def rows_of_two():
    """Return rows of day, store, sold and returned, which is a thousand times as small."""
    draw = np.random.default_rng(5)
    return [(day, store, sold, round(sold / 1000 + 0.01 * float(draw.normal()), 5)) for day, store, _, sold in sales()]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    lines = ["day,store,sold,returned", *(",".join(map(str, row)) for row in rows_of_two())]
    (folder / "sales.csv").write_text("\n".join(lines) + "\n")
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    return folder, done.err


@pytest.fixture
def folder(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


def metrics_of(folder, run="run"):
    return json.loads((folder / run / "metrics.json").read_text())["splits"]["test"]


def test_mase_and_the_naive_baselines_are_means_over_the_targets(finished):
    folder, said = finished
    rows = rows_of_two()
    days = sorted({row[0] for row in rows})
    test = np.load(folder / "run/splits/test.npy")
    last = max(days.index(rows[row][0]) for row in np.load(folder / "run/splits/train.npy"))
    predicted = np.load(folder / "run/predictions/test.predictions.npy")
    measured = metrics_of(folder)
    found, naive, seasonal = [], [], []
    for number in range(2):
        of = {(row[0], row[1]): row[2 + number] for row in rows}
        scale = {
            store: np.mean([abs(of[days[t], store] - of[days[t - SEASON], store]) for t in range(SEASON, last + 1)])
            for store in ("north", "south")
        }
        truth = np.array([rows[row][2 + number] for row in test])
        scales = np.array([scale[rows[row][1]] for row in test])
        found.append(np.mean(np.abs(predicted[:, number] - truth) / scales))
        for values, lag in ((naive, HORIZON), (seasonal, SEASON)):
            guess = np.array([of[days[days.index(rows[row][0]) - lag], rows[row][1]] for row in test])
            values.append(np.mean(np.abs(guess - truth) / scales))
        assert measured["outputs"][TARGETS[number]]["metrics"]["mase"]["value"] == pytest.approx(found[-1], rel=1e-12)
    mase = measured["metrics"]["mase"]
    assert mase["value"] == pytest.approx(np.mean(found), rel=1e-12)
    assert mase["low"] < mase["value"] < mase["high"]
    for name, values in (("naive", naive), ("seasonal_naive", seasonal)):
        baseline = measured["baselines"][name]
        assert baseline["metrics"]["mase"]["value"] == pytest.approx(np.mean(values), rel=1e-12)
        assert {"value", "low", "high"} <= baseline["difference"]["mase"].keys()
    assert "to forecast 'sold' and 'returned' 2 ahead" in said
    assert "predicts the same" in said


def test_the_interval_is_that_of_blocks_of_times(finished):
    """Rows of one time are one unit, and days in a row resemble each other, as for one target."""
    folder, _ = finished
    kept = RunDirectory(folder / "run").predictions("test")
    errors = np.abs(kept.target - kept.values) / kept.forecasts.scale
    lost = errors.mean(axis=1)
    steps = kept.forecasts.standard_error((lost - lost.mean()) / len(lost)) / lost.mean()
    mase = metrics_of(folder)["metrics"]["mase"]
    ratio = np.log(mase["high"] / mase["value"])
    assert np.log(mase["value"] / mase["low"]) == pytest.approx(ratio)
    assert ratio == pytest.approx(student_t(kept.forecasts.units - 1) * steps, rel=0.03)


def test_evaluate_gives_the_same_numbers(folder, mltrain):
    done = mltrain("evaluate", "run", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)["splits"]["test"]
    assert (found["metrics"], found["outputs"]) == (metrics_of(folder)["metrics"], metrics_of(folder)["outputs"])
    assert mltrain("evaluate", "run", "--data", "sales.csv").code == 0


def test_predictions_are_those_that_were_measured(folder, mltrain):
    done = mltrain("predict", "run", "sales.csv", "--out", "out.csv", "--quiet")
    assert done.code == 0, done.err
    rows, days = rows_of_two(), sorted({row[0] for row in rows_of_two()})
    out = {(row["day"], row["store"]): row for row in read_csv(folder / "out.csv")}
    test = np.load(folder / "run/splits/test.npy")
    predicted = np.load(folder / "run/predictions/test.predictions.npy")
    origins = [out[days[days.index(rows[row][0]) - HORIZON], rows[row][1]] for row in test]
    for number, name in enumerate(TARGETS):
        mine = [float(row[f"prediction_{name}"]) for row in origins]
        np.testing.assert_allclose(mine, predicted[:, number], rtol=1e-5)


def test_an_interrupted_run_ends_as_if_it_had_not_been(folder, mltrain, monkeypatch):
    assert_same_after_an_interruption(folder, mltrain, monkeypatch)


def test_two_runs_are_paired_by_mase(folder, mltrain):
    assert mltrain("train", "config.yaml", "--run-dir", "other", "--set", "seed=1").code == 0
    (found,) = json.loads(mltrain("compare", "run", "other", "--json").out)["pairs"]
    difference = (
        metrics_of(folder, "other")["metrics"]["mase"]["value"] - metrics_of(folder)["metrics"]["mase"]["value"]
    )
    assert found["metric"] == "test.mase"
    assert found["paired"]["difference"]["value"] == pytest.approx(difference)


def test_damaged_forecasts_of_several_targets_are_refused(folder):
    stored = RunDirectory(folder / "run").predictions("test")
    assert stored.forecasts.scale.shape == stored.forecasts.seasonal.shape == stored.target.shape
    columns = np.load(folder / "run/predictions/test.forecasts.npy")
    assert (
        prediction_files({"test": stored})["test.forecasts.npy"]
        == (folder / "run/predictions/test.forecasts.npy").read_bytes()
    )
    np.save(folder / "run/predictions/test.forecasts.npy", columns[:, :-1])
    with pytest.raises(RunError, match="expected float64"):
        RunDirectory(folder / "run").predictions("test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("task=multilabel", "data.windows forecast several numbers: set task to multiregression, not multilabel"),
        ("task=regression", "data.windows forecast several numbers: set task to multiregression, not regression"),
        ("data.target={columns: [sold, day]}", "column 'day'"),
        ("data.windows.known=[returned]", "'returned' is the target, which is not known in advance"),
    ],
)
def test_what_cannot_be_forecast_is_said_in_a_line(folder, mltrain, change, message):
    done = mltrain("train", "config.yaml", "--set", change)
    assert (done.code in (3, 4), message in done.err) == (True, True), done.err
