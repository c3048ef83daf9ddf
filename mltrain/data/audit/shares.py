"""Splits that differ from training: classes that are missing in one, and columns with another distribution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from mltrain.data.drift import LARGE, Stability, population_stability
from mltrain.data.encoders.free_text import share_of_unknown
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.several_targets import Target, each_target
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Table
from mltrain.data.training_columns import Comparison, TrainingColumns
from mltrain.run.audit import AuditFinding
from mltrain.task import SplitName
from mltrain.wording import listed

# Fewer rows do not show a share: 1 right answer of 4 may be 1 of 100 or 8 of 10.
_FEW = 5
# This many rows of a split show a distribution as well as all do.
_MOST_ROWS = 20_000
_SHOWN = 5


def class_counts(splits: Splits, truth: np.ndarray, target: Target) -> dict[str, dict[str, int]]:
    """Return the rows of each class, by split, of labels such as `rain=yes`; empty where there are no classes."""
    if not any(part.classes for part in target.parts):
        return {}
    counts: dict[str, dict[str, int]] = {name: {} for name, _ in splits.items()}
    for part, there, true in each_target(target, truth):
        if not part.classes:
            continue
        names = part.classes if part is target else [f"{part.column}={name}" for name in part.classes]
        for split, rows in splits.items():
            found = np.bincount(true[rows[there[rows]]], minlength=len(names)).tolist()
            counts[split] |= dict(zip(names, found, strict=True))
    return counts


def class_findings(counts: Mapping[str, Mapping[str, int]], guessed: str = "") -> Iterator[AuditFinding]:
    """Yield findings on classes that are missing in a split, or have few rows there; the first has `guessed`, what to
    do where numbers were taken as classes."""
    for split, classes in counts.items():
        absent = [f"'{name}'" for name, count in classes.items() if not count]
        few = [f"'{name}' ({count})" for name, count in classes.items() if 0 < count < _FEW]
        if absent:
            sentence = (
                f"{split} has no rows of {listed(absent, _SHOWN)}: its scores do not show how such rows are predicted"
                f"{guessed}"
            )
            guessed = ""
            yield AuditFinding(
                finding="absent_class", level="warning", sentence=sentence, key="data.split", split=split
            )
        if few:
            sentence = f"{split} has fewer than {_FEW} rows of {listed(few, _SHOWN)}: too few to measure such rows"
            yield AuditFinding(finding="rare_class", level="note", sentence=sentence, key="data.source", split=split)


def shift_findings(
    table: Table, splits: Splits, truth: np.ndarray, preprocessing: Preprocessing, reference: TrainingColumns
) -> Iterator[AuditFinding]:
    """Yield a finding for each held-out split in which columns, or a target, have another distribution.

    The measure is the population stability index. There is no finding where chance shows as much in one of a thousand
    data sets with the same number of columns, and none for windows of a series: windows overlap, so larger differences
    are expected by chance.
    """
    if preprocessing.of_windows:
        return
    target = preprocessing.target
    # The vocabulary is that of the training rows, so that all others have more unknown tokens, wherever they are from.
    expected = {share_of_unknown(column) for column in preprocessing.token_rules}
    comparisons = (len(reference.columns) + len(target.parts)) * (len(splits.items()) - 1)
    for split, rows in splits.items():
        if split == "train":
            continue
        held = Comparison(reference, preprocessing)
        held.add(table.take(rows[:: -(-len(rows) // _MOST_ROWS)]))
        kept = (each for each in held.findings(comparisons) if each.column not in expected)
        found = {f"'{each.column}'": each.stability for each in kept}
        for part, there, true in each_target(target, truth):
            train, other = (each[there[each]] for each in (splits.train, rows))
            if len(train) and len(other):
                compared = _of_target(true[train], true[other], len(part.classes), comparisons)
                found[f"the target '{part.column}'"] = compared
        yield from _shifted(split, {name: each for name, each in found.items() if each.drift != "none"})


def _shifted(split: SplitName, found: Mapping[str, Stability]) -> Iterator[AuditFinding]:
    if not found:
        return
    largest = sorted(found.items(), key=lambda each: -each[1].value)
    columns = listed([f"{name} (PSI {each.value:.2f})" for name, each in largest], _SHOWN)
    sentence = (
        f"{split} rows differ from the training rows in {columns}; chance alone stays below "
        f"{max(0.1, largest[0][1].chance):.2f}: are they from another time or place? Then the score holds only "
        "for such rows"
    )
    large = largest[0][1].value >= LARGE
    yield AuditFinding(
        finding="shifted_columns",
        level="warning" if large else "note",
        sentence=sentence,
        key="data.split",
        split=split,
    )


def _of_target(train: np.ndarray, other: np.ndarray, classes: int, comparisons: int) -> Stability:
    if classes:
        expected, found = (np.bincount(each, minlength=classes) for each in (train, other))
    else:
        edges = np.unique(np.quantile(train, np.arange(1, 10) / 10, method="inverted_cdf"))
        expected, found = (
            np.bincount(np.searchsorted(edges, each), minlength=len(edges) + 1) for each in (train, other)
        )
    return population_stability(expected, found, comparisons)
