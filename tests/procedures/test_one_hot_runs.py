"""Runs with a one-hot target: interrupted, trained for longer, in plain Keras, in folds, and of an older version."""

import csv
import json
import signal

import numpy as np
import pytest

from mltrain.errors import InterruptedRunError
from mltrain.run.checkpoint_files import newest, read_checkpoint
from mltrain.run.rundir import RunDirectory
from mltrain.training.signals import Interruption
from tests.procedures.test_one_hot import LABELS, X, write

pytestmark = pytest.mark.long

KINDS = ["csv", "npz"]


def train(mltrain, folder, *arguments, code=0):
    done = mltrain("train", "c.yaml", "-q", "--set", "training.epochs=3", *arguments)
    assert done.code == code, done.err
    return folder / "run"


def weights(run):
    return {name: array.tobytes() for name, array in read_checkpoint(newest(run / "checkpoints", "last"))[0].items()}


def classes_of(run):
    return json.loads((run / "preprocessing.json").read_text())["target"].get("classes")


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_is_the_run_that_was_not_interrupted(mltrain, tmp_path, monkeypatch, kind):
    write(tmp_path, kind)
    train(mltrain, tmp_path, "--run-dir", "whole")
    seen = []

    def interrupt(self):
        seen.append(1)
        if len(seen) == 9:
            raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Interruption, "raise_if_received", interrupt)
        run = train(mltrain, tmp_path, "--run-dir", "run", code=143)
    done = mltrain("resume", "run", "-q")
    assert done.code == 0, done.err
    assert json.loads((run / "record.json").read_text())["resumed"][0]["step"] > 0
    assert weights(run) == weights(tmp_path / "whole")
    assert mltrain("train", "c.yaml", "-q", "--run-dir", "short", "--set", "training.epochs=1").code == 0
    longer = mltrain("resume", "short", "-q", "--epochs", "3")
    assert longer.code == 0, longer.err
    assert weights(tmp_path / "short") == weights(run)


@pytest.mark.parametrize("kind", KINDS)
def test_the_exported_model_has_one_output_per_class(mltrain, tmp_path, kind):
    path = write(tmp_path, kind)
    run = train(mltrain, tmp_path, "--run-dir", "run")
    predicted = mltrain("predict", "run", path.name, "--out", "out.csv", "--proba", "-q")
    assert predicted.code == 0, predicted.err
    import keras

    model = keras.models.load_model(run / "model.keras")
    assert model.output_shape == (None, 3)
    inputs = X.astype(np.float32) if kind == "npz" else {"p": X[:, :1], "q": X[:, 1:]}
    expected = np.asarray(model.predict(inputs, verbose=0))
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name.startswith("proba")]
    assert len(names) == 3
    np.testing.assert_allclose([[float(row[name]) for name in names] for row in rows], expected, atol=1e-5)


def test_folds_of_a_one_hot_target_are_stratified_and_compared(mltrain, tmp_path):
    write(tmp_path, "csv")
    done = mltrain(
        "cross-validate", "c.yaml", "-q", "--runs-dir", "folds", "--set", "data.split={type: kfold, folds: 3}"
    )
    assert done.code == 0, done.err
    runs = sorted((tmp_path / "folds").glob("*/*/fold-*"))
    assert len(runs) == 3
    for run in runs:
        tested = LABELS[RunDirectory(run).splits()["test"]]
        assert sorted(np.bincount(tested)) == [6, 7, 7]
        assert classes_of(run) == ["is_0", "is_1", "is_2"]
    compared = mltrain("compare", *runs)
    assert compared.code == 0 and "test.accuracy" in compared.out, compared.err


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_an_older_version_stays_multilabel(mltrain, tmp_path, kind):
    """It recognised several labels in the columns of a one-hot target, and recorded so."""
    path = write(tmp_path, kind)
    run = train(mltrain, tmp_path, "--run-dir", "run", "--set", "task=multilabel", "--set", "training.epochs=1")
    record = json.loads((run / "record.json").read_text())
    del record["defaults"]
    record["decisions"].insert(1, {"what": "task", "value": "multilabel", "reason": "each target has two values"})
    (run / "record.json").write_text(json.dumps(record))
    resolved = (run / "config.resolved.yaml").read_text()
    assert "task: multilabel" in resolved
    older = resolved.replace("task: multilabel", "task: auto").replace("scale: auto", "scale: none")
    # A key that came later, and decayed everything until then.
    older = "".join(line for line in older.splitlines(keepends=True) if "weight_decay_on:" not in line)
    (run / "config.resolved.yaml").write_text(older)

    for epochs in (2, 3):  # the second resumption reads what the first has recorded
        resumed = mltrain("resume", "run", "--epochs", epochs, "-q")
        assert resumed.code == 0, resumed.err
    longer = mltrain("train", "c.yaml", "--resume", "--run-dir", "run", "--set", "training.epochs=4", "-q")
    assert longer.code == 0, longer.err
    assert not json.loads((run / "record.json").read_text())["resumed"][-1]["inexact"]
    evaluated = mltrain("evaluate", "run", "--data", path.name, "--json")
    assert evaluated.code == 0 and "hamming_loss" in evaluated.out, evaluated.err
    predicted = mltrain("predict", "run", path.name, "--out", "out.csv", "--proba", "-q")
    assert predicted.code == 0, predicted.err
    reproduced = train(
        mltrain, tmp_path, "--run-dir", "whole", "--set", "task=multilabel", "--set", "training.epochs=4"
    )
    assert reproduced.is_dir() and weights(run) == weights(tmp_path / "whole")
