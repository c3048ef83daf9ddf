"""Weight decay through the command: what is left alone stays alone after a resumption, and in older runs nothing is."""

import json

import keras
import numpy as np
import pytest

from mltrain.run.checkpoint_files import newest
from tests.procedures.interrupted import assert_same_after_an_interruption

CONFIG = """\
name: decayed
data:
  source: {type: synthetic, kind: blobs, rows: 120}
  split: {type: random, validation: 0.2, test: 0.2}
model:
  type: sequential
  layers: [{type: Dense, units: 6}, BatchNormalization, {type: Dropout, rate: 0.2}]
training:
  optimizer: {type: AdamW, learning_rate: 0.01, weight_decay: 0.5}
  epochs: 4
  batch_size: 16
  checkpoint: {every: 2 steps}
"""


def arrays(run, kind="last"):
    with np.load(newest(run / "checkpoints", kind) / "arrays.npz") as kept:
        return {name: kept[name] for name in kept.files}


@pytest.fixture
def trained(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)

    def run(name, *settings):
        options = [part for each in settings for part in ("--set", each)]
        done = mltrain("train", "config.yaml", "--run-dir", name, *options)
        assert done.code == 0, done.err
        return done.run

    return run


def decisions(run):
    kept = json.loads((run / "record.json").read_text())["decisions"]
    return {each["what"]: each["value"] for each in kept}


def test_one_step_is_that_of_the_formula(trained):
    """Between AdamW with decay and Adam without, one step differs by rate * decay * weight, of kernels alone."""
    settings = ("training.epochs=1", "training.batch_size=full")
    with_decay = arrays(trained("run", *settings))
    without = arrays(trained("plain", *settings, "training.optimizer.weight_decay=0.0"))
    first = arrays(trained("first", *settings, "training.optimizer={type: SGD, learning_rate: 1e-12}"))
    changed = 0
    for name, weight in with_decay.items():
        by_decay = without[name] - weight
        if weight.ndim == 2:
            assert by_decay == pytest.approx(0.01 * 0.5 * first[name], abs=1e-6)
            changed += 1
        else:
            assert by_decay == pytest.approx(0, abs=1e-7)
    assert changed == 2


@pytest.mark.long
def test_it_is_said_and_keras_has_its_way_where_that_is_stated(trained):
    run, theirs = trained("run"), trained("theirs", "training.weight_decay_on=all")
    assert decisions(run)["training.weight_decay_on"] == "weights"
    assert "training.weight_decay_on" not in decisions(theirs)
    mine, other = arrays(run), arrays(theirs)
    assert any(not np.array_equal(mine[name], other[name]) for name in mine if mine[name].ndim == 1)
    assert "training.weight_decay_on" not in decisions(trained("none", "training.optimizer=adam"))


@pytest.mark.long
def test_a_resumed_training_leaves_the_same_alone(mltrain, trained, tmp_path, monkeypatch):
    trained("run")
    assert_same_after_an_interruption(tmp_path, mltrain, monkeypatch)


@pytest.mark.long
def test_older_runs_decay_all_as_they_did(mltrain, trained, tmp_path):
    run = trained("run", "training.weight_decay_on=all")
    before = arrays(run)
    # As the version before this key wrote it.
    resolved = run / "config.resolved.yaml"
    lines = resolved.read_text().splitlines(keepends=True)
    resolved.write_text("".join(line for line in lines if "weight_decay_on" not in line))
    record = json.loads((run / "record.json").read_text())
    record["defaults"] = 2
    (run / "record.json").write_text(json.dumps(record))
    repeated = mltrain("reproduce", run)
    assert repeated.code == 0, repeated.err
    assert "identical" in repeated.out + repeated.err
    longer = mltrain("resume", run, "--epochs", 5)
    assert longer.code == 0, longer.err
    straight = arrays(trained("straight", "training.weight_decay_on=all", "training.epochs=5"))
    assert all(np.array_equal(straight[name], each) for name, each in arrays(run).items())
    assert any(not np.array_equal(before[name], straight[name]) for name in before)


def test_the_exported_model_opens_in_keras(trained):
    run = trained("run")
    assert keras.saving.load_model(run / "model.keras") is not None
