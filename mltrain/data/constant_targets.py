"""Targets of numbers that never change: there is nothing to learn from them."""

from __future__ import annotations

import numpy as np

from mltrain.data.encoders.column import RawColumn
from mltrain.data.several_targets import SeveralTargets, Target, each_target
from mltrain.data.splits import Split
from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.table import Table
from mltrain.task import Decision
from mltrain.wording import counted


def keep_or_refuse_constant_targets(
    table: Table, target: Target, truth: np.ndarray, train: np.ndarray, split: Split
) -> tuple[Decision, ...]:
    """Refuse targets of numbers that have the same value in every training row; targets of classes are not looked at.

    Folds share their rows: a target that is constant in the training rows of one fold alone is measured as it is. So is
    a number of an array beside others that change, such as the dark corner of images that an autoencoder gives back.

    Args:
        table: all rows.
        target: what is learned.
        truth: the numbers of all rows, (rows,) or (rows, targets).
        train: the training rows.
        split: what was asked.

    Returns:
        What was kept.

    Raises:
        DataError: names each target that is constant.
    """
    constant: list[tuple[str, float, bool]] = []
    if len(train) < 2:
        return ()
    for part, there, values in each_target(target, truth):
        learned = values[train[there[train]]]
        if part.classes:
            continue
        elsewhere = bool((values[there] != learned[0]).any())
        if (learned == learned[0]).all() and not (elsewhere and isinstance(split, KFoldSplit)):
            constant.append((part.column, float(learned[0]), elsewhere))
    if not constant:
        return ()
    if isinstance(target, SeveralTargets) and target.array is not None and len(constant) < len(target.parts):
        some = f"{constant[0][0]} and others" if len(constant) > 1 else constant[0][0]
        numbers = f"{len(constant)} of {len(target.parts)} numbers never change in the training rows ({some})"
        reason = "numbers of an array are kept beside others that change; the r2 of these is 0, or 1 if it is exact"
        return (Decision(f"target.{target.array}", numbers, reason),)
    column, value, elsewhere = constant[0]
    remedy = "other rows differ: choose another data.split or seed" if elsewhere else "choose another data.target"
    also = f" (also constant: {', '.join(repr(name) for name, *_ in constant[1:])})" if len(constant) > 1 else ""
    rows = f"every training row has {value:.15g} ({counted(len(train), 'row')})"
    raise RawColumn.of(table, column).failure(
        f"{rows}; expected a number that changes, because a constant cannot be learned; {remedy}{also}"
    )
