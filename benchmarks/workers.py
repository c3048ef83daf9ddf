"""Several workers beside one: `python -m benchmarks.workers`, a quarter of an hour.

Each worker has a core: one alone is held on one core, and two have two. What is compared is the median of the seconds
of the epochs but the first, in which the loop is compiled. The start is from Enter to the first row of the history.
"""

from __future__ import annotations

import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.ratios import Row, in_turns, quick, ratio, show

ROUNDS, QUICK_ROUNDS = 5, 1
QUICK_SHARE = 0.125  # of the rows
STARTED_WORKERS = 4
CONFIG = """\
name: workers
data:
  source: {{type: npz, path: {data}.npz}}
  target: y
  split: {{type: random, validation: 0.02, test: 0.02}}
model: {model}
training: {{epochs: {epochs}, batch_size: {batch}, checkpoint: {{every: 1h}}, xla: false}}
evaluation: {{baselines: false}}
"""
CONVOLUTION = (
    "{type: sequential, layers: [{type: Conv2D, filters: 32, kernel_size: 3, activation: relu}, "
    "{type: Conv2D, filters: 64, kernel_size: 3, activation: relu}, MaxPooling2D, "
    "{type: Conv2D, filters: 64, kernel_size: 3, activation: relu}, GlobalAveragePooling2D]}"
)
# By the kind of work: data, its rows, model, rows of a batch, epochs, and the least that two workers shall be faster.
# The dense network has as many rows as MNIST; a step of images takes longer, so that there are fewer.
WORK = {
    "CNN 28×28 (32-64-64), batch 64": ("images", 4_000, CONVOLUTION, 64, 5, 1.7),
    "dense 784-512-256-10, batch 1024": ("flat", 60_000, "{type: mlp, units: [512, 256]}", 1024, 6, 1.5),
}


def main() -> None:
    """Measure, and print the table."""
    short = quick(__doc__)
    show(measured(QUICK_SHARE if short else 1.0, QUICK_ROUNDS if short else ROUNDS))


def measured(share: float, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table, from that share of the data."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        draw = np.random.default_rng(0)
        for work, (data, whole, model, batch, epochs, at_least) in WORK.items():
            rows = round(whole * share)
            images, y = draw.integers(0, 255, (rows, 28, 28, 1), np.uint8), draw.integers(0, 10, rows).astype(str)
            if data == "images":
                np.savez(place / "images.npz", image=images, y=y)
            else:
                np.savez(place / "flat.npz", x=images.reshape(rows, -1).astype(np.float32) / 255, y=y)
            config = place / f"{data}.yaml"
            config.write_text(CONFIG.format(data=data, model=model, epochs=epochs, batch=batch), encoding="utf-8")
            yield _epochs(f"an epoch, 2 workers: {work}", config, rounds, at_least, ("1 worker", 1), 2)
        flat = place / "flat.yaml"
        yield _epochs("an epoch, `--workers 1`", flat, rounds, 0.95, ("without the option", 0), 1)
        yield _start(flat, place, rounds)


def _epochs(work: str, config: Path, rounds: int, at_least: float, reference: tuple[str, int], workers: int) -> Row:
    """Compare the epochs of trainings by so many workers; 0 leaves the option out."""
    losses: dict[int, float] = {}

    def train(count: int) -> float:
        run = config.with_name(f"{config.stem}-{count}")
        _remove(run)
        held = set(sorted(os.sched_getaffinity(0))[: max(count, 1)])
        process = started(config, run, count, held)
        if process.wait():
            raise SystemExit(f"{config.name} with {count} workers ended with {process.returncode}")
        history = _history(run)
        losses[count] = float(history[1]["train.loss"])
        return statistics.median(float(row["seconds"]) for row in history[1:])

    name, fewer = reference
    seconds = in_turns({"reference": lambda: train(fewer), "ours": lambda: train(workers)}, rounds)
    results = f"loss of the second epoch within {abs(losses[fewer] - losses[workers]):.0e}"
    return Row(work, name, at_least, ratio(seconds["reference"], seconds["ours"]), results)


def _start(config: Path, place: Path, rounds: int) -> Row:
    """Compare the time from Enter to the first epoch; four workers shall take twice that of one at most."""

    def start(workers: int) -> float:
        run = place / f"start-{workers}"
        _remove(run)
        began = time.perf_counter()
        process = started(config, run, workers, os.sched_getaffinity(0), "--set", "data.split.test=0.95")
        while not (run / "history.csv").exists() or len(_history(run)) < 1:
            if process.poll() is not None:
                raise SystemExit(f"{config.name} ended before its first epoch")
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        process.wait()
        return seconds

    seconds = in_turns({"one": lambda: start(1), "several": lambda: start(STARTED_WORKERS)}, rounds)
    work = f"from Enter to the first epoch, {STARTED_WORKERS} workers on {len(os.sched_getaffinity(0))} cores"
    return Row(work, "1 worker", 0.5, ratio(seconds["one"], seconds["several"]))


def started(config: Path, run: Path, workers: int, cores: set[int], *options: str) -> subprocess.Popen[bytes]:
    several: Sequence[str] = ("--workers", str(workers)) if workers else ()
    return subprocess.Popen(
        [sys.executable, "-m", "mltrain", "train", str(config), "--quiet", "--run-dir", str(run), *several, *options],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509 - this process has one thread
    )


def _history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _remove(run: Path) -> None:
    if run.exists():
        subprocess.run(["rm", "-r", str(run)], check=True)


if __name__ == "__main__":
    main()
