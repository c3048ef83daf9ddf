"""Makes the two files that `configs/transfer_digits.yaml` uses: `python configs/transfer_digits/make.py`.

`four_and_seven.npz` has images of these two digits, each somewhere in a larger image with noise and pieces of other
digits. `eight_digits.h5` has the weights of a network that has learned the other eight, of which there are four
images for each digit of scikit-learn's data. Both are made by seeds alone.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parent
TWO = (4, 7)
SIZE, PIECES, PIECE, NOISE = 20, 2, 4, 0.1
LAYERS = """\
    - {type: Conv2D, filters: 16, kernel_size: 3, padding: same, activation: relu, name: block1_conv1}
    - {type: Conv2D, filters: 16, kernel_size: 3, padding: same, activation: relu, name: block1_conv2}
    - {type: MaxPooling2D, name: block1_pool}
    - {type: Conv2D, filters: 32, kernel_size: 3, padding: same, activation: relu, name: block2_conv1}
    - {type: Conv2D, filters: 32, kernel_size: 3, padding: same, activation: relu, name: block2_conv2}
    - {type: MaxPooling2D, name: block2_pool}
    - {type: Conv2D, filters: 64, kernel_size: 3, padding: same, activation: relu, name: block3_conv1}
    - {type: GlobalMaxPooling2D, name: pool}
"""
PRETRAINING = f"""\
name: eight-digits
data:
  source: {{type: npz, path: eight.npz}}
  target: digit
  split: {{type: random, test: 0.1, validation: 0.1}}
model:
  type: sequential
  layers:
{LAYERS}training: {{epochs: 20, learning_rate: 0.0015, patience: 5}}
"""


def cluttered(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return digits (n, 8, 8), from 0 to 1, each in an image with pieces of others: (n, 20, 20, 1) uint8."""
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


def main() -> None:
    """Write both files."""
    images, numbers = load_digits(return_X_y=True)
    images, rng = images.reshape(-1, 8, 8) / 16, np.random.default_rng(0)
    two, names = np.isin(numbers, TWO), numbers.astype(str)
    eight = cluttered(np.repeat(images[~two], 4, axis=0), rng)
    np.savez_compressed(FOLDER / "four_and_seven.npz", image=cluttered(images[two], rng), digit=names[two])
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "eight.npz"), image=eight, digit=np.repeat(names[~two], 4))
        Path(folder, "pretraining.yaml").write_text(PRETRAINING, encoding="utf-8")
        command = ["mltrain", "train", "pretraining.yaml", "--run-dir", "run"]
        subprocess.run(command, cwd=folder, check=True)
        trained = keras.models.load_model(Path(folder, "run", "model.keras"))
    named = {layer.name: layer for layer in trained._flatten_layers()}
    convolutions = [named[f"block{block}_conv{number}"] for block, number in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1))]
    network = keras.Sequential([keras.Input((SIZE, SIZE, 1)), *convolutions])
    network.save(FOLDER / "eight_digits.h5", include_optimizer=False)


if __name__ == "__main__":
    main()
