"""Equal rows get equal scores to the last bit, wherever they are in a file."""

from __future__ import annotations

import json

import numpy as np
import pytest

CONFIG = """\
version: 1
name: equal
data:
  source: {{type: npz, path: train.npz}}
  target: y
  scale: none
model:
  type: sequential
  layers: [{layers}]
training: {{optimizer: {{type: Adam, learning_rate: 0.01}}, epochs: 2}}
evaluation: {{metrics: [roc_auc, pr_auc, accuracy]}}
"""
MODELS = {
    "dense": ("{type: Dense, units: 128, activation: relu}, {type: Dense, units: 128, activation: tanh}", (200,)),
    "recurrent": ("{type: LSTM, units: 11}", (12, 3)),
    "convolution": (
        "{type: Conv1D, filters: 9, kernel_size: 3, activation: relu}, {type: Flatten}, {type: Dense, units: 33}",
        (12, 3),
    ),
}


def write(path, x, positive):
    np.savez(path, x=x.astype(np.float32), y=positive.astype(np.int64))


@pytest.mark.parametrize("model", MODELS)
def test_a_model_that_gives_every_row_one_score_ranks_nothing(mltrain, tmp_path, model):
    layers, shape = MODELS[model]
    generator = np.random.default_rng(5)
    x = generator.normal(size=(90, *shape))
    write(tmp_path / "train.npz", x, x.reshape(90, -1)[:, 0] > 0)
    (tmp_path / "c.yaml").write_text(CONFIG.format(layers=layers), encoding="utf-8")
    run = mltrain("train", "c.yaml", "-q", "--runs-dir", "runs").run
    row, scores = generator.normal(size=(1, *shape)), set()
    for rows in (2, 7, 31, 33, 45, 64, 101, 114, 143, 455):
        write(tmp_path / "new.npz", np.repeat(row, rows, axis=0), np.arange(rows) >= rows // 2)
        found = mltrain("evaluate", run, "--data", "new.npz", "--json")
        (measured,) = json.loads(found.out)["splits"].values()
        assert measured["metrics"]["roc_auc"]["value"] == 0.5
        assert measured["metrics"]["pr_auc"]["value"] == pytest.approx((rows - rows // 2) / rows, abs=1e-15)
        assert mltrain("predict", run, "new.npz", "--out", "out.npz", "--proba", "--force").code == 0
        with np.load(tmp_path / "out.npz") as out:
            name = next(each for each in out.files if each.startswith("probability"))
            scores |= set(out[name].reshape(-1).tolist())
    assert len(scores) <= 2  # that of one class is 1 minus that of the other


def test_equal_rows_among_others_have_one_score(mltrain, tmp_path):
    layers, shape = MODELS["recurrent"]
    generator = np.random.default_rng(6)
    x = generator.normal(size=(143, *shape))
    x[[0, 17, 70, 141, 142]] = x[0]
    write(tmp_path / "train.npz", x, x.reshape(143, -1)[:, 0] > 0)
    (tmp_path / "c.yaml").write_text(CONFIG.format(layers=layers), encoding="utf-8")
    run = mltrain("train", "c.yaml", "-q", "--runs-dir", "runs").run
    assert mltrain("predict", run, "train.npz", "--out", "out.npz", "--proba").code == 0
    with np.load(tmp_path / "out.npz") as out:
        name = next(each for each in out.files if each.startswith("probability"))
        assert len(np.unique(out[name][[0, 17, 70, 141, 142]], axis=0)) == 1
