"""Gradient boosting beside a real training: a person learns from the run that it is better on their table."""

import csv
import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from mltrain.errors import InterruptedRunError
from mltrain.procedures import boosting
from mltrain.procedures.boosting import BoostingBeside

CONFIG = """\
version: 1
name: steps
seed: 5
data:
  source: {{type: csv, path: rows.csv}}
  target: {target}
  split: {{type: random, validation: 0.2, test: 0.2}}
model: {{type: {model}}}
training: {{epochs: 2}}
objective: {objective}
{more}
"""


@pytest.fixture
def train(mltrain, tmp_path):
    draw = np.random.default_rng(0)
    x = draw.uniform(-1, 1, size=(300, 2))
    y = 5 * (x[:, 0] > 0) * (x[:, 1] > 0) + draw.normal(size=300) / 10
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "y", "high", *(f"t{number}" for number in range(8))])
        for point, each in zip(x, y, strict=True):
            writer.writerow([*point, each, int(each > 2), *(each + number for number in range(8))])

    def run(*more, target="y", model="linear", objective="validation.rmse", text=""):
        made = CONFIG.format(target=target, model=model, objective=objective, more=text)
        (tmp_path / "c.yaml").write_text(made, encoding="utf-8")
        return mltrain("train", "c.yaml", "--runs-dir", "runs", *more)

    return run


def metrics_of(done):
    return json.loads((done.run / "metrics.json").read_text())


def test_the_run_says_that_it_is_better_on_this_table(train):
    done = train()
    assert done.code == 0, done.err
    found = metrics_of(done)
    assert found["baselines"]["boosting"] == {"rows": 180, "of": 180}
    test = found["splits"]["test"]
    better = test["baselines"]["boosting"]
    assert better["verdict"]["outcome"] == "worse" and better["difference"]["rmse"]["low"] > 0
    assert better["metrics"]["rmse"]["value"] < 0.5 < test["metrics"]["rmse"]["value"]
    sentence, *others = found["baseline_sentences"]
    assert len(others) == 2 and "boosting" not in "".join(others)
    assert sentence.startswith("test rmse: worse than gradient boosting on 60 test rows (")
    assert sentence.endswith(": consider gradient boosting for this table")
    assert sentence in done.err.replace("\n", " ")
    page = (done.run / "report.html").read_text()
    assert "✗ Worse than gradient boosting" in page and "consider gradient boosting for this table" in page


def test_gates_know_it(train):
    gates = "evaluation: {gates: ['(test.rmse - boosting).high < 0', 'test.r2 - boosting < 1']}"
    done = train(text=gates)
    assert done.code == 10
    assert [each["passed"] for each in metrics_of(done)["gates"]] == [False, True]


def test_equal_runs_write_equal_bytes(train):
    one, two = ((train("--quiet").run / "metrics.json").read_bytes() for _ in range(2))
    assert one == two and b"boosting" in one


def test_classes_have_probabilities(train):
    done = train(target="high", objective="validation.log_loss")
    found = metrics_of(done)["splits"]["test"]["baselines"]["boosting"]
    assert found["metrics"]["accuracy"]["value"] > 0.95
    assert 0 < found["metrics"]["log_loss"]["value"] < 0.2


@pytest.mark.parametrize("target", ["[y, high]", "[t1, t2]"])
def test_each_of_several_targets_has_its_own(train, target):
    done = train(target=target, model="mlp", objective="validation.loss")
    assert done.code == 0, done.err
    test = metrics_of(done)["splits"]["test"]
    if target == "[t1, t2]":
        assert test["baselines"]["boosting"]["metrics"]["r2"]["value"] > 0.9
    else:
        assert test["outputs"]["y"]["baselines"]["boosting"]["metrics"]["r2"]["value"] > 0.9
        assert test["outputs"]["high"]["baselines"]["boosting"]["metrics"]["accuracy"]["value"] > 0.9


def test_more_targets_than_a_few_are_left_out_with_the_reason(train):
    done = train(target="[y, t0, t1, t2, t3, t4, t5, t6, t7]", objective="validation.loss")
    found = metrics_of(done)
    assert found["baselines"]["boosting"] == {"left_out": "there are 9 targets, and the quick fit takes at most 8"}
    assert "no comparison with gradient boosting: there are 9 targets" in (done.run / "report.html").read_text()


def test_simple_baselines_leave_it_out(train):
    found = metrics_of(train(text="evaluation: {baselines: simple}"))
    assert set(found["baselines"]) == {"mean", "ridge"}


def test_of_images_and_windows_there_is_none(mltrain, config):
    done = mltrain("train", config(source="  source: {type: synthetic, kind: shapes, rows: 60}"), "--runs-dir", "runs")
    assert metrics_of(done)["baselines"]["boosting"] == {"left_out": "no input is a table"}


def test_what_goes_wrong_there_stops_no_training(train, monkeypatch):
    def fails(*given):
        raise RuntimeError("no trees\n today")

    monkeypatch.setattr(boosting, "answer", fails)
    done = train()
    assert done.code == 0, done.err
    assert metrics_of(done)["baselines"]["boosting"] == {"left_out": "its fit failed (RuntimeError: no trees today)"}


def test_a_signal_ends_the_wait_for_it(monkeypatch):
    goes_on = threading.Event()

    def waits(*given):
        goes_on.wait(60)
        return "it waited"

    def between():
        raise InterruptedRunError("stopped by SIGINT", 2)

    prepared = SimpleNamespace(info=SimpleNamespace(output=SimpleNamespace(name="y", parts=())))
    monkeypatch.setattr(boosting, "boosted_guesses", waits)
    beside = BoostingBeside(prepared, 0)
    with pytest.raises(InterruptedRunError):
        beside.results(between)
    assert beside._thread.daemon  # a process that ends does not wait for it
    goes_on.set()
    assert beside.results() == {"y": "it waited"}
