"""How much memory a training takes: `python -m benchmarks.memory`, two minutes, 1 GB on the disk.

The most that a whole `mltrain train` has had at once, less what it has on a dozen rows, which is TensorFlow's own, and
held against the examples as float32. 2.5 times that is the most it may be.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.processes import FreshRuns
from benchmarks.ratios import Ratio, Row, quick, show

AT_MOST = 2.5
ROUNDS, QUICK_ROUNDS = 3, 1
ARRAYS, TABLE = (100_000, 784), (1_000_000, 50)
QUICK_ARRAYS, QUICK_TABLE = (20_000, 784), (100_000, 50)
CONFIG = """\
version: 1
data:
  source: {{type: {source}, path: {path}}}
  target: y
model: {{type: mlp, units: [16]}}
training: {{epochs: 1, batch_size: 1024}}
"""


def main() -> None:
    short = quick(__doc__)
    arrays, table = (QUICK_ARRAYS, QUICK_TABLE) if short else (ARRAYS, TABLE)
    show(measured(arrays, table, QUICK_ROUNDS if short else ROUNDS))


def measured(arrays: tuple[int, int], table: tuple[int, int], rounds: int) -> Iterator[Row]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as name:
        runs = FreshRuns(Path(name))
        smallest = _config(Path(name), "parquet", 12, 2)
        for source, (rows, columns) in (("npz", arrays), ("parquet", table), ("csv", (table[0] // 2, table[1]))):
            config, size = _config(Path(name), source, rows, columns), rows * columns * 4 / 2**20
            shares = [
                AT_MOST * size / (runs.train(config).megabytes - runs.train(smallest).megabytes) for _ in range(rounds)
            ]
            share = Ratio(statistics.median(shares), min(shares), max(shares))
            above = f"{AT_MOST / share.median:.2f} times the array above TensorFlow's own"
            yield Row(
                f"peak memory, {source} of {rows:,} × {columns}", f"{AT_MOST} times the float32 array", 1, share, above
            )


def _config(directory: Path, source: str, rows: int, columns: int) -> Path:
    """Write the data and its config; return the config."""
    path = directory / f"data-{rows}.{source}"
    random = np.random.default_rng(42)
    x = random.random((rows, columns), dtype=np.float32)
    y = x[:, 0] + x[:, 1]
    if source == "npz":
        np.savez(path, x=x, y=y)
    else:
        write_table(path, x, y)
    config = directory / f"{source}-{rows}.yaml"
    config.write_text(CONFIG.format(source=source, path=path.name), encoding="utf-8")
    return config


def write_table(path: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write columns x0, x1, … and y as CSV or Parquet, by the ending of `path`."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    names = [f"x{number}" for number in range(x.shape[1])]
    table = pa.table([*x.T, y], names=[*names, "y"])
    (csv.write_csv if path.suffix == ".csv" else parquet.write_table)(table, str(path))


if __name__ == "__main__":
    main()
