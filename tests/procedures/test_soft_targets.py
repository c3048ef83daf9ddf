"""Mixed rows and smoothed targets, through the command: they change the training, and no number of other rows."""

import json

import numpy as np
import pytest

from tests.procedures.interrupted import assert_same_after_an_interruption

DIGITS = """\
name: soft
data:
  source: {type: synthetic, kind: shapes, rows: 150}
  split: {type: random, validation: 0.2, test: 0.2}
model:
  type: sequential
  layers:
    - {type: Conv2D, filters: 4, kernel_size: 3}
    - BatchNormalization
    - GlobalAveragePooling2D
    - {type: Dropout, rate: 0.2}
training:
  epochs: 4
  batch_size: 16
  checkpoint: {every: 2 steps}
"""
BLOBS = """\
name: soft
data:
  source: {type: synthetic, kind: blobs, rows: 150}
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: MODEL}
training: {epochs: 3, batch_size: 16}
"""
SETTINGS = {
    "cutmix": ["training.mix=cutmix", "training.label_smoothing=0.1"],
    "mixup": ["training.mix={type: mixup, alpha: 0.4}", "training.accumulate=2", "training.class_weight=balanced"],
}


def options(settings):
    return [part for each in settings for part in ("--set", each)]


@pytest.mark.long
@pytest.mark.parametrize("name", SETTINGS)
def test_an_interrupted_training_draws_the_same(mltrain, tmp_path, monkeypatch, name):
    (tmp_path / "plain.yaml").write_text(DIGITS)
    shown = mltrain("train", "plain.yaml", "--run-dir", "plain", *options(SETTINGS[name]))
    assert shown.code == 0, shown.err
    # `train config.yaml` has no settings of its own.
    (tmp_path / "config.yaml").write_text((shown.run / "config.resolved.yaml").read_text())
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    assert_same_after_an_interruption(tmp_path, mltrain, monkeypatch)
    again = mltrain("evaluate", "run", "--split", "test", "--json")
    assert again.code == 0, again.err
    known = json.loads((done.run / "metrics.json").read_text())["splits"]["test"]["metrics"]
    assert json.loads(again.out)["splits"]["test"]["metrics"] == known


@pytest.mark.parametrize(
    ("model", "setting"), [("tabular", "training.mix=mixup"), ("mlp", "training.label_smoothing=0.2")]
)
def test_validation_has_the_plain_loss(mltrain, tmp_path, model, setting):
    """Its loss is the log loss of the probabilities, which is measured apart."""
    (tmp_path / "config.yaml").write_text(BLOBS.replace("MODEL", model))
    done = mltrain("train", "config.yaml", "--set", setting)
    assert done.code == 0, done.err
    header, *rows = (line.split(",") for line in (done.run / "history.csv").read_text().splitlines())
    last = dict(zip(header, map(float, rows[-1]), strict=True))
    assert last["validation.loss"] == pytest.approx(last["validation.log_loss"], rel=1e-5)
    assert last["train.loss"] != pytest.approx(last["validation.loss"], rel=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["task=regression", "training.mix=mixup"], "training.mix: mixup mixes classes (binary, multiclass and multi"),
        (["task=regression", "training.label_smoothing=0.1"], "training.label_smoothing: only classes are smoothed"),
        (["training.mix=mixup", "training.xla=true"], "training.xla: XLA cannot draw what training.mix draws"),
        (
            ["task=multiclass", "training.label_smoothing=0.1", "training.loss=KLDivergence"],
            "training.label_smoothing: KLDivergence has no smoothed targets: use one of BinaryCrossentropy",
        ),
        (
            [
                "task=multiclass",
                "training.label_smoothing=0.1",
                "training.loss={type: CategoricalCrossentropy, label_smoothing: 0.2}",
            ],
            "training.label_smoothing: CategoricalCrossentropy already has a label_smoothing",
        ),
    ],
)
def test_what_does_not_fit_is_said_at_its_line(mltrain, tmp_path, settings, message):
    (tmp_path / "config.yaml").write_text(BLOBS.replace("MODEL", "mlp"))
    done = mltrain("validate", "config.yaml", *options(settings))
    assert done.code == 3
    assert message in done.err


def test_cutmix_needs_images(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(BLOBS.replace("MODEL", "mlp"))
    done = mltrain("train", "config.yaml", "--set", "training.mix=cutmix")
    assert done.code == 3
    assert "training.mix: cutmix is for models with one image as their only input: use mixup" in done.err


def test_index_numbers_cannot_be_mixed(mltrain, tmp_path):
    table = "word,y\n" + "".join(f"{['red', 'green', 'blue'][row % 3]} w{row},{row % 2}\n" for row in range(60))
    (tmp_path / "d.csv").write_text(table)
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: d.csv}, target: y, features: {word: text}}\n"
        "task: binary\ntraining: {mix: mixup, epochs: 1}\n"
    )
    done = mltrain("train", "config.yaml")
    assert done.code == 3, done.err
    assert "training.mix: mixup needs numbers, and the input" in done.err


FOCAL = {
    # (1 - p) ** 2 of the log loss, times alpha: of the true class, p is its probability.
    "multiclass": ("CategoricalFocalCrossentropy", 0.25),
    "binary": ("BinaryFocalCrossentropy", 1.0),
}


@pytest.mark.parametrize("task", FOCAL)
def test_a_focal_loss_takes_class_numbers(mltrain, tmp_path, task):
    loss, alpha = FOCAL[task]
    source = (
        "{type: synthetic, kind: blobs, rows: 150}" if task == "multiclass" else "{type: sklearn, name: breast_cancer}"
    )
    text = BLOBS.replace("MODEL", "mlp").replace("{type: synthetic, kind: blobs, rows: 150}", source)
    (tmp_path / "config.yaml").write_text(text + f"task: {task}\n")
    done = mltrain("train", "config.yaml", "--set", f"training.loss={loss}")
    assert done.code == 0, done.err
    known = json.loads((done.run / "metrics.json").read_text())["splits"]["test"]["metrics"]["loss"]["value"]
    truth, found = (np.load(done.run / "predictions" / f"test.{part}.npy") for part in ("target", "predictions"))
    found = found if task == "multiclass" else np.stack([1 - found, found], axis=1)
    p = found[np.arange(len(truth)), truth].astype(np.float64)
    assert known == pytest.approx(np.mean(alpha * (1 - p) ** 2 * -np.log(p)), rel=1e-4)
    said = "Keras multiplies the loss of every class by it" in (done.run / "record.json").read_text()
    assert said == (task == "multiclass")
