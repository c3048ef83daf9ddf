"""Weights of chosen epochs: kept, listed and used through the command, and the same after an interruption."""

import json
import shutil

import numpy as np
import pytest

from mltrain.run.checkpoint_files import numbers, read_checkpoint
from tests.procedures.conftest import epochs_are_done

pytestmark = pytest.mark.long

CONFIG = """\
name: kept
data:
  source: {type: synthetic, kind: blobs, rows: 90}
  split: {type: random, validation: 0.2, test: 0.1}
model: {type: mlp, units: [8], dropout: 0.2}
training:
  optimizer: {type: SGD, learning_rate: 0.5, momentum: 0.9}
  epochs: 12
  batch_size: 8
  checkpoint: {every: 5 steps}
  callbacks: [CALLBACK]
evaluation: {baselines: false}
"""
CALLBACKS = {
    "keep": "{type: ModelCheckpoint, keep: [3, 8]}",
    "every": "{type: ModelCheckpoint, every: 5}",
    "top": "{type: ModelCheckpoint, top: 3}",
    "monitor": "{type: ModelCheckpoint, top: 2, monitor: train.loss}, {type: ModelCheckpoint, keep: [1]}",
}


@pytest.fixture
def train(mltrain, copy_trained, tmp_path):
    def run(name, callback, *arguments, code=0):
        text = CONFIG.replace("CALLBACK", CALLBACKS.get(callback, callback))
        if code == 0:
            return copy_trained(text, name, "--quiet", *arguments)
        (tmp_path / "config.yaml").write_text(text)
        done = mltrain("train", "config.yaml", "--run-dir", tmp_path / name, "--quiet", *arguments)
        assert done.code == code, done.err
        return tmp_path / name

    return run


def kept(run):
    """Return the content of every file of the kept epochs, by its place."""
    found = (run / "checkpoints").glob("kept-*/*")
    return {path.relative_to(run / "checkpoints").as_posix(): path.read_bytes() for path in found}


def epochs(run):
    return numbers(run / "checkpoints", "kept")


def history(run):
    lines = [line.split(",") for line in (run / "history.csv").read_text().splitlines()]
    return {name: [float(row[place]) for row in lines[1:]] for place, name in enumerate(lines[0])}


def ranked(values, count):
    return sorted(int(place) + 1 for place in np.argsort(values, kind="stable")[:count])


def test_what_is_kept_is_what_is_asked_for(train, mltrain):
    assert epochs(train("keep", "keep")) == [3, 8]
    assert epochs(train("every", "every")) == [5, 10]
    run = train("top", "top")
    assert epochs(run) == ranked(history(run)["validation.loss"], 3)
    run = train("monitor", "monitor")
    assert epochs(run) == sorted({1, *ranked(history(run)["train.loss"], 2)})


def test_the_weights_of_an_epoch_are_those_that_a_run_of_so_many_epochs_ends_with(train):
    run = train("run", "keep")
    shorter = train("shorter", "keep", "--set", "training.epochs=8")
    (last,) = numbers(shorter / "checkpoints", "last")
    ended = read_checkpoint(shorter / "checkpoints" / f"last-{last:06d}")
    arrays, state = read_checkpoint(run / "checkpoints" / "kept-000008")
    assert state == ended[1] == {"epoch": 8, "step": 8 * 8}
    assert {name: array.tobytes() for name, array in arrays.items()} == {
        name: array.tobytes() for name, array in ended[0].items()
    }


def test_where_epochs_share_a_call_they_have_their_own_weights(train):
    shared = ("training.batch_size=full", "training.shuffle=true", "data.split.validation=0", "training.epochs=40")
    options = [part for setting in shared for part in ("--set", setting)]
    alone = [*options, "--set", "training.checkpoint.every=7 epochs"]  # which gives each epoch a call of its own
    run = train("run", "every", *options, "--set", "training.checkpoint.every=60s")
    assert epochs(run) == [5, 10, 15, 20, 25, 30, 35, 40]
    assert kept(run) == kept(train("alone", "every", *alone))


@pytest.mark.parametrize(("callback", "epochs"), [("every", 4), ("top", 3), ("monitor", 9)])
def test_after_an_interruption_the_same_weights_are_there(
    train, mltrain, tmp_path, interrupt_when, monkeypatch, callback, epochs
):
    whole = train("whole", callback)
    interrupt_when(epochs_are_done(tmp_path / "run", epochs))
    run = train("run", callback, code=143)
    monkeypatch.undo()
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert json.loads((run / "record.json").read_text())["resumed"][0]["step"] > 0
    assert kept(run) == kept(whole)


@pytest.mark.parametrize("callback", ["keep", "top"])
def test_what_a_killed_process_wrote_after_its_checkpoint_is_written_again(
    train, mltrain, tmp_path, interrupt_when, monkeypatch, callback
):
    """As `kill -9` leaves it: an older state, and weights of epochs after it, of which one is not what it will be."""
    whole = train("whole", callback)
    interrupt_when(epochs_are_done(tmp_path / "run", 5))
    run = train("run", callback, code=143)
    monkeypatch.undo()
    for epoch in (7, 8, 12):
        path = run / "checkpoints" / f"kept-{epoch:06d}"
        if not path.exists():
            source = next((whole / "checkpoints").glob("kept-*"))
            shutil.copytree(source, path)
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert kept(run) == kept(whole)


def test_evaluate_and_predict_use_them(train, mltrain, tmp_path):
    run = train("run", "keep")
    shorter = train("shorter", "keep", "--set", "training.epochs=8", "--set", "training.final=last")
    done = mltrain("evaluate", run, "--epoch", 8, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["model"] == {"weights": "kept", "epoch": 8}
    assert "the weights of epoch 8 are used instead of the model of the run" in done.err
    as_recorded = json.loads((shorter / "metrics.json").read_text())["splits"]["test"]
    assert found["splits"]["test"]["metrics"] == as_recorded["metrics"]
    assert found["splits"]["test"]["confusion_matrix"] == as_recorded["confusion_matrix"]
    (tmp_path / "rows.csv").write_text("x1,x2\n0.1,0.2\n-3,1\n")
    of_kept = mltrain("predict", run, "rows.csv", "--epoch", 8, "--proba")
    assert of_kept.code == 0, of_kept.err
    assert "the weights of epoch 8 are used" in of_kept.err
    assert of_kept.out == mltrain("predict", shorter, "rows.csv", "--proba").out
    assert of_kept.out != mltrain("predict", run, "rows.csv", "--epoch", 3, "--proba").out


def test_an_epoch_that_is_not_kept_is_a_mistake_in_the_command(train, mltrain, tmp_path):
    run = train("run", "keep")
    (tmp_path / "rows.csv").write_text("x1,x2\n0.1,0.2\n")
    for command in (("evaluate", run), ("predict", run, "rows.csv")):
        done = mltrain(*command, "--epoch", 7)
        assert done.code == 2
        assert "the run has no weights of epoch 7 (kept are 3, 8)" in done.err
    none = train("none", "{type: EarlyStopping, patience: 20}")
    done = mltrain("evaluate", none, "--epoch", 7)
    assert done.code == 2
    assert "it has kept none; a ModelCheckpoint does so" in done.err
    assert mltrain("evaluate", run, "--epoch", 3, "--against", none).code == 2


def test_a_damaged_one_is_noticed(train, mltrain):
    run = train("run", "keep")
    path = run / "checkpoints" / "kept-000003" / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-1])
    done = mltrain("evaluate", run, "--epoch", 3)
    assert done.code == 5
    assert "kept-000003/arrays.npz" in done.err


def test_they_are_listed(train, mltrain):
    run = train("run", "keep")
    assert "kept      the weights of epochs 3, 8" in mltrain("show", run).out
    assert json.loads(mltrain("show", run, "--json").out)["kept_epochs"] == [3, 8]
    assert "Kept epochs" in (run / "report.html").read_text()


@pytest.mark.parametrize(
    ("callback", "said"),
    [
        ("ModelCheckpoint", "state one of keep (epochs), every (a number of epochs) and top"),
        ("{type: ModelCheckpoint, every: 2, top: 3}", "every and top"),
        ("{type: ModelCheckpoint, every: 2, monitor: val_loss}", "only top compares epochs"),
        ("{type: ModelCheckpoint, keep: [3, 13]}", "epoch 13 will not be trained: training.epochs is 12"),
        ("{type: ModelCheckpoint, top: 3, monitor: val_acuracy}", "did you mean 'validation.accuracy'"),
        ("{type: ModelCheckpoint, filepath: x}", "unknown key"),
    ],
)
def test_mistakes_are_said_at_their_line(mltrain, tmp_path, callback, said):
    (tmp_path / "config.yaml").write_text(CONFIG.replace("CALLBACK", callback))
    done = mltrain("validate", "config.yaml")
    assert done.code == 3
    assert "config.yaml:11:" in done.err
    assert said in done.err
