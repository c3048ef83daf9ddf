"""A learning rate that is looked for: the training is that of one that was stated, and nothing is tested twice."""

import json

import pytest

from mltrain.procedures import rate_test
from tests.procedures.interrupted import assert_same_after_an_interruption

# Dropout and a shuffled order: what the test has drawn must not be missing in the training.
CONFIG = """\
name: found
data:
  source: {type: synthetic, kind: blobs, rows: 300}
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: mlp, units: [8], dropout: 0.2}
training:
  learning_rate: {find: {from: 1e-5, to: 10, steps: 60}}
  schedule: {type: one_cycle}
  epochs: 4
  batch_size: 16
  checkpoint: {every: 5 steps}
"""


def history(run):
    """Return what it says but the seconds."""
    return [line.rpartition(",")[0] for line in (run / "history.csv").read_text().splitlines()]


@pytest.fixture
def found(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    return done


def test_it_trains_as_if_the_rate_had_been_stated(mltrain, found):
    record = json.loads((found.run / "record.json").read_text())
    rate = record["learning_rate"]
    assert 1e-4 < rate < 5
    (decision,) = [each for each in record["decisions"] if each["what"] == "training.learning_rate"]
    assert decision["value"] == f"{rate:.3g}"
    assert decision["reason"] == "the valley of a range test of 60 steps from 1e-05 to 10"
    stated = mltrain("train", "config.yaml", "--run-dir", "stated", "--set", f"training.learning_rate={rate!r}")
    assert stated.code == 0, stated.err
    assert history(stated.run) == history(found.run)
    assert (stated.run / "metrics.json").read_bytes() == (found.run / "metrics.json").read_bytes()


def test_it_keeps_its_points_and_shows_them(found):
    kept = json.loads((found.run / "learning_rate.json").read_text())
    rates = kept["learning_rates"]
    assert rates[0] == 1e-5
    assert rates == sorted(rates)
    assert kept["chosen"] in rates
    assert len(kept["losses"]) == len(kept["smoothed"]) == len(rates) <= 60
    assert (found.run / "plots" / "learning_rate.png").stat().st_size > 10_000
    assert (found.run / "plots" / "learning-rate.svg").exists()
    assert "The range test before the training: " in (found.run / "report.html").read_text()


@pytest.mark.long
def test_a_run_that_goes_on_or_is_repeated_does_not_test_again(mltrain, found, tmp_path, monkeypatch):
    def never(*arguments):
        raise AssertionError("it was tested again")

    monkeypatch.setattr(rate_test, "_tested", never)
    repeated = mltrain("reproduce", "run")
    assert repeated.code == 0, repeated.err
    longer = mltrain("resume", "run", "--epochs", 5)
    assert longer.code == 0, longer.err
    assert json.loads((found.run / "record.json").read_text())["learning_rate"] is not None


@pytest.mark.parametrize("look", [8, 75])  # in the range test, and in the training
def test_an_interrupted_run_ends_as_one_that_was_not(mltrain, found, tmp_path, monkeypatch, look):
    resumed = assert_same_after_an_interruption(tmp_path, mltrain, monkeypatch, look=look)
    assert ("resumed from step 0: no checkpoint" in resumed.err) == (look == 8)
    kept = [(tmp_path / run / "learning_rate.json").read_bytes() for run in ("run", "other")]
    assert kept[0] == kept[1]


def test_a_loss_that_grows_at_once_is_said_at_the_line(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("train", "config.yaml", "--set", "training.learning_rate.find={from: 1e6, to: 1e9, steps: 20}")
    assert done.code == 3, done.err
    assert "training.learning_rate.find: the loss does not fall between 1e+06 and 1e+09" in done.err


@pytest.mark.parametrize(
    ("find", "message"),
    [
        ("{from: 1, to: 2}", "training.learning_rate.find.to: expected at least ten times `from`, which is 1"),
        ("{fro: 1}", "training.learning_rate.find.fro: unknown key (did you mean 'from'?)"),
        ("{from: 0}", "training.learning_rate.find.from: expected a number greater than 0, received 0"),
    ],
)
def test_what_is_wrong_with_the_range(mltrain, tmp_path, find, message):
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("validate", "config.yaml", "--set", f"training.learning_rate.find={find}")
    assert done.code == 3
    assert message in done.err
