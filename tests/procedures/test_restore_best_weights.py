"""EarlyStopping with `restore_best_weights` restores the epoch with the best value of what it monitors."""

from __future__ import annotations

import csv
import json

import pytest

CONFIG = """\
version: 1
name: es
data: {{source: {{type: synthetic, kind: blobs, rows: 80, noise: 3.0}}}}
model: {{type: mlp, units: [8]}}
{top}training:
  epochs: 12
  optimizer: {{type: Adam, learning_rate: 0.05}}
  callbacks: [{callbacks}]
"""


def write(tmp_path, callbacks, top=""):
    (tmp_path / "c.yaml").write_text(CONFIG.format(callbacks=callbacks, top=top), encoding="utf-8")
    return "c.yaml"


def best_epoch(run, column, best=max):
    with (run / "history.csv").open() as file:
        rows = [(float(row[column]), int(row["epoch"])) for row in csv.DictReader(file)]
    wanted = best(value for value, _ in rows)
    return next(epoch for value, epoch in rows if value == wanted)


def model_of(run):
    return json.loads((run / "metrics.json").read_text())["model"]["epoch"]


@pytest.mark.parametrize(
    ("monitor", "column", "best"),
    [
        ("val_accuracy", "validation.accuracy", max),
        pytest.param("val_roc_auc", "validation.roc_auc", max, marks=pytest.mark.long),
        pytest.param("train.loss", "train.loss", min, marks=pytest.mark.long),
        ("val_loss", "validation.loss", min),
    ],
)
def test_the_best_epoch_is_that_of_the_monitor(mltrain, tmp_path, monitor, column, best):
    stopping = f"{{type: EarlyStopping, monitor: {monitor}, patience: 12, restore_best_weights: true}}"
    found = mltrain("train", write(tmp_path, stopping), "--runs-dir", "runs")
    assert found.code == 0, found.err
    assert model_of(found.run) == best_epoch(found.run, column, best)
    decisions = json.loads((found.run / "record.json").read_text())["decisions"]
    assert [each["value"].split()[0] for each in decisions if each["what"] == "objective"] == [column]
    metrics = json.loads((found.run / "metrics.json").read_text())
    assert metrics["objective"]["metric"] == column


def test_a_resumed_run_restores_the_same_epoch(mltrain, tmp_path):
    stopping = "{type: EarlyStopping, monitor: val_accuracy, patience: 12, restore_best_weights: true}"
    whole = mltrain("train", write(tmp_path, stopping), "-q", "--runs-dir", "runs").run
    short = mltrain("train", "c.yaml", "-q", "--runs-dir", "runs", "--set", "training.epochs=5").run
    assert mltrain("resume", short, "--epochs", "12", "-q").code == 0
    assert model_of(short) == model_of(whole)
    ours, theirs = (json.loads((run / "metrics.json").read_text())["splits"] for run in (short, whole))
    assert ours == theirs


@pytest.mark.parametrize(
    ("callbacks", "top", "message"),
    [
        (
            "{type: EarlyStopping, monitor: val_accuracy, restore_best_weights: true}",
            "objective: validation.roc_auc\n",
            "callbacks[0].restore_best_weights: it restores the best epoch of 'validation.accuracy', but the objective "
            "is 'validation.roc_auc'",
        ),
        (
            "{type: EarlyStopping, monitor: val_accuracy, restore_best_weights: true}, "
            "{type: EarlyStopping, monitor: val_loss, restore_best_weights: true}",
            "",
            "callbacks[1].restore_best_weights: callbacks[0] restores the best epoch of another quantity",
        ),
        (
            "{type: EarlyStopping, restore_best_weights: true}, {type: EarlyStopping, restore_best_weights: false}",
            "",
            "callbacks[1].restore_best_weights: callbacks[0] restores the best weights and this one the last",
        ),
    ],
)
def test_two_answers_are_refused_at_their_line(mltrain, tmp_path, callbacks, top, message):
    found = mltrain("validate", write(tmp_path, callbacks, top))
    assert found.code == 3
    assert message in found.err
    assert f"c.yaml:{9 if top else 8}:" in found.err


@pytest.mark.parametrize("monitor", ["", "monitor: val_accuracy, "])
def test_the_same_objective_may_be_stated(mltrain, tmp_path, monitor):
    stopping = f"{{type: EarlyStopping, {monitor}restore_best_weights: true}}"
    assert mltrain("validate", write(tmp_path, stopping, "objective: validation.accuracy\n")).code == 0
