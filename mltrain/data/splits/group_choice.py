"""Which groups: draws of rows that stay together, as row numbers.

A share of the rows cannot be met exactly by whole groups. The groups are taken up in an order drawn at random, and one
is taken where it brings the rows that are drawn nearer to the share. That way a large group is as likely to be drawn as
a small one, until it would no longer fit; the largest first would be nearer, but the largest would always be held out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltrain.data.splits.key_splits import HashSplit
from mltrain.data.splits.keys import hashed, keys
from mltrain.data.splits.row_choice import Draw, StratifyError
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Table
from mltrain.errors import ConfigError, DataError
from mltrain.task import Decision
from mltrain.wording import counted


@dataclass(frozen=True)
class GroupDraw:
    """How groups are drawn.

    Attributes:
        draw: the seed, the classes and how to stratify by them, as for single rows.
        groups: the number of the group of every row of the data, int64 (rows,).
    """

    draw: Draw
    groups: np.ndarray

    def split(
        self, rows: np.ndarray, validation: int | float, test: int | float
    ) -> tuple[Splits, tuple[Decision, ...]]:
        """Return `rows`, ascending, in three parts: the test groups are drawn first, then those for validation.

        Args:
            rows: to split; whole groups.
            validation: a fraction of `rows` or a number of rows; 0 for none.
            test: likewise.

        Raises:
            DataError: there are too few groups or rows, or stratification was asked for and a class has too few groups.
            ConfigError: stratification was asked for and the target has no classes.
        """
        wanted = {"test": _count(test, len(rows)), "validation": _count(validation, len(rows))}
        asked = [name for name, count in wanted.items() if count]
        members = np.unique(self.groups[rows])
        if len(members) <= len(asked):
            raise DataError(
                f"{self.draw.name}: too few groups: {len(members)} for train, {' and '.join(asked)}, "
                "each of which needs one of its own"
            )
        if sum(wanted.values()) >= len(rows):
            raise DataError(
                f"{self.draw.name}: too few rows: {wanted['test']} for the test and {wanted['validation']} for "
                f"validation of {len(rows)} leave none for training; make data.split.test or .validation smaller"
            )
        kinds, decisions = self._kinds(rows, len(asked) + 1)
        random = np.random.RandomState(self.draw.seed)
        taken: dict[str, np.ndarray] = {"test": members[:0], "validation": members[:0]}
        left = members
        for number, name in enumerate(asked, start=1):
            order = random.permutation(left)
            taken[name] = _taken(kinds, order, wanted[name] / len(rows), len(left) - (len(asked) - number + 1))
            left = np.setdiff1d(left, taken[name])
        parts = [rows[np.isin(self.groups[rows], part)] for part in (left, taken["validation"], taken["test"])]
        return Splits(*parts), decisions

    def _kinds(self, rows: np.ndarray, parts: int) -> tuple[np.ndarray, tuple[Decision, ...]]:
        """Return how many of `rows` of each kind each group has, (groups, kinds): kinds are the classes to stratify by,
        or there is one."""
        groups, labels, stratify = self.groups[rows], self.draw.labels, self.draw.stratify
        single = np.bincount(groups, minlength=int(self.groups.max()) + 1)[:, None]
        if not stratify or labels is None:
            if stratify is True:
                raise ConfigError("data.split.stratify: true needs a target with classes, but this one is a number")
            return single, ()
        _, kinds = np.unique(labels[rows], return_inverse=True)
        table = np.zeros((len(single), int(kinds.max()) + 1), np.int64)
        np.add.at(table, (groups, kinds), 1)
        fewest = int((table > 0).sum(axis=0).min())
        if fewest >= parts:
            reason = (
                "the target has classes, each in enough groups; whole groups keep the proportions only approximately"
            )
            return table, () if stratify is True else (Decision("split.stratify", "true", reason),)
        reason = f"a class is in {counted(fewest, 'group')} only, for {parts} splits"
        if stratify is True:
            raise StratifyError(f"{self.draw.name}: data.split.stratify: true is not possible: {reason}; use auto")
        return single, (Decision("split.stratify", "false", reason),)


def rows_by_hash(table: Table, split: HashSplit, seed: int) -> Splits:
    """Return the rows of each split as the hashes of their keys say, ascending.

    The test takes the lowest hashes and validation the highest: to change one share moves no row of the other.

    Raises:
        DataError: a key has no value, or no row falls into a split that was asked for.
    """
    numbers = hashed(keys(table, split.columns), seed)
    of_test, of_validation = numbers < split.test, numbers >= 1 - split.validation
    parts = {"train": ~(of_test | of_validation), "validation": of_validation, "test": of_test}
    for name, chosen in parts.items():
        if not chosen.any() and (name == "train" or getattr(split, name)):
            raise DataError(
                f"{table.origin.name}: no key falls into the {name} split: there are too few different ones for "
                f"shares by a hash; use data.split: {{type: group}}, or another seed"
            )
    return Splits(*(np.flatnonzero(chosen) for chosen in parts.values()))


def _count(size: int | float, rows: int) -> int:
    return round(size * rows) or 1 if isinstance(size, float) and size else int(size)


def _taken(kinds: np.ndarray, order: np.ndarray, share: float, most: int) -> np.ndarray:
    """Return the groups, of those in `order`, that together come near to a share of the rows of every kind.

    Args:
        kinds: rows of each kind in each group, (groups, kinds).
        order: numbers of the groups that may be taken, in the order in which they are tried.
        share: of the rows of all groups in `kinds`.
        most: as many groups may be taken, at least 1.
    """
    weights = (1 / kinds.sum(axis=0) ** 2.0).tolist()
    lacking = (share * kinds.sum(axis=0)).tolist()
    taken = []
    for group, sizes in zip(order.tolist(), kinds[order].tolist(), strict=True):
        # The squares of what is lacking, each as a part of its kind, become smaller.
        nearer = sum(w * size * (2 * lack - size) for w, size, lack in zip(weights, sizes, lacking, strict=True))
        if nearer > 0:
            taken.append(group)
            lacking = [lack - size for lack, size in zip(lacking, sizes, strict=True)]
            if len(taken) == most or max(lacking) <= 0:
                break
    # Where every group is more than twice the share, the smallest is nearest.
    return np.array(taken or [order[np.argmin(kinds[order].sum(axis=1))]], np.int64)
