"""Which rows: the draws behind the splits, as row numbers.

A draw takes the very rows, in the very order, of scikit-learn's `train_test_split`, so that results can be compared
with those of other programs. It is written out because importing scikit-learn costs 0.9 s; a test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from mltrain.data.splits.rows import Splits
from mltrain.data.table import Table
from mltrain.errors import ConfigError, DataError
from mltrain.task import SPLITS, Decision


class CannotStratifyError(Exception):
    """A class has too few rows to be in both parts."""


class StratifyError(DataError):
    """The config states `stratify: true`, and a class has too few rows or groups for it."""


@dataclass(frozen=True)
class Draw:
    """How rows are drawn.

    Attributes:
        name: of the data, for messages.
        seed: of every draw.
        stratify: whether each part gets the same proportions of the classes; "auto" does it where that is possible.
        labels: the class of every row of the data; None where the target has no classes.
        classes: their names, for messages.
    """

    name: str
    seed: int
    stratify: Literal["auto"] | bool
    labels: np.ndarray | None
    classes: Sequence[str] = ()

    def split(
        self, rows: np.ndarray, validation: int | float, test: int | float
    ) -> tuple[Splits, tuple[Decision, ...]]:
        """Return `rows` in three parts: the test rows are drawn first, then the validation rows from the rest.

        Args:
            rows: to split.
            validation: a fraction of `rows` or a number of rows; 0 for none.
            test: likewise.

        Raises:
            DataError: there are too few rows, or stratification was asked for and a class has too few.
            ConfigError: stratification was asked for and the target has no classes.
        """
        if not self.stratify or self.labels is None:
            if self.stratify is True:
                raise ConfigError("data.split.stratify: true needs a target with classes, but this one is a number")
            return self._both(rows, validation, test, None), ()
        if not validation and not test:
            return Splits(rows, rows[:0], rows[:0]), ()
        try:
            splits = self._both(rows, validation, test, self.labels)
        except CannotStratifyError as error:
            counts = np.bincount(self.labels[rows], minlength=len(self.classes))
            rarest = int(np.argmin(np.where(counts, counts, len(rows))))
            name = self.classes[rarest] if self.classes else str(rarest)
            reason = f"{error} (the rarest class, {name!r}, has {counts[rarest]} of {len(rows)} rows)"
            if self.stratify is True:
                raise StratifyError(
                    f"{self.name}: data.split.stratify: true is not possible: {reason}; use auto"
                ) from error
            return self._both(rows, validation, test, None), (Decision("split.stratify", "false", reason),)
        if self.stratify is True:
            return splits, ()
        return splits, (Decision("split.stratify", "true", "the target has classes, each with enough rows"),)

    def _both(self, rows: np.ndarray, validation: int | float, test: int | float, labels: np.ndarray | None) -> Splits:
        rest, test_rows = self._part("test", rows, test, labels)
        if isinstance(validation, float):
            # A fraction of all rows is a larger fraction of the rest. Rounding may make it a row more, as it does for
            # everybody who calls train_test_split twice: 0.1 / (1 - 0.3) of 70 rows are 11, not 10.
            validation /= 1 - (test if isinstance(test, float) else test / len(rows))
        train, validation_rows = self._part("validation", rest, validation, labels)
        return Splits(train, validation_rows, test_rows)

    def _part(
        self, part: str, rows: np.ndarray, size: int | float, labels: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that are left and those that were drawn: `train_test_split(rows, test_size=size, …)`."""
        if not size:
            return rows, rows[:0]
        count = math.ceil(size * len(rows)) if isinstance(size, float) else size
        if count >= len(rows):
            raise DataError(
                f"{self.name}: too few rows: the {part} split takes {count} of {len(rows)}, which leaves none for "
                f"training; make data.split.{part} smaller"
            )
        random = np.random.RandomState(self.seed)
        if labels is None:
            order = random.permutation(len(rows))
            return rows[order[count:]], rows[order[:count]]
        left, drawn = _stratified(labels[rows], len(rows) - count, count, random, part)
        return rows[left], rows[drawn]


def all_rows(count: int) -> np.ndarray:
    """Return the row numbers 0 to count - 1."""
    return np.arange(count, dtype=np.int64)


def rows_by_part(table: Table) -> Splits:
    """Return the rows of each part that a joined table was made of."""
    ends = np.cumsum([rows for _, rows in table.given])
    parts = {name: all_rows(end)[end - rows :] for (name, rows), end in zip(table.given, ends, strict=True)}
    return Splits(*(parts.get(name, all_rows(0)) for name in SPLITS))


def rows_by_column(table: Table, column: str) -> Splits:
    """Return the rows of each split as a column names it: train, validation or test.

    Raises:
        DataError: there is no such column, a row names something else, or no row is for training.
    """
    values = table.column(column)
    texts = values.to_pylist() if isinstance(values, pa.Array) else [None] * len(table)
    named = np.array([text.strip().lower() if isinstance(text, str) else "" for text in texts])
    unknown = np.flatnonzero(~np.isin(named, SPLITS))
    if len(unknown):
        row = int(unknown[0])
        place = table.origin.place(row)
        raise DataError(
            f"{place}: column {column!r}: {texts[row]!r} is not a split; expected train, validation or test"
        )
    splits = Splits(*(np.flatnonzero(named == name).astype(np.int64) for name in SPLITS))
    if not len(splits.train):
        raise DataError(f"{table.origin.name}: column {column!r} does not name any row train")
    return splits


def _stratified(
    labels: np.ndarray, left: int, drawn: int, random: np.random.RandomState, part: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in `labels`, each class in proportion: scikit-learn's `StratifiedShuffleSplit`, draw by draw."""
    classes, indices = np.unique(labels, return_inverse=True)
    counts = np.bincount(indices)
    if counts.min() < 2:
        raise CannotStratifyError(f"a class has only one row when the {part} rows are drawn")
    if min(left, drawn) < len(classes):
        raise CannotStratifyError(
            f"the {part} rows divide the data into {left} and {drawn} rows for {len(classes)} classes"
        )
    members = np.split(np.argsort(indices, kind="stable"), np.cumsum(counts)[:-1])
    left_counts = _proportional(counts, left, random)
    drawn_counts = _proportional(counts - left_counts, drawn, random)
    left_rows: list[np.ndarray] = []
    drawn_rows: list[np.ndarray] = []
    for rows, n_left, n_drawn in zip(members, left_counts, drawn_counts, strict=True):
        shuffled = rows[random.permutation(len(rows))]
        left_rows.append(shuffled[:n_left])
        drawn_rows.append(shuffled[n_left : n_left + n_drawn])
    return random.permutation(np.concatenate(left_rows)), random.permutation(np.concatenate(drawn_rows))


def _proportional(counts: np.ndarray, total: int, random: np.random.RandomState) -> np.ndarray:
    """Return how many of `total` each class gets; what rounding leaves goes to the largest remainders, ties at random.

    It is scikit-learn's `_approximate_mode`, which draws from `random` only where there is something left.
    """
    exact = counts / counts.sum() * total
    shares = np.floor(exact)
    missing = int(total - shares.sum())
    remainders = exact - shares
    for remainder in np.unique(remainders)[::-1]:
        if missing <= 0:
            break
        (tied,) = np.where(remainders == remainder)
        chosen = random.choice(tied, size=min(len(tied), missing), replace=False)
        shares[chosen] += 1
        missing -= len(chosen)
    return shares.astype(int)
