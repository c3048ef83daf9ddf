"""`data.target.scale: log`, and how auto chooses it: what is learned is the logarithm, and all numbers are in the units
of the target."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from mltrain.data.preprocessing import Preprocessing
from mltrain.run.rundir import RunDirectory

CONFIG = """\
version: 1
name: logarithms
data:
  source: {{type: csv, path: d.csv}}
  target: {target}
  features: {{zero: ignore, price: {price}}}
  split: {{type: random, validation: 0.3, test: 0.2}}
model: {{type: {model}}}
training: {{epochs: 3, batch_size: 16{training}}}
{more}
"""


@pytest.fixture
def train(mltrain, tmp_path):
    draw = np.random.default_rng(3)
    x = draw.normal(size=(400, 2))
    price = np.exp(9 + x @ [1.0, 0.7] + 0.1 * draw.normal(size=400))
    write(tmp_path / "d.csv", x, price)

    def run(target="price", training="", more="", model="mlp", arguments=()):
        # Beside another target, the price would give it away.
        text = CONFIG.format(target=target, training=training, more=more, model=model, price="number")
        if "price" in target:
            text = text.replace(", price: number", "")
        (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
        return mltrain("train", "c.yaml", "--runs-dir", "runs", *arguments)

    return run


def write(path, x, price):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "price", "zero"])
        writer.writerows([*each.tolist(), value, max(0.0, value - 9000)] for each, value in zip(x, price, strict=True))


def scale_of(run):
    record = json.loads((run / "record.json").read_text())
    return [(each["value"], each["reason"]) for each in record["decisions"] if each["what"] == "target.scale"]


def target_of(run):
    return json.loads((run / "preprocessing.json").read_text())["target"]


def test_stated_it_is_learned_and_every_number_is_in_the_units_of_the_target(train, mltrain, tmp_path):
    done = train("{column: price, scale: log}", arguments=("--verify-export",))  # model.keras says the same
    assert done.code == 0, done.err
    run, target = RunDirectory(done.run), target_of(done.run)
    stored = run.predictions("test")
    assert (stored.values > 0).all()
    logs = np.log(stored.target)
    assert abs(target["center"] - logs.mean()) < 0.5 and 0.5 < target["width"] < 2
    metrics = run.results().as_json()["splits"]["test"]["metrics"]
    assert metrics["rmse"]["value"] == pytest.approx(np.sqrt(np.mean((stored.values - stored.target) ** 2)))
    scaled = (np.log(stored.values) - logs) / target["width"]
    assert metrics["loss"]["value"] == pytest.approx(np.mean(scaled**2), rel=1e-4)
    again = json.loads(mltrain("evaluate", done.run, "--split", "test", "--json").out)
    assert again["splits"]["test"]["metrics"]["rmse"] == metrics["rmse"]
    assert scale_of(done.run) == []

    explained = mltrain("predict", done.run, "d.csv", "--out", "out.csv", "--explain")
    assert explained.code == 0 and "in logarithm of 'price'" in explained.err
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    parts = np.array([float(row["explain.a"]) + float(row["explain.b"]) for row in rows])
    known = np.log([float(row["prediction"]) for row in rows])
    assert parts - parts.mean() == pytest.approx(known - known.mean(), abs=0.02)


def test_a_prediction_is_at_most_a_deviation_beyond_the_training_rows(train, mltrain, tmp_path):
    run = train("{column: price, scale: log}").run
    write(tmp_path / "far.csv", np.array([[1e6, 1e6], [-1e6, -1e6]]), np.ones(2))
    assert mltrain("predict", run, "far.csv", "--out", "out.csv").code == 0
    with (tmp_path / "out.csv").open() as file:
        found = sorted(float(row["prediction"]) for row in csv.DictReader(file))
    target = target_of(run)
    ends = np.exp(np.array(target["log_limits"]) * target["width"] + target["center"])
    assert all(ends[0] * 0.999 <= each <= ends[1] * 1.001 for each in found)
    assert any(each == pytest.approx(end, rel=1e-5) for each in found for end in ends)


@pytest.mark.long
def test_an_interrupted_run_ends_with_the_same_bits(train, mltrain):
    longer = train("{column: price, scale: log}", arguments=("--set", "training.epochs=5")).run
    resumed = train("{column: price, scale: log}").run
    assert mltrain("resume", resumed, "--epochs", "5").code == 0
    one, two = (RunDirectory(each).predictions("test").values for each in (longer, resumed))
    assert (one == two).all()


def test_the_truth_of_another_file_may_be_0(train, mltrain, tmp_path):
    run = train("{column: price, scale: log}").run
    write(tmp_path / "new.csv", np.zeros((40, 2)), np.r_[0.0, np.full(39, 5000.0)])
    found = mltrain("evaluate", run, "--data", "new.csv", "--json")
    assert found.code == 0, found.err
    (split,) = json.loads(found.out)["splits"].values()
    assert split["metrics"]["loss"]["value"] is None and split["metrics"]["mae"]["value"] > 0


@pytest.mark.parametrize("target", ["zero", "[price, zero]"])
def test_a_row_without_a_logarithm_is_named(train, target):
    text = f"{{columns: {target}, scale: log}}" if "[" in target else f"{{column: {target}, scale: log}}"
    done = train(text, training="", more="task: auto")
    assert done.code == 4
    assert "d.csv:" in done.err and "column 'zero': data.target.scale is log: expected a number above 0" in done.err
    assert "received 0 (and" in done.err


def test_classes_have_no_logarithm(mltrain, config):
    target = "  target: {column: label, scale: log}\n  split: {type: random, validation: 0.2, test: 0.2}"
    done = mltrain("train", config(split=target), "--runs-dir", "runs")
    assert done.code == 4 and "data.target.scale is for regression" in done.err


def test_several_targets_each_have_their_own(train):
    done = train("{columns: [price, a], scale: standard}")
    assert done.code == 0
    (run,) = [done.run]
    assert all("log_limits" not in part for part in target_of(run)["parts"])  # as in runs of earlier versions


def test_auto_takes_it_where_both_fits_are_better_and_says_both_numbers(train):
    run = train(more="evaluation: {baselines: false}").run
    ((value, reason),) = scale_of(run)
    assert value == "log" and "log_limits" in target_of(run)
    assert "quick fits have a validation rmse of " in reason
    assert "with logarithms (ridge regression) and " in reason and "without (gradient boosting)" in reason
    targets = Preprocessing.from_json(json.loads((run / "preprocessing.json").read_text())).target
    assert targets.log_limits is not None


@pytest.mark.parametrize(
    ("training", "more"),
    [(", loss: mape", ""), (", stop_when: 'validation.loss <= 0.01'", ""), ("", "data.split={type: none}")],
)
def test_auto_leaves_it_where_units_are_needed_or_nothing_decides(train, training, more):
    run = train(training=training, arguments=("--set", more) if more else ()).run
    assert scale_of(run)[0][0] == ("standard" if more else "none")


def test_auto_says_where_it_is_not_clearly_better(mltrain, tmp_path):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(400, 2))
    write(tmp_path / "d.csv", x, 50 + 3 * x[:, 0] + draw.exponential(20, size=400) ** 1.3)
    (tmp_path / "c.yaml").write_text(
        CONFIG.format(target="price", training="", more="", model="linear", price="number").replace(
            ", price: number", ""
        )
    )
    done = mltrain("train", "c.yaml", "--runs-dir", "runs")
    ((value, reason),) = scale_of(done.run)
    assert (
        value == "standard"
        and "log is not clearly better: " in reason
        and "with logarithms (ridge regression)" in reason
    )
