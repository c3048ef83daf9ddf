"""Folds two at once beside one after another: `python -m benchmarks.several_runs`, half an hour on two cores.

What is compared is the whole command, from Enter to the last file. Both ways have all cores of the machine.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.processes import cost
from benchmarks.ratios import Row, in_turns, quick, ratio, show

FOLDS, AT_ONCE = 4, 2
ROUNDS, QUICK_ROUNDS = 5, 1
ROWS, QUICK_ROWS = 6_000, 300
CONFIG = """\
name: several-runs
data:
  source: {{type: npz, path: {data}.npz}}
  target: y
  split: {{type: random, validation: 0.2, test: 0.2}}
model: {model}
training: {{epochs: {epochs}, batch_size: 64}}
evaluation: {{metrics: [accuracy, log_loss]}}
"""


@dataclass(frozen=True)
class Work:
    """A kind of experiment.

    Attributes:
        data: the file of its rows.
        model: as YAML.
        epochs: of each fold.
    """

    data: str
    model: str
    epochs: int


# A fold of seconds, and one of half a minute: each process imports TensorFlow, which is most of the first.
WORK = {
    "dense net, 40 epochs": Work("table", "{type: mlp, units: [128, 128]}", 40),
    "dense net, 600 epochs": Work("table", "{type: mlp, units: [128, 128]}", 600),
    "CNN 28×28, 4 epochs": Work("images", "{type: cnn, filters: [16, 32]}", 4),
}


def main() -> None:
    """Measure, and print the table."""
    short = quick(__doc__)
    show(measured(QUICK_ROWS if short else ROWS, QUICK_ROUNDS if short else ROUNDS))


def measured(rows: int, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        draw = np.random.default_rng(0)
        columns = draw.normal(size=(rows, 20)).astype(np.float32)
        y = (columns[:, 0] * columns[:, 1] + columns[:, 2] > 0).astype(np.int64)
        np.savez(place / "table.npz", x=columns, y=y)
        images = draw.integers(0, 100, (rows, 28, 28, 1)).astype(np.uint8) + 100 * y[:, None, None, None]
        np.savez(place / "images.npz", image=images.astype(np.uint8), y=y)
        for work, about in WORK.items():
            config = place / "config.yaml"
            text = CONFIG.format(data=about.data, model=about.model, epochs=about.epochs)
            config.write_text(text, encoding="utf-8")
            yield _row(work, about, config, rounds)


def _row(work: str, about: Work, config: Path, rounds: int) -> Row:
    means: dict[int, float] = {}

    def train(at_once: int) -> float:
        with tempfile.TemporaryDirectory(dir=config.parent) as place:
            options = ("--folds", str(FOLDS), "--run-dir", f"{place}/folds", "--parallel", str(at_once), "--quiet")
            seconds = cost("-m", "mltrain", "cross-validate", str(config), *options).seconds
            found = json.loads(Path(place, "folds", "folds.json").read_text(encoding="utf-8"))
        means[at_once] = found["metrics"]["log_loss"]["mean"]
        return seconds

    seconds = in_turns({"one": lambda: train(1), "several": lambda: train(AT_ONCE)}, rounds)
    results = f"mean log_loss within {abs(means[1] - means[AT_ONCE]):.0e}"
    name = f"{FOLDS} folds, {AT_ONCE} at once: {work}"
    return Row(name, "one after another", None, ratio(seconds["one"], seconds["several"]), results)


if __name__ == "__main__":
    main()
