"""Equal rows get equal scores to the last bit, wherever they are in a file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.csv_files import read_csv
from tests.data.pictures import pixels, write_folder

pytestmark = pytest.mark.long

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
training: {{optimizer: {{type: Adam, learning_rate: 0.01}}, epochs: 2{loss}}}
evaluation: {{metrics: [roc_auc, pr_auc, accuracy]{block}}}
"""


def config(layers, loss="", block=""):
    """Return the YAML of a run; with logits the model ends in the layer that gives them."""
    logits = loss and ", {type: Dense, units: 1}"
    return CONFIG.format(layers=layers + logits, loss=loss and f", loss: {loss}", block=block)


LOGITS = "{type: BinaryCrossentropy, from_logits: true}"
MODELS = {
    "dense": ("{type: Dense, units: 128, activation: relu}, {type: Dense, units: 128, activation: tanh}", (200,)),
    "images": (
        "{type: Conv2D, filters: 5, kernel_size: 3, activation: relu}, MaxPooling2D, {type: Conv2D, filters: 9, "
        "kernel_size: 2}, Flatten",
        (11, 9, 3),
    ),
    "recurrent": ("{type: LSTM, units: 11}", (12, 3)),
    "convolution": (
        "{type: Conv1D, filters: 9, kernel_size: 3, activation: relu}, {type: Flatten}, {type: Dense, units: 33}",
        (12, 3),
    ),
}


def write(path, x, positive):
    np.savez(path, x=x.astype(np.float32), y=positive.astype(np.int64))


@pytest.mark.parametrize(
    ("model", "loss", "block"),
    [*((model, "", "") for model in MODELS), ("dense", LOGITS, ""), ("images", LOGITS, ", batch_size: 7")],
)
def test_rows_that_are_there_twice_are_ties(mltrain, tmp_path, model, loss, block):
    layers, shape = MODELS[model]
    generator = np.random.default_rng(5)
    x = generator.normal(size=(90, *shape))
    write(tmp_path / "train.npz", x, x.reshape(90, -1)[:, 0] > 0)
    (tmp_path / "c.yaml").write_text(config(layers, loss, block), encoding="utf-8")
    run = mltrain("train", "c.yaml", "-q", "--runs-dir", "runs").run
    for different in (1, 3, 29, 45):
        # Each row is there once in each class, so nothing can rank the classes; the last rows are not a full vector.
        x = generator.normal(size=(different, *shape))
        write(tmp_path / "new.npz", np.concatenate([x, x]), np.arange(2 * different) < different)
        found = mltrain("evaluate", run, "--data", "new.npz", "--json")
        (measured,) = json.loads(found.out)["splits"].values()
        assert measured["metrics"]["roc_auc"]["value"] == 0.5
        assert mltrain("predict", run, "new.npz", "--out", "out.npz", "--proba", "--force").code == 0
        with np.load(tmp_path / "out.npz") as out:
            first, second = np.split(out[next(each for each in out.files if each.startswith("probability"))], 2)
            assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("rows", [7, 30, 45, 143])
def test_a_model_with_one_score_for_all_rows_ranks_nothing(mltrain, tmp_path, rows):
    """Its features are constant, so that it learns nothing but the share of the classes."""
    x = np.ones((5 * rows, 2))
    write(tmp_path / "train.npz", x, np.arange(5 * rows) % 3 == 0)
    text = config("{type: Dense, units: 3, activation: tanh}")
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    metrics = json.loads((mltrain("train", "c.yaml", "-q", "--runs-dir", "runs").run / "metrics.json").read_text())
    for split in ("validation", "test"):
        assert metrics["splits"][split]["metrics"]["roc_auc"]["value"] == 0.5


@pytest.mark.parametrize("block", ["", ", batch_size: 7"])
def test_an_image_has_one_score_wherever_its_file_is(mltrain, tmp_path, block):
    """In blocks of any size, for a model whose probabilities are computed from logits."""
    images = pixels(60, 9, 7)
    write_folder(tmp_path / "photos", images, ["cat", "dog"] * 30)
    layers = "{type: Conv2D, filters: 4, kernel_size: 3, activation: relu}, Flatten"
    text = config(layers, LOGITS, block).replace(
        "{type: npz, path: train.npz}\n  target: y", "{type: image_folder, path: photos, size: [9, 7]}"
    )
    (tmp_path / "c.yaml").write_text(text.replace("\n  scale: none", ""), encoding="utf-8")
    run = mltrain("train", "c.yaml", "-q", "--runs-dir", "runs").run
    seen = [set() for _ in range(9)]
    for count in (11, 33, 75):
        write_folder(tmp_path / f"new{count}", images[np.arange(count) % len(seen)], ["one"] * count)
        assert mltrain("predict", run, f"new{count}", "--out", "out.csv", "--proba", "--force").code == 0
        for row, line in enumerate(read_csv(tmp_path / "out.csv")):
            seen[row % len(seen)].add(line["probability_dog"])
    assert [len(scores) for scores in seen] == [1] * len(seen)
