"""The five splits of a set: 60 % of the rows for training, 20 % for validation, 20 % for the test.

The rows are dealt into five folds. Split `k` has fold `k` as the test and the next as the validation rows, so every
row is a test row once. Classes are dealt one after another, so that each fold has its share of each. The same rows are
given to every method, as a CSV file with a column that says which part a row is in.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.tables.arrays import PART

FOLDS = 5
LARGE = 20_000  # sets above are trained on a part of their rows, unless asked otherwise


def folds(targets: Sequence[str], task: str) -> np.ndarray:
    """Return the fold of each row, from 0 to 4."""
    order = np.random.default_rng(0).permutation(len(targets))
    if task != "regression":
        labels = np.asarray(targets)[order]
        order = order[np.argsort(labels, kind="stable")]
    found = np.empty(len(targets), dtype=int)
    found[order] = np.arange(len(targets)) % FOLDS
    return found


def parts(targets: Sequence[str], task: str, split: int, most: int | None) -> np.ndarray:
    """Return train, validation, test or "" for each row.

    Args:
        most: training rows of a set of more than `LARGE` rows, with a third as many for validation; None for all.
    """
    fold = folds(targets, task)
    found = np.full(len(targets), "train", dtype=object)
    found[fold == split] = "test"
    found[fold == (split + 1) % FOLDS] = "validation"
    if most is not None and len(targets) > LARGE:
        draws = np.random.default_rng(split)
        for part, kept in (("train", most), ("validation", most // 3)):
            rows = np.flatnonzero(found == part)
            found[draws.permutation(rows)[kept:]] = ""
    return found


def write(source: Path, target: str, found: Sequence[str], path: Path) -> None:
    """Write the rows that have a part, with it in the column `PART`, before the target."""
    with source.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if header[-1] != target:
        raise ValueError(f"{source}: the last column is {header[-1]!r} instead of the target {target!r}")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*header[:-1], PART, target])
        writer.writerows([*row[:-1], part, row[-1]] for row, part in zip(rows, found, strict=True) if part)


def targets(source: Path) -> list[str]:
    """Return the last column of a set, as it is written."""
    with source.open(newline="", encoding="utf-8") as file:
        return [row[-1] for row in csv.reader(file)][1:]
