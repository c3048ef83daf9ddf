"""Layers in float16: the loss is scaled, what that remembers is in the checkpoints, and left-out steps are no fault."""

import json

import keras
import numpy as np
import pytest

from mltrain.run.checkpoint_files import newest
from tests.procedures.interrupted import assert_same_after_an_interruption

IMAGES = """\
name: images
precision: mixed_float16
data:
  source: {type: synthetic, kind: shapes, rows: 100, size: 8}
  split: {type: random, validation: 0.2, test: 0.2}
model:
  type: sequential
  layers: [{type: Conv2D, filters: 4, kernel_size: 3}, BatchNormalization, GlobalAveragePooling2D]
training:
  optimizer: {type: AdamW, learning_rate: 0.01}
  schedule: cosine
  epochs: 4
  batch_size: 16
  checkpoint: {every: 2 steps}
"""
# The predictions are thousands, and so are the gradients: multiplied by 32,768 they are no float16.
LINE = """\
name: line
precision: mixed_float16
data:
  source: {type: synthetic, kind: linear, rows: 100, slope: 3000, intercept: 100, noise: 1}
  target: {column: y, scale: none}
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: mlp, units: [4]}
training: {optimizer: {type: Adam, learning_rate: 0.01}, epochs: 12, batch_size: 16}
"""
TEXTS = """\
name: texts
precision: mixed_float16
data: {source: {type: csv, path: d.csv}, target: y, features: {word: text}}
task: binary
training: {epochs: 2, accumulate: 2}
"""


def optimizer_of(run):
    """Return the numbers of the optimizer in the last checkpoint: its steps without a fault, its scale, its updates."""
    with np.load(newest(run / "checkpoints", "state") / "arrays.npz") as kept:
        return [kept[name] for name in kept.files if name.startswith("optimizer")]


@pytest.mark.long
def test_the_scale_is_in_the_checkpoints_and_a_resumed_training_is_the_same(mltrain, tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text(IMAGES)
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    numbers = [each for each in optimizer_of(done.run) if each.ndim == 0]
    assert any(each == 2.0**15 for each in numbers)
    assert any(each == 16 for each in numbers)  # 60 rows are four steps an epoch, and all of them were good
    assert_same_after_an_interruption(tmp_path, mltrain, monkeypatch)
    again = mltrain("evaluate", "run", "--split", "test", "--json")
    known = json.loads((done.run / "metrics.json").read_text())["splits"]["test"]["metrics"]
    assert json.loads(again.out)["splits"]["test"]["metrics"] == known
    assert keras.saving.load_model(done.run / "model.keras") is not None


def test_steps_that_are_left_out_are_no_divergence(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(LINE)
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    scales = [float(each) for each in optimizer_of(done.run) if each.ndim == 0 and each.dtype == np.float32]
    assert any(1 <= each < 2.0**15 for each in scales)
    status = json.loads((done.run / "status.json").read_text())
    assert status["epoch"] == 12
    assert 0 < status["step"] < 12 * 4  # updates
    longer = mltrain("resume", "run", "--epochs", 13)
    assert longer.code == 0, longer.err


@pytest.mark.parametrize("model", ["auto", "tabular"])
def test_embeddings_and_members_are_trained_too(mltrain, tmp_path, model):
    words = ["red", "green", "blue"]
    table = "word,x,y\n" + "".join(f"{words[row % 3]} w{row % 7},{row},{row % 2}\n" for row in range(80))
    (tmp_path / "d.csv").write_text(table)
    text = TEXTS if model == "auto" else TEXTS.replace("features: {word: text}", "features: {word: ignore}")
    (tmp_path / "config.yaml").write_text(text + (f"model: {model}\n" if model != "auto" else ""))
    done = mltrain("train", "config.yaml")
    assert done.code == 0, done.err
