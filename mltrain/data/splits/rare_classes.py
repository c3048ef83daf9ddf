"""Classes of few rows: every class keeps a training row, whatever the seed of the split.

A draw may put all rows of a rare class into validation and test. Then one of them changes places with a training row
of a frequent class; of whole groups, the smallest one moves. Splits that are not drawn (files, a column, time, a hash)
stay as they are: there a class without a training row is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mltrain.data.classes import odd_end
from mltrain.data.encoders.column import RawColumn
from mltrain.data.splits import ColumnSplit, FilesSplit, RandomSplit, Split, TimeSplit
from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.splits.key_splits import GroupSplit, HashSplit
from mltrain.data.splits.rows import Splits
from mltrain.errors import DataError
from mltrain.task import Decision, SplitName
from mltrain.wording import counted, listed

# The classes of one target: its column, their names, and the class number of every row.
Labelled = tuple[RawColumn, Sequence[str], np.ndarray]


def keep_every_class(
    split: Split, splits: Splits, targets: Sequence[Labelled], hint: str = ""
) -> tuple[Splits, tuple[Decision, ...]]:
    """Return splits in which every class has a training row, and which rows were moved.

    Args:
        split: what was asked.
        splits: the rows of each split.
        targets: every target with classes.
        hint: what to do if the target does not hold classes.

    Raises:
        DataError: a class has no row at all, or it has no training row and no row of it can be moved.
    """
    decisions: list[Decision] = []
    for column, names, numbers in targets:
        whole = np.bincount(numbers, minlength=len(names))
        if not whole.all():
            name = names[int(np.argmin(whole))]
            raise column.failure(f"no row has the class {name!r} (leave it out of data.target.classes){hint}")
        if isinstance(split, KFoldSplit):
            _refuse_single(split, splits, column, names, numbers, hint)
        for absent in np.flatnonzero(np.bincount(numbers[splits.train], minlength=len(names)) == 0).tolist():
            moved = _moved(split, splits, targets, numbers == absent)
            end = odd_end(names[absent], [each for each in names if each != names[absent]])
            if moved is None or end:
                raise _absent(split, column, names, numbers, absent, hint, end)
            splits, row, name = moved
            reason = "a class needs a training row, and the draw had left it none"
            of = f"{column.name} = {names[absent]!r}" if len(targets) > 1 else repr(names[absent])
            what = f"the class {of} of {column.place(row)} moved from {name} to train"
            decisions.append(Decision("split.rare_class", what, reason))
    return splits, _few(decisions)


def _few(decisions: list[Decision], most: int = 3) -> tuple[Decision, ...]:
    if len(decisions) <= most:
        return tuple(decisions)
    more = replace(decisions[0], value=f"{len(decisions) - most + 1} more rows of rare classes moved to train")
    return (*decisions[: most - 1], more)


def _movable(split: Split) -> tuple[SplitName, ...]:
    if isinstance(split, RandomSplit | GroupSplit):
        return ("validation", "test")
    if isinstance(split, KFoldSplit) or (isinstance(split, FilesSplit) and isinstance(split.validation, int | float)):
        return ("validation",)
    return ()


def _moved(
    split: Split, splits: Splits, targets: Sequence[Labelled], wanted: np.ndarray
) -> tuple[Splits, int, SplitName] | None:
    """Return the splits with a wanted row in training, the row, and the split that it was in; None where none can move.

    Args:
        split: what was asked.
        splits: as they are.
        targets: every target with classes: none may lose its last training row of a class.
        wanted: which rows of the data are of the class, (rows,).
    """
    for name in _movable(split):
        held_out: np.ndarray = getattr(splits, name)
        found = held_out[wanted[held_out]]
        if not len(found):
            continue
        if splits.groups is not None:
            of_rows = splits.groups[held_out]
            candidates = np.unique(splits.groups[found])
            group = min(candidates.tolist(), key=lambda each: (int((of_rows == each).sum()), each))
            together = of_rows == group
            if together.all():
                continue
            train = np.sort(np.concatenate([splits.train, held_out[together]]))
            return replace(splits, **{"train": train, name: held_out[~together]}), int(found.min()), name
        row = int(found.min())
        spare = _spare_place(splits.train, targets)
        if spare is None:
            return None
        train, rest = splits.train.copy(), held_out.copy()
        place = int(np.flatnonzero(held_out == row)[0])
        train[spare], rest[place] = row, splits.train[spare]
        return replace(splits, **{"train": train, name: rest}), row, name
    return None


def _spare_place(train: np.ndarray, targets: Sequence[Labelled]) -> int | None:
    """Return the place of a training row whose classes have other training rows: the last of the most frequent."""
    fewest = np.full(len(train), len(train))
    for _, _, numbers in targets:
        own = numbers[train]
        fewest = np.minimum(fewest, np.bincount(own)[own])
    most = fewest.max()
    return int(np.flatnonzero(fewest == most)[-1]) if most > 1 else None


def _refuse_single(
    split: KFoldSplit, splits: Splits, column: RawColumn, names: Sequence[str], numbers: np.ndarray, hint: str
) -> None:
    """Refuse a class that is in one row or group, in every fold alike: the fold that tests it cannot train it."""
    groups = splits.groups
    used = np.concatenate([splits.train, splits.validation, splits.test])
    pairs = np.stack([numbers[used], used if groups is None else groups[used]])
    units = np.bincount(np.unique(pairs, axis=1)[0], minlength=len(names))
    if units.min() > 1:
        return
    absent = int(units.argmin())
    row = int(np.flatnonzero(numbers == absent)[0])
    where = "one row" if groups is None else f"one group of {split.group!r}"
    raise column.error(
        row,
        f"the class {names[absent]!r} is in {where} only, so the fold that tests it cannot train it; "
        f"{_without(column, names[absent])}{hint}",
    )


def _absent(
    split: Split, column: RawColumn, names: Sequence[str], numbers: np.ndarray, absent: int, hint: str, end: str | None
) -> DataError:
    rows = np.flatnonzero(numbers == absent)
    many = np.bincount(numbers, minlength=len(names))
    count = counted(len(rows), "row")
    message = f"the class {names[absent]!r} does not occur in training rows, only in {count} of other splits"
    rare = int((many == 1).sum())
    if isinstance(split, RandomSplit) and rare > 1:
        message = f"{rare:,} of {len(names):,} classes have only one row, too many to keep each in the training rows"
    if end:
        return column.error(
            int(rows[0]), f"{message}; it ends in {end!r}: set strip: {end!r} in the source of these rows"
        )
    return column.error(int(rows[0]), f"{message}; {_advice(split, column, names, names[absent])}{hint}")


def _without(column: RawColumn, name: str) -> str:
    return f"add rows of this class, or remove the rows with {column.name} = {name!r}"


def _advice(split: Split, column: RawColumn, names: Sequence[str], name: str) -> str:
    if isinstance(split, FilesSplit):
        known = listed([each for each in names if each != name], 6)
        return f"add such rows to the training file, or correct the label (the other classes: {known})"
    if isinstance(split, ColumnSplit):
        return f"write train into the column {split.column!r} for a row of this class, or remove its rows"
    if isinstance(split, TimeSplit):
        return f"{_without(column, name)}, or use data.split: {{type: random}} if the order of time does not matter"
    if isinstance(split, HashSplit):
        return f"{_without(column, name)}, or use another data.split.seed"
    return _without(column, name)
