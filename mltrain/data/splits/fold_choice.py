"""Which rows are in which fold, as row numbers.

Rows, and rows by class, are dealt out by scikit-learn's `KFold`, `StratifiedKFold` and `StratifiedGroupKFold`, so that
the folds are those of other programs. They follow from the data, the number of folds and the seed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.splits.group_choice import GroupDraw
from mltrain.data.splits.row_choice import Draw
from mltrain.data.splits.rows import Splits
from mltrain.errors import MisfitError
from mltrain.task import Decision
from mltrain.wording import counted

_SPLIT = ("data", "split")


def rows_by_fold(
    split: KFoldSplit, draw: Draw, rows: np.ndarray, groups: np.ndarray | None
) -> tuple[Splits, tuple[Decision, ...]]:
    """Return `rows` with one fold as the test, and what was decided for `stratify: auto`.

    Args:
        split: what was asked.
        draw: the seed, the classes and how to stratify by them.
        rows: to split, ascending.
        groups: the number of the group of every row of the data, int64 (rows,); None where every row is for itself.

    Raises:
        MisfitError: there are more folds than rows or groups, or stratification was asked for and is not possible.
        DataError: too few rows or groups are left for the validation that was asked.
    """
    units = len(rows) if groups is None else len(np.unique(groups[rows]))
    if split.folds > units:
        of_what = "rows" if groups is None else "groups"
        raise MisfitError((*_SPLIT, "folds"), f"{split.folds} folds, but {draw.name} has {units} {of_what}")
    kinds, decisions = _kinds(split, draw, rows, groups)
    together = None if groups is None else groups[rows]
    in_fold = _folds(split.folds, kinds, together, len(rows), draw.seed)
    if kinds is None and split.stratify == "auto" and draw.labels is not None:
        in_fold = _spread(in_fold, draw.labels[rows], together)
    tested = in_fold == split.fold - 1
    rest, test = rows[~tested], rows[tested]
    if not split.validation:
        return Splits(rest, rest[:0], test), decisions
    if kinds is None:
        draw = replace(draw, stratify=False)
    left, more = (draw if groups is None else GroupDraw(draw, groups)).split(rest, split.validation, 0)
    # Validation rows that cannot be stratified are another decision than that on the folds.
    apart = tuple(Decision("split.validation", "not stratified", each.reason) for each in more if each.value == "false")
    return Splits(left.train, left.validation, test), decisions + apart


def fold_of_each(
    folds: int, count: int, labels: np.ndarray | None, groups: np.ndarray | None, seed: int
) -> tuple[np.ndarray, bool]:
    """Return the number of the fold of each of `count` rows, from 0, int64 (rows,), and whether each class is spread
    evenly over the folds; it is where it has a row, or a group, for each fold.

    Args:
        folds: how many; no more than there are rows or groups.
        count: of the rows.
        labels: the number of the class of each row; None where the target is a number.
        groups: the number of the group of each row, whose rows are in one fold; None where each row is for itself.
        seed: of the draw.
    """
    kinds = None
    if labels is not None and np.unique(_in_units(labels, groups), return_counts=True)[1].min() >= folds:
        kinds = labels
    in_fold = _folds(folds, kinds, groups, count, seed)
    if kinds is None and labels is not None:
        in_fold = _spread(in_fold, labels, groups)
    return in_fold, kinds is not None


def _kinds(
    split: KFoldSplit, draw: Draw, rows: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray | None, tuple[Decision, ...]]:
    """Return the classes by which the folds are stratified, (rows,), or None where they are not."""
    if not split.stratify or draw.labels is None:
        if split.stratify is True:
            raise MisfitError((*_SPLIT, "stratify"), "true needs a target with classes, but this one is a number")
        return None, ()
    labels = draw.labels[rows]
    in_units = _in_units(labels, None if groups is None else groups[rows])
    counts = np.bincount(in_units, minlength=len(draw.classes))
    rarest = int(np.argmin(np.where(counts, counts, len(rows) + 1)))
    unit = "row" if groups is None else "group"
    if counts[rarest] >= split.folds:
        said = Decision("split.stratify", "true", f"the target has classes, each with enough {unit}s")
        return labels, () if split.stratify is True else (said,)
    name = draw.classes[rarest] if draw.classes else str(rarest)
    some = counted(int(counts[rarest]), unit)
    reason = f"the class {name!r} has {some}, for {split.folds} folds"
    if split.stratify is True:
        raise MisfitError((*_SPLIT, "stratify"), f"true is not possible: {reason}; use auto")
    return None, (Decision("split.stratify", "false", reason),)


def _in_units(labels: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the class of each row, or of each group once for each class that is in it."""
    return labels if groups is None else np.unique(np.stack([labels, groups]), axis=1)[0]


def _folds(folds: int, kinds: np.ndarray | None, groups: np.ndarray | None, count: int, seed: int) -> np.ndarray:
    """Return the number of the fold of each of `count` rows, from 0, (rows,)."""
    from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

    if groups is not None and kinds is None:
        return _balanced(groups, folds, seed)
    splitter = KFold if kinds is None else StratifiedKFold if groups is None else StratifiedGroupKFold
    in_fold = np.empty(count, np.int64)
    parts = splitter(folds, shuffle=True, random_state=seed).split(in_fold, kinds, groups)
    for number, (_, tested) in enumerate(parts):
        in_fold[tested] = number
    return in_fold


def _spread(in_fold: np.ndarray, labels: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the folds with every class of two rows (or groups) or more in two folds or more, where that is possible.

    A class that is in one fold only has no training row when that fold is tested. One of its rows changes places with
    a row of the next fold whose class is in that fold more than once; a group moves to the next fold.
    """
    folds = int(in_fold.max()) + 1
    in_fold = in_fold.copy()
    for kind in np.unique(labels):
        own = np.flatnonzero(labels == kind)
        fold = int(in_fold[own[0]])
        if (in_fold[own] != fold).any():
            continue
        following = (fold + 1) % folds
        if groups is not None:
            of_kind = np.unique(groups[own])
            if len(of_kind) > 1:
                in_fold[groups == of_kind[-1]] = following
        elif len(own) > 1:
            others = np.flatnonzero(in_fold == following)
            frequent = np.bincount(labels)[labels[others]]
            in_fold[own[-1]], in_fold[others[frequent.argmax()]] = following, fold
    return in_fold


def _balanced(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return the fold of each row, whole groups: the largest first, each to the fold that has the fewest rows.

    It is what scikit-learn's `GroupKFold` does, with groups of one size in an order drawn by the seed: there the sort
    decides, and another processor sorts them otherwise.
    """
    numbers, groups = np.unique(groups, return_inverse=True)
    sizes = np.bincount(groups)
    drawn = np.random.RandomState(seed).permutation(len(numbers))
    fold_of, filled = np.empty(len(numbers), np.int64), np.zeros(folds, np.int64)
    for group in drawn[np.argsort(-sizes[drawn], kind="stable")]:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    return fold_of[groups]
