"""`mltrain train` against a Keras script that does the same: `python -m benchmarks.whole_command`, ten minutes.

Both are processes of their own, from the import to the last file: they read and split the data, scale it by the
training rows, train with validation after every epoch, keep the best epoch, measure the test rows, and write history,
metrics, model and plots. The scripts are in plain_keras/. mltrain does more on the way (it checks the config, measures
all three splits exactly, writes checkpoints, records the run), and not everything bit for bit as the scripts: the order
of the rows differs, so the scores differ a little, and where training stops early, the epochs. Both are shown.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.memory import write_table
from benchmarks.processes import FreshRuns, cost
from benchmarks.ratios import Row, in_turns, quick, ratio, show

HERE = Path(__file__).parent
CONFIGS = HERE.parent / "configs"
ROUNDS, QUICK_ROUNDS = 5, 1
ROWS, QUICK_ROWS, COLUMNS = 100_000, 5_000, 20
TABLE = """\
version: 1
name: table
data:
  source: {type: csv, path: table.csv}
  target: y
model: {type: mlp, units: [128, 128]}
training:
  optimizer: adam
  epochs: 5
  batch_size: 256
evaluation:
  metrics: [mse, mae, r2]
"""
# With as many different scores as rows: their intervals and curves cost most.
BINARY_TABLE = TABLE.replace("name: table", "name: binary-table").replace(
    "metrics: [mse, mae, r2]", "metrics: [accuracy, roc_auc, pr_auc, log_loss]"
)


@dataclass(frozen=True)
class Case:
    """One experiment.

    Attributes:
        name: in the table, and that of the script.
        config: of mltrain.
        arguments: of the script, after its directory.
        metric: of the test rows, to compare.
        at_least: what the script shall take, as a multiple of mltrain.
    """

    name: str
    config: Path
    arguments: tuple[str, ...]
    metric: str
    at_least: float = 1.0


def main() -> None:
    short = quick(__doc__)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        tables = [_table(directory, QUICK_ROWS if short else ROWS, binary) for binary in (False, True)]
        shipped = {
            "breast_cancer": "accuracy",
            "digits_cnn": "accuracy",
            "diabetes_regression": "r2",
            "linear_regression": "mse",
        }
        cases = [Case(each, CONFIGS / f"{each}.yaml", (), metric) for each, metric in shipped.items()]
        show(measured([*tables, *cases], directory, QUICK_ROUNDS if short else ROUNDS))


def measured(cases: list[Case], directory: Path, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table."""
    for case in cases:
        yield _row(case, directory / case.name, rounds)


def _row(case: Case, place: Path, rounds: int) -> Row:
    place.mkdir()
    runs, theirs = FreshRuns(place), Path()

    def run_mltrain() -> float:
        return runs.train(case.config).seconds

    def run_script() -> float:
        nonlocal theirs
        theirs = Path(tempfile.mkdtemp(dir=place)) / "script"
        return cost(str(HERE / "plain_keras" / f"{case.name}.py"), str(theirs), *case.arguments).seconds

    seconds = in_turns({"mltrain": run_mltrain, "script": run_script}, rounds)
    ours = json.loads((runs.last / "metrics.json").read_text())
    score = ours["splits"]["test"]["metrics"][case.metric]["value"]
    other = json.loads((theirs / "metrics.json").read_text())
    scores = f"test {case.metric} {score:.4g} and {other[case.metric]:.4g}"
    epochs = f"{ours['model']['epochs']} and {other['epochs']} epochs"
    compared = ratio(seconds["script"], seconds["mltrain"])
    return Row(f"whole command: {case.name}", "Keras script", case.at_least, compared, f"{scores}, {epochs}")


def _table(directory: Path, rows: int, binary: bool = False) -> Case:
    """Write numbers with a target that has something to learn, or whether it is above 0; return the case."""
    random = np.random.default_rng(42)
    x = random.normal(size=(rows, COLUMNS)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 0.5 * x[:, 3] + random.normal(0, 0.1, rows)
    name = "binary_table" if binary else "table"
    path, config = directory / f"{name}.csv", directory / f"{name}.yaml"
    write_table(path, x, (y > 0).astype(np.int64) if binary else y)
    text = BINARY_TABLE if binary else TABLE
    config.write_text(text.replace("path: table.csv", f"path: {path.name}"), encoding="utf-8")
    # Below the full size the import is most of the time, and nothing is promised but to be no slower.
    return Case(name, config, (str(path),), "roc_auc" if binary else "r2", 1.5 if rows == ROWS else 1.0)


if __name__ == "__main__":
    main()
