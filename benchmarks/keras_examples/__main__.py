"""Five examples that Keras is known for, as a script and as YAML: `python -m benchmarks.keras_examples`, five minutes.

Both sides learn from the same training rows for the same epochs with the same optimizer, keep the best epoch by the
validation loss, and are measured on the same test rows. The scripts are written as a user of Keras would, in the shape
of the examples on its site. The order of the rows and the first weights differ, so the scores differ a little.

A line counts if it is not empty, not a comment and not the docstring; what a script does for the comparison alone does
not count.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.keras_examples.data import MAKERS

HERE = Path(__file__).parent
ROWS, QUICK_ROWS = 4_000, 300
NOT_COUNTED = "# For the comparison alone:"
HEADER = (
    "| example | lines of Python | lines of YAML | test rows | score of the script | score here, 95 % interval |\n"
    "|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Compared:
    """What both sides of an example gave.

    Attributes:
        name: of the example.
        python: lines of the script.
        yaml: lines of the config.
        rows: how many rows were measured.
        theirs: metrics of the script, by their names in mltrain.
        ours: the same of the run, each with its interval.
    """

    name: str
    python: int
    yaml: int
    rows: int
    theirs: dict[str, float]
    ours: dict[str, dict[str, float]]

    def line(self) -> str:
        """Return the row of the table."""
        theirs = ", ".join(f"{name} {value:.3g}" for name, value in self.theirs.items())
        ours = ", ".join(
            f"{name} {each['value']:.3g} [{each['low']:.3g}, {each['high']:.3g}]" for name, each in self.ours.items()
        )
        title = self.name.replace("_", " ")
        return f"| {title} | {self.python} | {self.yaml} | {self.rows} | {theirs} | {ours} |"


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keras_examples", description=__doc__.split("\n")[0])
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help=f"of {', '.join(MAKERS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows: to see that it runs")
    arguments = parser.parse_args()
    unknown = set(arguments.examples) - set(MAKERS)
    if unknown:
        parser.error(f"no such example: {', '.join(sorted(unknown))}; there are {', '.join(MAKERS)}")
    print(HEADER, flush=True)
    for name in arguments.examples or MAKERS:
        with tempfile.TemporaryDirectory() as folder:
            print(compared(name, Path(folder), QUICK_ROWS if arguments.quick else ROWS).line(), flush=True)


def compared(name: str, folder: Path, rows: int) -> Compared:
    """Return what both sides of an example give on the same rows.

    Raises:
        SystemExit: one of them fails, or they measured other rows.
    """
    script, config = HERE / name / "script.py", HERE / name / "config.yaml"
    MAKERS[name](folder, rows)
    # A config finds its data beside itself.
    shutil.copy(config, folder)
    run(folder, str(script))
    run(folder, "-m", "mltrain", "train", "config.yaml", "--run-dir", "run", "--quiet")
    with np.load(folder / "script.npz") as found:
        theirs = {key: float(found[key]) for key in found.files if key != "rows"}
        measured = np.sort(found["rows"])
    if not np.array_equal(measured, np.sort(np.load(folder / "run" / "predictions" / "test.rows.npy"))):
        raise SystemExit(f"{name}: the script and mltrain have other test rows")
    test = json.loads((folder / "run" / "metrics.json").read_text(encoding="utf-8"))["splits"]["test"]
    ours = {each: _metric(test, each) for each in theirs}
    return Compared(name, _lines(script), _lines(config), len(measured), theirs, ours)


def _metric(test: dict[str, Any], name: str) -> dict[str, float]:
    """Return a metric with its interval: `accuracy`, or `accuracy(package)` of one of several targets."""
    metric, _, target = name.rstrip(")").partition("(")
    found: dict[str, float] = (test["outputs"][target] if target else test)["metrics"][metric]
    return found


def _lines(path: Path) -> int:
    text = path.read_text(encoding="utf-8").split(NOT_COUNTED)[0]
    return sum(bool(line.strip()) and not line.lstrip().startswith(("#", '"""')) for line in text.splitlines())


def run(folder: Path, *arguments: str) -> None:
    """Run Python in a folder.

    Raises:
        SystemExit: it fails.
    """
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")


if __name__ == "__main__":
    main()
