"""The rows of each split: row numbers and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from mltrain.errors import DataError
from mltrain.task import SPLITS, SplitName


@dataclass(frozen=True)
class Splits:
    """Row numbers (int64) of each split, in the order in which they were drawn; an array may be empty.

    Attributes:
        train, validation, test: the rows.
        groups: the number of the group of every row of the data, int64 (rows,), where rows that belong together stay
            together; None where every row is for itself.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    groups: np.ndarray | None = None

    def items(self) -> list[tuple[SplitName, np.ndarray]]:
        """Return the splits that have rows, by name."""
        named = {name: getattr(self, name) for name in SPLITS}
        return [(name, rows) for name, rows in named.items() if len(rows)]

    def check(self, rows: int) -> None:
        """Make sure that no row is in two splits or twice in one, that all are among the `rows` rows of the data, and
        that no group has rows in two splits.

        Raises:
            DataError: one is, or has. A test row that was trained on makes every number of the test worthless.
        """
        seen = np.zeros(rows, np.int8)
        for name, numbers in self.items():
            if numbers.min() < 0 or numbers.max() >= rows:
                odd = int(numbers[(numbers < 0) | (numbers >= rows)][0])
                raise DataError(f"the {name} split holds row {odd}, but the data has the rows 0 to {rows - 1}")
            np.add.at(seen, numbers, 1)
            if seen.max() > 1:
                raise DataError(
                    f"the splits are not disjoint: row {int(seen.argmax())} is in {name} and in a split before it"
                )
        self._check_groups()

    def _check_groups(self) -> None:
        if self.groups is None:
            return
        seen = np.zeros(int(self.groups.max()) + 1, np.int8)
        for name, numbers in self.items():
            seen[np.unique(self.groups[numbers])] += 1
            if seen.max() > 1:
                row = int(numbers[(seen[self.groups[numbers]] > 1).argmax()])
                raise DataError(f"the splits share a group: that of row {row} is in {name} and in a split before it")


def fingerprint(rows: np.ndarray) -> str:
    """Return the sha256 of row numbers, in their order, as little-endian int64."""
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
