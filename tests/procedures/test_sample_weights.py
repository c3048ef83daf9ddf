"""Rows that count more than others in the loss, through the commands."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from tests.conftest import in_process

CONFIG = """\
name: weighted
data:
  source: {type: csv, path: rows.csv}
  target: y
  sample_weight: w
  split: {type: random, validation: 0.2, test: 0.2, stratify: false}
model: linear
training: {epochs: 2, batch_size: 8, loss: MeanSquaredError, optimizer: {type: SGD, learning_rate: 0.1}}
task: regression
"""


def write(folder, weights="w", config=CONFIG) -> None:
    draw = np.random.default_rng(0)
    x, y, w = draw.normal(size=60), draw.normal(size=60), draw.integers(0, 5, 60)
    lines = [f"{a:.4f},{b:.4f},{c}" for a, b, c in zip(x, y, w, strict=True)]
    (folder / "rows.csv").write_text("\n".join([f"x,y,{weights}", *lines]) + "\n")
    (folder / "config.yaml").write_text(config)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weighted")
    write(folder)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    return folder, done


def test_the_weight_is_no_feature_and_is_said(trained):
    folder, done = trained
    preprocessing = json.loads((folder / "run" / "preprocessing.json").read_text())
    assert [each["column"] for each in preprocessing["columns"]] == ["x"]
    assert "data.sample_weight: column 'w' (divided by their mean in the training rows, " in done.err
    assert "training rows have the weight 0" in done.err


def test_the_training_is_that_of_keras_with_these_weights(trained):
    """By hand: mini-batch steps on the weighted squared error, the mean over rows as Keras takes it."""
    folder, _ = trained
    record = json.loads((folder / "run" / "preprocessing.json").read_text())
    rows = np.genfromtxt(folder / "rows.csv", delimiter=",", names=True)
    train = np.load(folder / "run" / "splits" / "train.npy")
    scaling, target = record["columns"][0]["scaling"], record["target"]
    x = ((rows["x"][train] - scaling["center"]) / scaling["width"]).astype(np.float32)[:, None]
    y = ((rows["y"][train] - target["center"]) / target["width"]).astype(np.float32)[:, None]
    w = (rows["w"][train] / rows["w"][train].mean()).astype(np.float32)
    from mltrain.training.progress import epoch_order

    seed = json.loads((folder / "run" / "record.json").read_text())["seeds"]["experiment"]
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    losses = []
    for epoch in (1, 2):
        order = epoch_order(len(train), seed, epoch)
        fitted = model.fit(x[order], y[order], sample_weight=w[order], batch_size=8, shuffle=False, verbose=0)
        losses.append(fitted.history["loss"][0])
    history = np.genfromtxt(folder / "run" / "history.csv", delimiter=",", names=True)
    assert history["trainloss"].tolist() == pytest.approx(losses, rel=1e-6)


def test_other_rows_need_no_weight(trained):
    folder, _ = trained
    (folder / "new.csv").write_text("x,y\n0.5,1\n0.1,2\n")
    assert in_process(folder, "evaluate", "run", "--data", "new.csv").code == 0
    assert in_process(folder, "predict", "run", "new.csv", "--out", "out.csv").code == 0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("-1", "rows.csv:4: column 'w': expected a sample weight of 0 or more, found -1"),
        ("", "rows.csv:4: column 'w': the sample weight is missing"),
        (
            "many",
            "rows.csv:4: column 'w': 'many' is not a number (59 of 60 values are). "
            "Correct the row, or name a column of numbers in data.sample_weight\n",
        ),
    ],
)
def test_a_weight_that_is_none_is_refused_at_its_row(tmp_path, value, message):
    write(tmp_path)
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    lines[3] = f"{lines[3].rpartition(',')[0]},{value}"
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    done = in_process(tmp_path, "train", "config.yaml")
    assert done.code == 4
    assert message in done.err


@pytest.mark.parametrize(
    ("replaced", "by", "code", "message"),
    [
        ("sample_weight: w", "sample_weight: y", 3, "'y' is the target, so it cannot be the sample weight too"),
        ("sample_weight: w", "sample_weight: v", 3, "config.yaml:5:18: data.sample_weight: "),
        ("model:", "  features: {w: {type: category}}\nmodel:", 3, "'w' is a category feature, and a sample weight is"),
        (
            "MeanSquaredError",
            "{type: Dice}",
            3,
            "Dice gives one loss for all rows of a batch, so rows cannot be weighted",
        ),
    ],
)
def test_a_column_that_cannot_weight_is_refused_at_its_line(tmp_path, replaced, by, code, message):
    config = CONFIG.replace(replaced, by)
    write(tmp_path, config=config.replace("task: regression", "task: binary") if "Dice" in by else config)
    done = in_process(tmp_path, "train", "config.yaml")
    assert done.code == code
    assert message in done.err


def test_class_weights_multiply(tmp_path):
    from mltrain.training.class_weights import row_weights
    from mltrain.training.spec import TrainingSpec
    from tests.known_data import known_data

    info = known_data("binary", classes=("a", "b"))
    y, own = np.array([0, 1, 1]), np.array([1, 2, 0.5], np.float32)
    training = TrainingSpec.model_validate({"class_weight": {"a": 3.0}})
    assert row_weights(training, y, info, own).tolist() == [3, 2, 0.5]
    assert row_weights(TrainingSpec(), y, info, own).tolist() == own.tolist()
    assert row_weights(TrainingSpec(), y, info) is None
