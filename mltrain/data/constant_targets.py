"""A target of numbers that never changes: there is nothing to learn from it."""

from __future__ import annotations

import numpy as np

from mltrain.data.encoders.column import RawColumn
from mltrain.data.several_targets import Target, each_target
from mltrain.data.splits import Split
from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.table import Table
from mltrain.wording import counted


def refuse_constant_targets(table: Table, target: Target, truth: np.ndarray, train: np.ndarray, split: Split) -> None:
    """Refuse targets of numbers that have the same value in every training row; targets of classes are not looked at.

    Folds share their rows: a target that is constant in the training rows of one fold alone is measured as it is.

    Args:
        table: all rows.
        target: what is learned.
        truth: the numbers of all rows, (rows,) or (rows, targets).
        train: the training rows.
        split: what was asked.

    Raises:
        DataError: names each target that is constant.
    """
    constant: list[tuple[str, float, bool]] = []
    if len(train) < 2:
        return
    for part, there, values in each_target(target, truth):
        learned = values[train[there[train]]]
        if part.classes:
            continue
        if not len(learned):
            message = "no training row has a value of this target: choose another data.split, or leave it out"
            raise RawColumn.of(table, part.column).failure(message)
        elsewhere = bool((values[there] != learned[0]).any())
        if (learned == learned[0]).all() and not (elsewhere and isinstance(split, KFoldSplit)):
            constant.append((part.column, float(learned[0]), elsewhere))
    if not constant:
        return
    column, value, elsewhere = constant[0]
    remedy = "other rows differ: choose another data.split or seed" if elsewhere else "choose another data.target"
    also = f" (also constant: {', '.join(repr(name) for name, *_ in constant[1:])})" if len(constant) > 1 else ""
    rows = f"every training row has {value:.15g} ({counted(len(train), 'row')})"
    raise RawColumn.of(table, column).failure(
        f"{rows}; expected a number that changes, because a constant cannot be learned; {remedy}{also}"
    )
