"""A budget instead of epochs: in rows, or in seconds that are measured once and kept."""

import json

import pytest

from mltrain.procedures.budget import epochs_of
from mltrain.procedures.pace import Pace
from mltrain.run.rundir import RunDirectory

CONFIG = """\
data:
  source: {type: synthetic, kind: blobs, rows: 120}
  split: {type: random, validation: 0.25}
model: {type: mlp, units: [4]}
training:
  schedule: cosine
  budget: BUDGET
"""


@pytest.fixture
def config(tmp_path):
    def write(budget):
        (tmp_path / "config.yaml").write_text(CONFIG.replace("BUDGET", budget))
        return tmp_path / "config.yaml"

    return write


def decision(run, what):
    found = json.loads((run / "record.json").read_text())["decisions"]
    return next((each["value"], each["reason"]) for each in found if each["what"] == what)


def test_rows_seen_are_rounded_to_epochs(mltrain, config):
    config("{rows_seen: 200}")
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    assert RunDirectory(done.run).status().epoch == 3  # of 66 training rows
    assert decision(done.run, "training.epochs") == ("3", "they fit the budget of 200 rows seen")


def test_seconds_are_measured(mltrain, config):
    config("{seconds: 1}")
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    run = RunDirectory(done.run)
    assert run.status().epoch == run.record().epochs >= 1


def test_seconds_are_measured_once_and_kept(mltrain, config, monkeypatch):
    config("{seconds: 2}")
    with monkeypatch.context() as fixed:
        # 3 steps of 0.1 s and 0.1 s beside them: 5 epochs.
        fixed.setattr("mltrain.procedures.budget.measure_pace", lambda *_: Pace(0.1, 0.1, 0.0))
        done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    run = RunDirectory(done.run)
    epochs = run.record().epochs
    assert run.status().epoch == epochs == 5
    assert decision(done.run, "training.epochs") == (str(epochs), "they fit the budget of 2 seconds")
    # The learning rate of the schedule has come to its end with them.
    assert float((done.run / "history.csv").read_text().splitlines()[-1].split(",")[-2]) == pytest.approx(0, abs=1e-9)

    def measured(*_):
        raise AssertionError("a recorded number is measured again")

    monkeypatch.setattr("mltrain.procedures.budget.measure_pace", measured)
    assert mltrain("evaluate", done.run).code == 0
    again = mltrain("reproduce", done.run)
    assert again.code == 0, again.err
    assert "identical" in again.out + again.err
    longer = mltrain("resume", done.run, "--epochs", epochs + 1)
    assert longer.code == 0, longer.err
    assert RunDirectory(done.run).status().epoch == epochs + 1


def test_as_many_epochs_as_fit_and_at_least_one():
    assert epochs_of(60, Pace(0.001, 0.1, 2.0), steps=400) == 116  # 58 seconds, of 0.5 each
    assert epochs_of(0.1, Pace(0.001, None, 2.0), steps=400) == 1


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("{seconds: 1, rows_seen: 5}", "expected one of seconds and rows_seen"),
        ("{}", "expected one of seconds and rows_seen"),
        ("{seconds: 0}", "training.budget.seconds"),
        ("{seconds: 5}\n  epochs: 3", "training.epochs is 3, and a budget also says how long to train"),
    ],
)
def test_what_cannot_be_is_refused_at_its_line(mltrain, config, budget, message):
    config(budget)
    done = mltrain("validate", "config.yaml")
    assert done.code == 3
    assert message in done.err
    assert "config.yaml:7" in done.err


@pytest.mark.long
def test_a_finished_run_of_a_folder_is_not_taken_for_one_with_another_budget(mltrain, config):
    config("{rows_seen: 66}")
    command = ("train", "config.yaml", "--seeds", "2", "--run-dir", "seeds", "--quiet")
    done = mltrain(*command)
    assert done.code == 0, done.err
    done = mltrain(*command, "--resume", "--set", "training.budget.rows_seen=200")
    assert done.code == 5
    assert "seed-42: is finished, with another config: training.budget.rows_seen: 66 became 200" in done.err
