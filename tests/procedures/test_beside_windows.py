"""Forecasts with columns beside the windows: known in advance, or with one value in each series."""

import json
import shutil
from datetime import date, timedelta

import numpy as np
import pytest

from mltrain.config.load import load_text
from mltrain.data.preparation import prepare
from mltrain.data.preprocessing import Preprocessing
from mltrain.errors import RunError
from tests.conftest import in_process
from tests.csv_files import read_csv
from tests.procedures.interrupted import assert_same_after_an_interruption

DAYS, LENGTH = 70, 5
LAST = "2024-03-10"
STORES = {"north": ("big", 4.5), "south": ("small", 2.5)}
HEADER = "day,store,size,area,promo,kind,heat,sold\n"
CONFIG = """\
data:
  source: {type: csv, path: sales.csv}
  target: {column: sold, scale: standard}
  windows: {length: 5, horizon: HORIZON, by: store, known: [promo, kind, day], static: [size, area, store]}
  split: {type: time, column: day, validation: 0.2, test: 0.2}
model:
  type: fusion
  inputs: {window: {type: rnn, units: [3]}, known: {type: mlp, units: [4]}, static: {type: mlp, units: [2]}}
  units: [4]
  dropout: 0.1
training: {epochs: 3, batch_size: 16, checkpoint: {every: 2 steps}}
evaluation: {metrics: [mase, mae]}
"""


def rows_of_stores(days=DAYS, seed=0):
    """Return the rows as texts, of two stores in turn; sold depends on what is known of its own day."""
    draw = np.random.default_rng(seed)
    rows = []
    for step in range(days):
        for store, (size, area) in STORES.items():
            day = date(2024, 1, 1) + timedelta(days=step)
            promo, kind = int(draw.integers(0, 2)), ("plain", "fair", "feast")[draw.integers(3)]
            sold = round(10 * area + 8 * promo + 5 * (kind == "feast") + float(draw.normal()), 3)
            rows.append([str(day), store, size, area, promo, kind, round(float(draw.normal()), 3), sold])
    return rows


def write(path, rows):
    path.write_text(HEADER + "".join(",".join(map(str, row)) + "\n" for row in rows))


@pytest.fixture(scope="module", params=[1, pytest.param(3, marks=pytest.mark.long)], ids=["one step", "three steps"])
def finished(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    write(folder / "sales.csv", rows_of_stores())
    (folder / "config.yaml").write_text(CONFIG.replace("HORIZON", str(request.param)))
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    return folder, request.param, done.err


@pytest.fixture
def folder(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def horizon(finished):
    return finished[1]


def prepared(folder):
    spec = load_text((folder / "config.yaml").read_bytes(), "config.yaml", folder).spec
    return prepare(spec.data, 0)


def test_what_is_declared_is_said_and_model_keras_takes_the_raw_columns(finished):
    _, _, said = finished
    assert "windows.known: promo, kind, day (the config says that they are known in advance" in said
    assert "windows.static: size, area, store (they have one value in each series)" in said
    assert "model.keras, opened in another process, predicts the same" in said


def test_the_inputs_hold_the_rows_up_to_the_target_and_what_its_series_has(folder, horizon):
    found = prepared(folder)
    shapes = {each.name: each.shape for each in found.info.inputs}
    known = (7,) if horizon == 1 else (horizon, 7)  # promo, three kinds, and month, day and weekday of the date
    assert shapes["window"] == (LENGTH, 3)  # promo, heat and sold: what is static tells nothing in a window
    assert shapes["known"] == known
    assert shapes["static"] == (5,)
    rows = rows_of_stores()
    mine = {(row[0], row[1]): row for row in rows}
    train = found.examples["train"]
    part = found.preprocessing.columns[1]
    promo = part.scaling if horizon == 1 else part.parts[0].scaling
    for place, number in enumerate(train.rows[:20]):
        row = rows[number]
        last = date.fromisoformat(row[0])
        steps = [mine[str(last - timedelta(days=back)), row[1]] for back in reversed(range(horizon))]
        values = train.inputs["known"][place].reshape(horizon, 7)
        assert values[:, 0].tolist() == promo.apply(np.array([float(step[4]) for step in steps])).tolist()
        assert [("fair", "feast", "plain")[each] for each in values[:, 1:4].argmax(axis=1)] == [s[5] for s in steps]
        assert train.inputs["static"][place, :2].tolist() == [row[2] == "big", row[2] == "small"]


def test_scales_and_categories_are_those_of_the_training_rows(folder):
    first = prepared(folder)
    border = max(rows_of_stores()[row][0] for row in first.splits.train)
    rows = [row if row[0] <= border else [*row[:4], 7, "unseen", *row[6:]] for row in rows_of_stores()]
    write(folder / "sales.csv", rows)
    second = prepared(folder)
    assert second.preprocessing == first.preprocessing
    for name, values in first.examples["train"].inputs.items():
        assert second.examples["train"].inputs[name].tobytes() == values.tobytes()
    assert second.examples["test"].unknown == {"kind": len(second.splits.test)}


def test_evaluate_gives_the_numbers_of_the_training(folder, mltrain):
    done = mltrain("evaluate", "run", "--json")
    assert done.code == 0, done.err
    recorded = json.loads((folder / "run/metrics.json").read_text())["splits"]["test"]["metrics"]
    assert json.loads(done.out)["splits"]["test"]["metrics"] == recorded
    assert mltrain("evaluate", "run", "--data", "sales.csv").code == 0


def test_an_interrupted_run_ends_as_if_it_had_not_been(folder, mltrain, monkeypatch):
    assert_same_after_an_interruption(folder, mltrain, monkeypatch)


def test_a_forecast_is_in_its_own_row_also_where_the_target_is_still_to_come(folder, horizon, mltrain):
    rows = rows_of_stores(DAYS + 4)
    to_come = [[*row[:6], "", ""] if row[0] > LAST else row for row in rows]
    write(folder / "new.csv", to_come)
    done = mltrain("predict", "run", "new.csv", "--out", "out.csv")
    assert done.code == 0, done.err
    out = {(row["day"], row["store"]): float(row["prediction"]) for row in read_csv(folder / "out.csv")}
    days = sorted({day for day, _ in out})
    assert len(days) == DAYS - LENGTH - horizon + 1 + horizon
    assert days[-1] == str(date.fromisoformat(LAST) + timedelta(days=horizon))
    rest = f", and {2 * (4 - horizon)} more have none: a forecast is at most" if horizon < 4 else ""
    assert f"each forecast is in its own row; {2 * horizon} rows with an empty 'sold' have a forecast{rest}" in done.err
    test = np.load(folder / "run/splits/test.npy")
    measured = np.load(folder / "run/predictions/test.predictions.npy")
    old = rows_of_stores()
    np.testing.assert_allclose([out[old[row][0], old[row][1]] for row in test], measured, rtol=1e-6)
    # What is known of a coming row changes its forecast; what is written there of other columns does not.
    changed = [[*row[:4], 1 - row[4], *row[5:6], 99, ""] if row[0] > LAST else row for row in rows]
    write(folder / "other.csv", changed)
    assert mltrain("predict", "run", "other.csv", "--out", "again.csv").code == 0
    again = {(row["day"], row["store"]): float(row["prediction"]) for row in read_csv(folder / "again.csv")}
    assert again.keys() == out.keys()
    assert {place for place in out if out[place] != again[place]} == {key for key in out if key[0] > LAST}


def test_without_coming_rows_it_is_said_how_to_get_a_forecast_of_them(folder, mltrain):
    done = mltrain("predict", "run", "sales.csv", "--out", "out.csv")
    assert "add rows with an empty 'sold' to the end of each series, with the known columns" in done.err


def test_a_coming_row_without_what_is_known_is_an_error_at_its_row(folder, mltrain):
    rows = [[*row[:6], "", ""] if row[0] > LAST else row for row in rows_of_stores(DAYS + 1)]
    rows[-1][5] = ""
    write(folder / "new.csv", rows)
    done = mltrain("predict", "run", "new.csv", "--out", "out.csv")
    assert done.code == 4
    said = f"new.csv:{len(rows) + 1}: column 'kind': the value is missing, but data.windows.known needs it in every row"
    assert said in done.err


def test_a_static_column_that_changes_is_an_error_at_its_row(folder, mltrain):
    rows = rows_of_stores()
    rows[30][2] = "huge"
    write(folder / "sales.csv", rows)
    for command in (("train", "config.yaml"), ("predict", "run", "sales.csv", "--out", "out.csv")):
        done = mltrain(*command)
        assert done.code == 4
        assert "sales.csv:32: column 'size': the value is 'huge', but 'big' in sales.csv:30" in done.err


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ("data.windows.known=[day, store]", 3, "'store' names the series and never changes in one"),
        ("data.windows.known=[sold]", 3, "'sold' is the target, which is not known in advance"),
        ("data.windows.known=[promo, promo]", 3, "data.windows.known[1]: 'promo' is listed twice"),
        ("data.windows.by=null", 3, "there is one series, so a static column has one value"),
        ("data.features={promo: ignore}", 3, "it cannot have the type ignore"),
        ("model=mlp", 3, "a model of type mlp takes one input, and data.windows.known and data.windows.static are"),
        ("data.windows.known=[pramo]", 3, "sales.csv: no such column (did you mean 'promo'?)"),
    ],
)
def test_what_cannot_be_beside_a_window_is_said_at_its_line(folder, mltrain, change, code, message):
    done = mltrain("train", "config.yaml", "--set", change)
    assert (done.code, message in done.err) == (code, True), done.err


def test_an_embedding_of_the_series_is_an_input_of_its_own(folder, mltrain):
    embedded = "data.features={store: {type: category, encoding: embedding, width: 2}}"
    done = mltrain("train", "config.yaml", "--run-dir", "other", "--set", embedded, "--verify-export", "--quiet")
    assert done.code == 0, done.err
    inputs = json.loads((folder / "other/model.json").read_text())["inputs"]
    assert inputs["store"] == [1]
    assert inputs["static"] == [3]


def test_known_columns_of_other_windows_are_refused(folder):
    document = json.loads((folder / "run/preprocessing.json").read_text())
    document["columns"][0]["windows"]["horizon"] = 2
    with pytest.raises(RunError, match="the known columns are not those of the windows"):
        Preprocessing.from_json(document)
