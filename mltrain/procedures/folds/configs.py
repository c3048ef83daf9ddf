"""From one config to that of each fold. No TensorFlow, no NumPy."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mltrain.config.load import Loaded, again
from mltrain.data.splits import RandomSplit
from mltrain.data.splits.fold_splits import KFoldSplit
from mltrain.data.splits.key_splits import GroupSplit
from mltrain.spec import as_plain

FOLDS = 5


def fold_configs(loaded: Loaded, folds: int | None = None, gates: Sequence[str] = ()) -> dict[int, Loaded]:
    """Return the config of each fold, by its number: what `mltrain train` makes of it with `--set data.split.fold=1` …

    A split `random` or `group` becomes a `kfold` with what it says of validation rows, classes, groups and its seed.

    Args:
        loaded: the config.
        folds: how many; None takes those of the config, or 5.
        gates: of the command line.

    Raises:
        ConfigError: the split says which rows are held out, so that there can be no folds.
    """
    split, count = loaded.spec.data.split, folds
    if isinstance(split, KFoldSplit):
        count = folds or split.folds
        number = [] if folds is None else [f"data.split.folds={count}"]
        return {fold: again(loaded, [*number, f"data.split.fold={fold}"], gates) for fold in range(1, count + 1)}
    if not isinstance(split, RandomSplit | GroupSplit):
        why = f"a split of type {split.type} cannot be divided into folds: {split.why_no_folds}"
        raise loaded.error((("data", "split"), f"{why}; use a split of type kfold, random or group"))
    count = folds or FOLDS
    return {fold: again(loaded, [_kfold(split, count, fold)], gates) for fold in range(1, count + 1)}


def _kfold(split: RandomSplit | GroupSplit, folds: int, fold: int) -> str:
    meant = KFoldSplit(
        folds=folds,
        fold=fold,
        validation=split.validation,
        stratify=split.stratify,
        group=split.column if isinstance(split, GroupSplit) else None,
        seed=split.seed,
    )
    return f"data.split={json.dumps(as_plain(meant), ensure_ascii=False)}"
