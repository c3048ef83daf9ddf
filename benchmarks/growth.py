"""Whether time and memory grow at most with the work: `python -m benchmarks.growth`, ten minutes, 0.3 GB on the disk.

A whole `mltrain train` on a CSV with ten times the rows, the columns or the epochs, less what it takes on a dozen rows,
the fixed part. Linear is ten times as much, so the reference is ten times the smaller run. The first row of the table
shows that the fixed part is fixed: it is TensorFlow's import, above all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.memory import write_table
from benchmarks.processes import Cost, FreshRuns
from benchmarks.ratios import Row, in_turns, quick, ratio, show

ROUNDS, QUICK_ROUNDS = 5, 1
TIMES = 10
# What is less than this beside the fixed part is noise: the smaller run had too little to do to say anything.
SECONDS, MEGABYTES = 0.05, 4.0
CONFIG = """\
version: 1
data:
  source: {{type: csv, path: {path}}}
  target: y
model: {{type: mlp, units: [64, 64]}}
training: {{epochs: {epochs}, batch_size: 256}}
"""


@dataclass(frozen=True)
class Size:
    """How much there is to do."""

    rows: int
    columns: int
    epochs: int


SIZE, QUICK_SIZE = Size(50_000, 20, 4), Size(2_000, 20, 4)


def main() -> None:
    short = quick(__doc__)
    show(measured(QUICK_SIZE if short else SIZE, QUICK_ROUNDS if short else ROUNDS))


def measured(size: Size, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table."""
    sizes = {
        "nothing": Size(12, 2, 1),
        "once": size,
        "rows": replace(size, rows=TIMES * size.rows),
        "columns": replace(size, columns=TIMES * size.columns),
        "epochs": replace(size, epochs=TIMES * size.epochs),
    }
    with tempfile.TemporaryDirectory() as name:
        costs: dict[str, list[Cost]] = {each: [] for each in sizes}
        runs = FreshRuns(Path(name))

        def run(each: str, config: Path) -> Callable[[], float]:
            def action() -> float:
                costs[each].append(runs.train(config))
                return costs[each][-1].seconds

            return action

        in_turns({each: run(each, _config(Path(name), each, sizes[each])) for each in sizes}, rounds)
    yield from _rows(size, {each: measured[1:] for each, measured in costs.items()})


def _rows(size: Size, costs: Mapping[str, list[Cost]]) -> Iterator[Row]:
    start = ("start-up and results, a dozen rows", f"{size.rows:,} × {size.columns}, {size.epochs} epochs")
    whole = ratio([each.seconds for each in costs["once"]], [each.seconds for each in costs["nothing"]])
    yield Row(*start, None, whole)
    for what in ("rows", "columns", "epochs"):
        for kind, noise in (("seconds", SECONDS), ("megabytes", MEGABYTES)):
            fixed, once, more = ([getattr(cost, kind) for cost in costs[each]] for each in ("nothing", "once", what))
            # Epochs grow no memory, and must not be asked to: their reference is the smaller run as it is.
            linear = 1 if what == "epochs" and kind == "megabytes" else TIMES
            pairs = [
                (linear * max(one - base, noise), max(ten - base, noise))
                for base, one, ten in zip(fixed, once, more, strict=True)
            ]
            work = f"{TIMES} × {what}: {'time' if kind == 'seconds' else 'memory'} above the fixed part"
            reference = f"{linear} × that of {size.rows:,} × {size.columns}, {size.epochs} epochs"
            yield Row(work, reference, 1, ratio([one for one, _ in pairs], [ten for _, ten in pairs]))


def _config(directory: Path, name: str, size: Size) -> Path:
    x = np.random.default_rng(42).random((size.rows, size.columns), dtype=np.float32)
    write_table(directory / f"{name}.csv", x, x[:, 0] * x[:, 1])
    config = directory / f"{name}.yaml"
    config.write_text(CONFIG.format(path=f"{name}.csv", epochs=size.epochs), encoding="utf-8")
    return config


if __name__ == "__main__":
    main()
