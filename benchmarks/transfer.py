"""Transfer learning in two stages: `python -m benchmarks.transfer`, a quarter of an hour.

A MobileNetV2 at 96 × 96 gets a head for three classes of photos, and then its last 30 layers are trained. Its weights
are random numbers in a file: what they are changes no time, and nothing is downloaded.

The epochs of the head stage, which trains on the kept outputs of the backbone, are compared with the same epochs where
nothing is kept, and the whole command with a Keras script that does the same with `fit` (plain_keras/transfer.py).
"""

from __future__ import annotations

import csv
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.processes import FreshRuns, cost
from benchmarks.ratios import Row, in_turns, quick, ratio, show

HERE = Path(__file__).parent
SIZE, STORED = 96, (256, 256)
KINDS = ("blue", "green", "red")
PHOTOS, QUICK_PHOTOS = 600, 60
# As in docs/transfer.md.
HEAD, TUNED, QUICK_EPOCHS = 10, 20, 2
ROUNDS, QUICK_ROUNDS = 5, 1
HEAD_AT_LEAST, COMMAND_AT_LEAST = 5.0, 2.0
# Of the history of both ways.
TOLERANCE = 1e-6
CONFIG = """\
version: 1
name: transfer
data:
  source: {{type: image_folder, path: photos, size: [{size}, {size}]}}
  split: {{type: random, validation: 0.2, test: 0.2}}
model: {{type: pretrained, backbone: MobileNetV2, weights: {{file: mobilenet.weights.h5}}}}
training:
  stages:
    - {{train: head, epochs: {head}, learning_rate: 0.001}}
    - {{train: {{last: 30 layers}}, epochs: {tuned}, learning_rate: 1.0e-5}}
evaluation: {{metrics: [accuracy, f1, roc_auc, log_loss], baselines: false}}
"""
# Of no memory and no disk nothing is kept.
_NOTHING_KEPT = """
import sys
from mltrain.procedures import staging
staging.available_memory, staging._free_disk = lambda: 0, lambda folder: 0
from mltrain.cli.app import main
sys.argv = ["mltrain", *sys.argv[1:]]
main()
"""
_WEIGHTS = """
import sys
import keras
keras.utils.set_random_seed(0)
size = int(sys.argv[2])
network = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(size, size, 3))
network.save_weights(sys.argv[1])
"""


def main() -> None:
    """Measure, and print the table."""
    short = quick(__doc__)
    photos, rounds = (QUICK_PHOTOS, QUICK_ROUNDS) if short else (PHOTOS, ROUNDS)
    show(measured(photos, *((QUICK_EPOCHS, QUICK_EPOCHS) if short else (HEAD, TUNED)), rounds))


def measured(photos: int, head: int, tuned: int, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table.

    Raises:
        SystemExit: the two ways of mltrain do not train the same.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _write_photos(place / "photos", photos)
        subprocess.run(
            [sys.executable, "-c", _WEIGHTS, str(place / "mobilenet.weights.h5"), str(SIZE)],
            check=True,
            capture_output=True,
        )
        config = place / "transfer.yaml"
        config.write_text(CONFIG.format(size=SIZE, head=head, tuned=tuned), encoding="utf-8")
        yield _head_stage(config, place, photos, rounds)
        yield _command(config, place, (head, tuned), rounds)


def _write_photos(folder: Path, files: int) -> None:
    """Write smooth pictures as JPEG, a third in each of three folders; each has more of one colour."""
    from PIL import Image

    draw = np.random.default_rng(42)
    for number in range(files):
        coarse = draw.integers(0, 200, (16, 16, 3), np.uint8)
        coarse[..., number % 3] += 25
        (folder / KINDS[number % 3]).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(coarse).resize(STORED, Image.Resampling.BICUBIC)
        picture.save(folder / KINDS[number % 3] / f"{number:06d}.jpg", quality=90)


def _head_stage(config: Path, place: Path, photos: int, rounds: int) -> Row:
    """Compare the epochs of the first stage but the first, in which the loop is compiled and the outputs are kept."""
    kept, number = FreshRuns(place / "kept"), 0
    runs: dict[str, Path] = {}
    (place / "each").mkdir()

    def keep() -> float:
        kept.train(config)
        runs["kept"] = kept.last
        return _seconds_of_epoch(kept.last)

    def compute_each_time() -> float:
        nonlocal number
        number += 1
        runs["each"] = place / "each" / f"run-{number}"
        cost("-c", _NOTHING_KEPT, "train", str(config), "--quiet", "--run-dir", str(runs["each"]))
        return _seconds_of_epoch(runs["each"])

    seconds = in_turns({"kept": keep, "each": compute_each_time}, rounds)
    difference = _difference(runs["kept"], runs["each"])
    if difference > TOLERANCE:
        raise SystemExit(f"the histories differ by {difference:.2g}")
    work = f"an epoch of the head stage, MobileNetV2 at {SIZE} × {SIZE}, {photos:,} photos"
    compared = ratio(seconds["each"], seconds["kept"])
    results = f"histories of stage 1 differ by {difference:.1g} at most"
    return Row(work, "the backbone computed in each step", HEAD_AT_LEAST, compared, results)


def _rows(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["stage"] == "1"]


def _seconds_of_epoch(run: Path) -> float:
    return statistics.median(float(row["seconds"]) for row in _rows(run)[1:])


def _difference(one: Path, other: Path) -> float:
    """Return the largest difference of two histories of the first stage, relative to 1 or to the value above it."""
    pairs = [
        (float(a[name]), float(b[name]))
        for a, b in zip(_rows(one), _rows(other), strict=True)
        for name in a
        if name != "seconds"
    ]
    return max(abs(a - b) / max(1.0, abs(a)) for a, b in pairs)


def _command(config: Path, place: Path, epochs: tuple[int, int], rounds: int) -> Row:
    runs, theirs = FreshRuns(place / "whole"), Path()

    def run_mltrain() -> float:
        return runs.train(config).seconds

    def run_script() -> float:
        nonlocal theirs
        theirs = Path(tempfile.mkdtemp(dir=place)) / "script"
        arguments = (str(place / "photos"), str(place / "mobilenet.weights.h5"), str(SIZE), *map(str, epochs))
        return cost(str(HERE / "plain_keras" / "transfer.py"), str(theirs), *arguments).seconds

    (place / "whole").mkdir()
    seconds = in_turns({"mltrain": run_mltrain, "script": run_script}, rounds)
    ours = json.loads((runs.last / "metrics.json").read_text(encoding="utf-8"))
    score = ours["splits"]["test"]["metrics"]["accuracy"]["value"]
    other = json.loads((theirs / "metrics.json").read_text(encoding="utf-8"))["accuracy"]
    compared = ratio(seconds["script"], seconds["mltrain"])
    work = f"whole command: transfer in two stages, {epochs[0]} and {epochs[1]} epochs"
    return Row(work, "Keras script", COMMAND_AT_LEAST, compared, f"test accuracy {score:.3g} and {other:.3g}")


if __name__ == "__main__":
    main()
