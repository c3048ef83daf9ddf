"""`mltrain train` against a Keras script that does the same: `python benchmarks/whole_command.py`, three minutes.

Both are processes of their own, from the import to the last file: they read and split the data, scale it by the
training rows, train with validation after every epoch, keep the best epoch, measure the test rows, and write history,
metrics, model and three plots. The scripts are in plain_keras/. mltrain does more on the way (it checks the config,
measures all three splits exactly, records the run), and not everything bit for bit as the scripts: the order of the
rows differs, so the scores differ a little. Both are printed.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ratios import in_turns, machine, ratio

HERE = Path(__file__).parent
ROUNDS = 5
ROWS, COLUMNS = 100_000, 20
TABLE = """\
version: 1
name: table
data:
  source: {type: csv, path: table.csv}
  target: y
model: {type: mlp, units: [128, 128]}
training:
  optimizer: adam
  epochs: 10
  batch_size: 256
evaluation:
  metrics: [mse, mae, r2]
"""


@dataclass(frozen=True)
class Case:
    """One experiment.

    Attributes:
        name: in the table.
        config: of mltrain.
        script: of plain Keras, with arguments after its directory.
        metric: of the test rows, to compare.
    """

    name: str
    config: Path
    script: tuple[str, ...]
    metric: str


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        table = directory / "table.csv"
        _write_table(table)
        config = directory / "table.yaml"
        config.write_text(TABLE, encoding="utf-8")
        cases = (
            Case("breast_cancer", HERE.parent / "configs" / "breast_cancer.yaml", ("breast_cancer.py",), "accuracy"),
            Case(f"CSV of {ROWS:,} × {COLUMNS}", config, ("table.py", str(table)), "r2"),
        )
        print(f"{machine()}; medians of {ROUNDS} rounds (lowest to highest)\n")
        print("| experiment | script / `mltrain train` | test score of mltrain | of the script |\n|---|---|---|---|")
        for case in cases:
            print(_row(case, directory), flush=True)


def _row(case: Case, directory: Path) -> str:
    number = itertools.count()
    stem = case.script[0].removesuffix(".py")

    def mltrain() -> object:
        return _run("-m", "mltrain", "train", str(case.config), "--quiet", "--run-dir", f"{directory}/{stem}-ours")

    def script() -> object:
        return _run(str(HERE / "plain_keras" / case.script[0]), f"{directory}/{stem}-theirs", *case.script[1:])

    def fresh(action: Callable[[], object], place: str) -> Callable[[], object]:
        # Renaming the last run away takes no time, and neither command writes where something is.
        def run() -> None:
            if (directory / f"{stem}-{place}").exists():
                (directory / f"{stem}-{place}").rename(directory / f"{stem}-{place}-{next(number)}")
            action()

        return run

    seconds = in_turns({"mltrain": fresh(mltrain, "ours"), "script": fresh(script, "theirs")}, ROUNDS)
    ours = json.loads((directory / f"{stem}-ours" / "metrics.json").read_text())
    theirs = json.loads((directory / f"{stem}-theirs" / "metrics.json").read_text())
    score = ours["splits"]["test"]["metrics"][case.metric]["value"]
    epochs = f"{ours['model']['epochs']} and {theirs['epochs']} epochs"
    compared = ratio(seconds["script"], seconds["mltrain"])
    return f"| {case.name} ({epochs}) | {compared} | {case.metric} {score:.3f} | {theirs[case.metric]:.3f} |"


def _run(*arguments: str) -> object:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def _write_table(path: Path) -> None:
    """Write numbers with a target that has something to learn."""
    random = np.random.default_rng(42)
    x = random.normal(size=(ROWS, COLUMNS))
    y = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 0.5 * x[:, 3] + random.normal(0, 0.1, ROWS)
    header = ",".join([*(f"x{number}" for number in range(COLUMNS)), "y"])
    np.savetxt(path, np.column_stack([x, y]), fmt="%.6g", delimiter=",", header=header, comments="")


if __name__ == "__main__":
    main()
