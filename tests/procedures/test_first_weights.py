"""First weights from a file: a training reads them before its first step, and nothing else ever looks for them."""

import json

import numpy as np
import pytest

from mltrain.errors import MisfitError
from mltrain.models.mlp import Mlp
from mltrain.models.model import FIRST_WEIGHTS
from mltrain.procedures.stored_model import read_model
from mltrain.run.rundir import RunDirectory
from mltrain.task import Decision

CONFIG = """\
data:
  source: {type: csv, path: data.csv}
  target: y
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: mlp, units: [3]}
training:
  optimizer: {type: SGD, learning_rate: 1.0e-30}
  epochs: 2
  batch_size: 8
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A file with the weights that every mlp begins with; a config, and its data."""
    path, draw = tmp_path / "first.npz", np.random.default_rng(1)
    arrays = [draw.normal(size=shape).astype("float32") for shape in ((2, 3), (3,), (3, 1), (1,))]
    np.savez(path, *arrays)

    def initialise(self, model, info, inputs, targets):
        assert {len(each) for each in (*inputs.values(), *targets.values())} == {info.train_rows} == {36}
        if not path.exists():
            raise MisfitError(("model",), "no file first.npz")
        with np.load(path) as file:
            model.set_weights([file[name] for name in file.files])
        return (Decision(FIRST_WEIGHTS, "first.npz", "it is there"),)

    monkeypatch.setattr(Mlp, "initialise", initialise)
    x = draw.normal(size=(60, 2))
    rows = [f"{a:.3f},{b:.3f},{'yes' if a > b else 'no'}" for a, b in x]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    (tmp_path / "config.yaml").write_text(CONFIG)
    return path


def weights(run):
    return [*read_model(RunDirectory(run)).weights.values()]


def first_weights(run):
    decisions = json.loads((run / "record.json").read_text())["decisions"]
    return [each["value"] for each in decisions if each["what"] == FIRST_WEIGHTS]


def test_a_training_begins_with_them_and_says_so(mltrain, source):
    with np.load(source) as file:
        expected = [file[name] for name in file.files]
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    assert first_weights(done.run) == ["first.npz"]
    for found, known in zip(weights(done.run), expected, strict=True):
        np.testing.assert_array_equal(found, known)


@pytest.mark.long
def test_what_follows_the_first_step_does_without_the_file(mltrain, source):
    run = mltrain("train", "config.yaml", "--run-dir", "run").run
    before = weights(run)
    source.unlink()
    for command in (
        ("evaluate", run),
        ("predict", run, source.parent / "data.csv"),
        ("predict", run, source.parent / "data.csv", "--explain"),
        ("explain", run),
        ("report", run),
        ("resume", run, "--epochs", 3),
        ("resume", run, "--epochs", 4, "--allow-inexact", "--set", "training.optimizer.learning_rate=2.0e-30"),
    ):
        done = mltrain(*command)
        assert done.code == 0, (command, done.err)
    assert first_weights(run) == ["first.npz"]
    for found, known in zip(weights(run), before, strict=True):
        np.testing.assert_array_equal(found, known)


def test_a_training_without_a_step_looks_for_them(mltrain, source, monkeypatch):
    def killed(*_):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("mltrain.procedures.fitting.write_first_files", killed)
        assert mltrain("train", "config.yaml", "--run-dir", "run").code == 9
    run = source.parent / "run"
    renamed = source.rename(source.with_suffix(".gone"))
    for command in (("train", "config.yaml", "--run-dir", "other"), ("resume", run)):
        done = mltrain(*command)
        assert done.code == 3, done.err
        assert "no file first.npz" in done.err
    renamed.rename(source)
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert "resumed from step 0" in done.err
    assert first_weights(run) == ["first.npz"]
