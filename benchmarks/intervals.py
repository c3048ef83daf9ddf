"""What the intervals cost: `python -m benchmarks.intervals`, a minute.

Every metric of a million rows with its interval is held against a limit of 10 seconds, and against the metrics alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from benchmarks.ratios import Row, in_turns, quick, ratio, show
from mltrain.evaluation.metric import Metric
from mltrain.evaluation.own_metrics import METRICS
from mltrain.evaluation.several import rows_of
from mltrain.evaluation.split_results import metric_results
from mltrain.task import Task

ROWS, QUICK_ROWS = 1_000_000, 10_000
ROUNDS, QUICK_ROUNDS = 5, 1
LIMIT = 10.0
CLASSES: dict[Task, tuple[str, ...]] = {"binary": ("no", "yes"), "multiclass": tuple("abcde"), "regression": ()}


def main() -> None:
    short = quick(__doc__)
    show(measured(QUICK_ROWS if short else ROWS, QUICK_ROUNDS if short else ROUNDS))


def _measured(metrics: Sequence[Metric], arguments: tuple, seed: int | None) -> None:
    metric_results(metrics, rows_of(*arguments), seed)  # new rows each time: they keep what was computed


def measured(rows: int, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table."""
    for task, classes in CLASSES.items():
        metrics: list[Metric] = [metric() for metric in METRICS.specs.values() if task in metric.tasks]
        timed = partial(_measured, metrics, (task, *_rows(task, rows), classes))
        seconds = in_turns({"with": partial(timed, 0), "without": partial(timed, None)}, rounds)
        work = f"{len(metrics)} {task} metrics of {rows:,} rows with their intervals"
        yield Row(work, f"the limit of {LIMIT:g} s", 1, ratio([LIMIT] * rounds, seconds["with"]))
        yield Row(work, "the metrics alone", None, ratio(seconds["without"], seconds["with"]))


def _rows(task: Task, rows: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    if task == "regression":
        target = generator.normal(size=rows)
        return target, target + generator.normal(size=rows)
    target = generator.integers(0, len(CLASSES[task]), rows)
    logits = generator.normal(size=(rows, len(CLASSES[task]))) + np.eye(len(CLASSES[task]))[target]
    predictions = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return target, (predictions[:, 1] if task == "binary" else predictions).astype(np.float32)


if __name__ == "__main__":
    main()
