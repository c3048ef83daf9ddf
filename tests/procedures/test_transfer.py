"""Transfer learning: what a small network has learned of eight digits makes it better at the other two, of which there
are few."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

pytestmark = pytest.mark.long

OTHER_TWO = (4, 7)
SIZE = 20
# A digit somewhere in the image, noise, and two pieces of other digits: few images do not teach what to look at.
PIECES, PIECE, NOISE = 2, 4, 0.1

VGG = """
  type: sequential
  layers:
    - {type: Conv2D, filters: 16, kernel_size: 3, padding: same, activation: relu, name: block1_conv1}
    - {type: Conv2D, filters: 16, kernel_size: 3, padding: same, activation: relu, name: block1_conv2}
    - {type: MaxPooling2D, name: block1_pool}
    - {type: Conv2D, filters: 32, kernel_size: 3, padding: same, activation: relu, name: block2_conv1}
    - {type: Conv2D, filters: 32, kernel_size: 3, padding: same, activation: relu, name: block2_conv2}
    - {type: MaxPooling2D, name: block2_pool}
    - {type: Conv2D, filters: 64, kernel_size: 3, padding: same, activation: relu, name: block3_conv1}
    - {type: GlobalMaxPooling2D, name: pool}
"""
RESNET = """
  type: graph
  layers:
    - {type: Conv2D, filters: 24, kernel_size: 3, padding: same, activation: relu, name: block1_conv1}
    - {type: Conv2D, filters: 24, kernel_size: 3, padding: same, activation: relu, name: block1_conv2}
    - {type: Conv2D, filters: 24, kernel_size: 3, padding: same, name: block1_conv3}
    - {type: Add, from: [block1_conv1, block1_conv3], name: block1_add}
    - {type: MaxPooling2D, name: block1_pool}
    - {type: Conv2D, filters: 48, kernel_size: 3, padding: same, activation: relu, name: block2_conv1}
    - {type: Conv2D, filters: 48, kernel_size: 3, padding: same, activation: relu, name: block2_conv2}
    - {type: Conv2D, filters: 48, kernel_size: 3, padding: same, name: block2_conv3}
    - {type: Add, from: [block2_conv1, block2_conv3], name: block2_add}
    - {type: MaxPooling2D, name: block2_pool}
    - {type: Conv2D, filters: 64, kernel_size: 3, padding: same, activation: relu, name: block3_conv1}
    - {type: GlobalMaxPooling2D, name: pool}
"""
NETWORKS = {"vgg": VGG, "resnet": RESNET}
CONFIG = """\
seed: {seed}
data:
  source: {{type: npz, path: {file}}}
  target: digit
  split: {{type: random, test: {test}, validation: {validation}}}
model:{model}
training:
  batch_size: {batch}
{training}
evaluation: {{baselines: false}}
"""
PRETRAINING = "  epochs: 12\n  learning_rate: 0.0015"
SCRATCH = "  epochs: 30\n  learning_rate: 0.001"
TWO_STAGES = """\
  stages:
    - {train: head, epochs: 15, learning_rate: 0.01}
    - {train: {from: block3_conv1}, epochs: 15, learning_rate: 0.001}"""


def cluttered(digits, rng):
    """Return digits (n, 8, 8), from 0 to 1, each somewhere in a larger image with pieces of others: (n, 20, 20, 1)."""
    images = rng.normal(0, NOISE, (len(digits), SIZE, SIZE))
    for image, digit in zip(images, digits, strict=True):
        row, column = rng.integers(0, SIZE - 7, 2)
        image[row : row + 8, column : column + 8] += digit
        for _ in range(PIECES):
            other = digits[rng.integers(len(digits))]
            top, left = rng.integers(0, 8 - PIECE + 1, 2)
            row, column = rng.integers(0, SIZE - PIECE + 1, 2)
            image[row : row + PIECE, column : column + PIECE] += other[top : top + PIECE, left : left + PIECE]
    return (np.clip(images, 0, 1) * 255).astype(np.uint8)[..., np.newaxis]


@pytest.fixture(scope="module")
def digits():
    """Return the images and digits of the eight classes, and those of the other two."""
    images, numbers = load_digits(return_X_y=True)
    images, rng = images.reshape(-1, 8, 8) / 16, np.random.default_rng(0)
    two, names = np.isin(numbers, OTHER_TWO), numbers.astype(str)
    eight = cluttered(np.repeat(images[~two], 4, axis=0), rng), np.repeat(names[~two], 4)
    return eight, (cluttered(images[two], rng), names[two])


# Five seeds of both take four minutes: they are in the long form.
LONG = [pytest.param(name, 5, marks=pytest.mark.torture) for name in NETWORKS]


@pytest.mark.parametrize(("network", "seeds"), [("vgg", 2), *LONG])
def test_forty_images_are_enough_for_who_has_seen_others(tmp_path, mltrain, digits, network, seeds):
    for name, (images, numbers) in zip(("eight", "two"), digits, strict=True):
        np.savez(tmp_path / f"{name}.npz", image=images, digit=numbers)
    rows = len(digits[1][0])

    def accuracy(run, file, shares, training, *, batch, seed, first=""):
        test, validation = shares
        model = NETWORKS[network] + first
        text = CONFIG.format(
            seed=seed, file=f"{file}.npz", test=test, validation=validation, model=model, training=training, batch=batch
        )
        (tmp_path / "config.yaml").write_text(text)
        done = mltrain("train", "config.yaml", "--run-dir", run)
        assert done.code == 0, done.err
        return json.loads((tmp_path / run / "metrics.json").read_text())["splits"]

    learned = accuracy("pretraining", "eight", (0.1, 0.1), PRETRAINING, batch=32, seed=1)["test"]["metrics"]["accuracy"]
    assert learned["low"] > 0.8
    # 30 to learn from and 10 to choose the epoch by; shares are rounded up to whole rows.
    shares = [round((rows - 40.5) / rows, 6), round(9.5 / rows, 6)]
    for seed in range(seeds):
        given = {"batch": 8, "seed": seed}
        tuned = accuracy(f"tuned{seed}", "two", shares, TWO_STAGES, first="  weights: {run: pretraining}\n", **given)
        scratch = accuracy(f"scratch{seed}", "two", shares, SCRATCH, **given)
        assert tuned["train"]["n"] + tuned["validation"]["n"] == 40
        assert tuned["test"]["metrics"]["accuracy"]["low"] > scratch["test"]["metrics"]["accuracy"]["high"], seed
