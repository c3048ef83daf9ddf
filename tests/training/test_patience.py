"""A patience in updates of the weights instead of epochs."""

import csv
import json

import pytest

from mltrain.training.early_stopping import EarlyStopping
from mltrain.training.patience import in_epochs
from mltrain.training.reduce_learning_rate import ReduceLROnPlateau


@pytest.mark.parametrize(
    ("patience", "steps", "epochs"), [(7, 100, 7), ("500 steps", 100, 5), ("501 steps", 100, 6), ("1 step", 100, 1)]
)
@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau])
def test_steps_become_the_epochs_that_have_as_many(kind, patience, steps, epochs):
    callback = kind.model_validate({"type": kind.__name__, "patience": patience})
    assert in_epochs(callback.patience, steps) == epochs
    assert callback.for_training(1000, steps).patience == epochs


def test_a_training_stops_after_so_many_steps(mltrain, config):
    # 36 training rows in batches of 8 are 5 steps an epoch, and nothing improves by 9.
    path = config(
        epochs="  epochs: 50\n  callbacks: [{type: EarlyStopping, patience: 12 steps, min_delta: 9}]",
    )
    done = mltrain("train", path, "--run-dir", "run")
    assert done.code == 0, done.err
    with (done.run / "history.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 1 + 3


@pytest.mark.parametrize("patience", ["-1", "0 steps", "5 epochs", "true", "1.5"])
def test_something_else_is_refused_at_its_line(mltrain, config, patience):
    path = config(epochs=f"  epochs: 5\n  callbacks: [{{type: EarlyStopping, patience: {patience}}}]")
    done = mltrain("validate", path)
    assert done.code == 3
    assert "patience: expected a number of epochs (10), or of updates of the weights (500 steps)" in done.err


TABLE = """\
data:
  source: {type: csv, path: data.csv}
  target: y
  split: {type: random, validation: 0.2, test: 0.2}
"""


@pytest.fixture
def noise(tmp_path):
    """Rows whose target nothing predicts: the first epochs are the best."""
    lines = [f"{number * 7 % 31},{number * 11 % 17},{number * 13 % 10}" for number in range(80)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,y", *lines]) + "\n")
    (tmp_path / "config.yaml").write_text(TABLE + "task: regression\n")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "ended"),
    [
        ((), "has not improved for 63 epochs"),
        (("training.patience=20",), "has not improved for 20 epochs"),
        (("training.patience=14 steps",), "has not improved for 7 epochs"),
        (("training.epochs=9",), "all 9 epochs are done"),
        (("training.epochs=9", "training.patience=2"), "has not improved for 2 epochs"),
        (("training.budget={rows_seen: 480}",), "all 10 epochs are done"),
        (("training.epochs=12", "training.patience=none"), "all 12 epochs are done"),
        (("training.callbacks=[{type: EarlyStopping, patience: 4}]",), "has not improved for 4 epochs"),
    ],
)
def test_training_ends_without_an_improvement_unless_something_else_ends_it(mltrain, noise, options, ended):
    done = mltrain("train", "config.yaml", "--run-dir", "run", *(part for each in options for part in ("--set", each)))
    assert done.code == 0, done.err
    assert json.loads((done.run / "metrics.json").read_text())["model"]["stopped"].endswith(ended)


def test_more_epochs_than_the_patience_allowed_are_trained_on_request(mltrain, noise):
    run = mltrain("train", "config.yaml", "--run-dir", "run", "--set", "training.patience=3").run
    ended = json.loads((run / "metrics.json").read_text())["model"]["epochs"]
    done = mltrain("resume", run, "--epochs", "260")
    assert done.code == 0, done.err
    assert json.loads((run / "metrics.json").read_text())["model"]["epochs"] > ended


def test_two_patiences_are_refused(mltrain, noise):
    stated = ("--set", "training.patience=3", "--set", "training.callbacks=[{type: EarlyStopping}]")
    done = mltrain("validate", "config.yaml", *stated)
    assert done.code == 3
    assert "training.patience: training.callbacks has an EarlyStopping" in done.err
