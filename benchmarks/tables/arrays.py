"""What the peers read: the CSV file of a split as arrays. NumPy and pyarrow only, so it runs in their environments."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.csv

PART = "part_of_the_split"  # the column that says train, validation or test
MISSING = -1


@dataclass(frozen=True)
class Rows:
    """The rows of one part.

    Attributes:
        numbers: `(rows, columns)`, NaN where a value is missing.
        categories: `(rows, columns)`, the place of each text among those of the training rows; -1 where it is missing
            or new.
        targets: numbers, or classes as texts.
    """

    numbers: np.ndarray
    categories: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Split:
    """The rows of one split, and how many categories each column of texts has in the training rows."""

    train: Rows
    validation: Rows
    test: Rows
    sizes: tuple[int, ...]


def read(path: Path, target: str, task: str) -> Split:
    """Read the file of a split."""
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    if task != "regression":
        options.column_types = {target: pyarrow.string()}
    table = pyarrow.csv.read_csv(path, convert_options=options)
    part = table[PART].to_numpy()
    train = part == "train"
    numbers, categories, sizes = [], [], []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if name in (PART, target) or column.null_count == len(column):
            continue
        if pyarrow.types.is_string(column.type):
            codes, size = _codes(column, train)
            categories.append(codes)
            sizes.append(size)
        else:
            numbers.append(column.cast(pyarrow.float64()).to_numpy(zero_copy_only=False))
    targets = table[target].to_numpy()
    places = np.arange(len(part))
    number_array = np.column_stack(numbers) if numbers else np.empty((len(part), 0))
    code_array = np.column_stack(categories) if categories else np.empty((len(part), 0), dtype=int)

    def rows(name: str) -> Rows:
        chosen = places[part == name]
        return Rows(number_array[chosen], code_array[chosen], targets[chosen])

    return Split(rows("train"), rows("validation"), rows("test"), tuple(sizes))


def _codes(column: pyarrow.Array, train: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the place of each text among those of the training rows, the commonest first, and how many there are."""
    counts = pyarrow.compute.value_counts(column.filter(pyarrow.array(train)).drop_null())
    known = counts.field("values").take(
        pyarrow.compute.sort_indices(counts, sort_keys=[("counts", "descending"), ("values", "ascending")])
    )
    codes = pyarrow.compute.index_in(column, value_set=known, skip_nulls=True).fill_null(MISSING)
    return codes.to_numpy(zero_copy_only=False).astype(int), len(known)


def filled(numbers: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return the numbers with the median of `like`, the training rows, in place of each missing one, and beside them a
    column of 0 and 1 for each column that misses values there."""
    medians = np.array([_median(column) for column in like.T])
    absent = np.isnan(numbers)
    incomplete = np.isnan(like).any(axis=0)
    return np.column_stack([np.where(absent, medians, numbers), absent[:, incomplete].astype(float)])


def _median(column: np.ndarray) -> float:
    known = column[~np.isnan(column)]
    return float(np.median(known)) if len(known) else 0.0


def command(fit: Callable[[Split, str, argparse.Namespace], tuple[np.ndarray, np.ndarray]]) -> None:
    """Read the command line of a peer, let it fit, and write its predictions of the test rows.

    `fit` gets the split, the task and the command line, and returns the predictions and the classes of their columns,
    which are none for a regression.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--variant", default="")
    arguments = parser.parse_args()
    split = read(arguments.file, arguments.target, arguments.task)
    predictions, classes = fit(split, arguments.task, arguments)
    np.savez(arguments.out, predictions=predictions, classes=np.asarray(classes, dtype=str))
