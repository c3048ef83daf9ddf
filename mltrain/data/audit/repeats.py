"""Rows that stand in the data more than once: across splits they turn a score into one of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from mltrain.data.audit.hashes import RowHashes
from mltrain.data.splits.rows import Splits
from mltrain.outputs import KINDS
from mltrain.run.audit import AuditFinding
from mltrain.task import SPLITS, SplitName, Task

# Rows of columns with few values repeat by chance: where chance explains a larger share of the pairs of equal rows, it
# is only a note.
_BY_CHANCE = 0.01
# A smaller share of repeats inside a split, or of rows that contradict each other, changes no score.
_SHARE = 0.01
# Rows beside each other belong together where this share of them is equal, and so many times more often than any two.
_BESIDE, _MORE_OFTEN = 0.05, 10
# Pairs of rows that a sentence names.
_SHOWN = 2


def repeat_findings(
    splits: Splits, hashes: RowHashes, place: Callable[[int], str], *, task: Task
) -> Iterator[AuditFinding]:
    """Yield findings on rows that repeat others.

    Args:
        splits: the rows of each.
        hashes: of all rows.
        place: says where a row is.
        task: what is learned; equal features with other classes or labels contradict each other.
    """
    rows = _repeated(hashes.inputs)
    split_of = np.full(len(hashes.inputs), -1, np.int8)
    for number, name in enumerate(SPLITS):
        split_of[getattr(splits, name)] = number
    parts: dict[SplitName, np.ndarray] = {name: rows[split_of[rows] == number] for number, name in enumerate(SPLITS)}
    for name, numbers in splits.items():
        if name != "train" and len(parts[name]) and len(parts["train"]):
            yield from _across(name, len(splits.train), len(numbers), hashes, parts["train"], parts[name], place)
    yield from _within(splits, hashes, parts, place)
    if not KINDS[task].of_numbers and not KINDS[task].mixed:
        other = "other labels" if task == "multilabel" else "another class"
        yield from _contradictions(rows[split_of[rows] >= 0], int((split_of >= 0).sum()), hashes, place, other)


def _across(
    name: SplitName,
    train_rows: int,
    total: int,
    hashes: RowHashes,
    train: np.ndarray,
    rows: np.ndarray,
    place: Callable[[int], str],
) -> Iterator[AuditFinding]:
    same, twins, _ = _twins(hashes.examples, train, rows)
    alike, their_twins, counts = _twins(hashes.inputs, train, rows)
    others, pairs = len(alike) - len(same), int(counts.sum())
    beside = _beside_their_twin(hashes.inputs, train, alike)
    together = len(beside) >= _BESIDE * total and len(beside) > _MORE_OFTEN * 2 * pairs / max(train_rows, 1)
    by_chance = _is_chance(hashes.agreement * train_rows * total, pairs)
    if by_chance and not together:
        if len(alike) >= _SHARE * total:
            yield _by_chance(name, total, same, alike)
        return
    if len(same) and not by_chance:
        more = f"; {others} more {_have(others)} the features of a training row but another target" if others else ""
        sentence = (
            f"{len(same)} of {total} {name} rows {'are training rows' if len(same) > 1 else 'is a training row'} too, "
            f"with equal features and target ({_pairs(same, twins, place)}){more}: the score on these rows measures "
            "memory; keep copies in one split, or remove them"
        )
    elif together:
        sentence = (
            f"{len(beside)} of {total} {name} rows have all features of the training row next to them in the data: do "
            "such rows belong together, as those of one person? Then the score on them measures memory; keep them in "
            "one split, with data.split: {type: group, column: …}"
        )
    elif others >= _SHARE * total:
        sentence = (
            f"{others} of {total} {name} rows {_have(others)} all features of a training row but another target "
            f"({_pairs(alike, their_twins, place)}): is it the same thing, measured again? Then keep it in one split"
        )
    else:
        return
    yield AuditFinding(finding="repeated_rows", level="warning", sentence=sentence, key="data.split", split=name)


def _by_chance(name: SplitName, total: int, same: np.ndarray, alike: np.ndarray) -> AuditFinding:
    sentence = (
        f"{len(alike)} of {total} {name} rows have all features of a training row, {len(same)} of them the same target "
        "too: they have few different values, so this can be chance; if they are of one person or thing, keep them in "
        "one split, with data.split: {type: group, column: …}"
    )
    return AuditFinding(finding="equal_by_chance", level="note", sentence=sentence, key="data.split", split=name)


def _within(
    splits: Splits, hashes: RowHashes, parts: Mapping[SplitName, np.ndarray], place: Callable[[int], str]
) -> Iterator[AuditFinding]:
    for name, numbers in splits.items():
        _, firsts, places = np.unique(hashes.examples[parts[name]], return_index=True, return_inverse=True)
        again = np.flatnonzero(firsts[places] != np.arange(len(places)))
        total = len(numbers)
        rows = parts[name]
        if len(again) < max(_SHARE * total, 2):
            continue
        _, counts = np.unique(hashes.inputs[rows], return_counts=True)
        if _is_chance(hashes.agreement * total**2 / 2, _pairs_of(counts)):
            continue
        shown = _pairs(rows[again], rows[firsts[places[again]]], place)
        weight = "count more than once in training" if name == "train" else "make its intervals too narrow"
        sentence = f"{len(again)} of {total} {name} rows repeat another {name} row ({shown}): they {weight}"
        yield AuditFinding(finding="rows_twice", level="note", sentence=sentence, key="data.source", split=name)


def _contradictions(
    rows: np.ndarray, total: int, hashes: RowHashes, place: Callable[[int], str], another: str
) -> Iterator[AuditFinding]:
    """Yield a finding on rows with equal features and different classes: no model predicts all of them correctly."""
    _, firsts, groups = np.unique(hashes.inputs[rows], return_index=True, return_inverse=True)
    other = hashes.examples[rows] != hashes.examples[rows[firsts[groups]]]
    contradicting = np.isin(groups, groups[other])
    count = int(contradicting.sum())
    pairs = _pairs_of(np.bincount(groups))
    if not count or count < _SHARE * total or _is_chance(hashes.agreement * total**2 / 2, pairs):
        return
    shown = _pairs(rows[other], rows[firsts[groups[other]]], place)
    sentence = (
        f"{count} of {total} rows have the same features as a row of {another} ({shown}): no model can predict all of "
        "them correctly; are labels wrong, or is a feature missing that distinguishes them?"
    )
    yield AuditFinding(finding="contradictory_rows", level="warning", sentence=sentence, key="data.target")


def _is_chance(expected: float, found: int) -> bool:
    """Return whether chance explains the pairs of equal rows that were found.

    Args:
        expected: pairs that are equal by chance, if the columns are independent.
        found: pairs of equal rows, not rows: five equal rows are ten pairs.
    """
    return expected > _BY_CHANCE * found


def _pairs_of(counts: np.ndarray) -> int:
    """Return how many pairs of equal rows there are, where each kind of row is there so often."""
    return int((counts * (counts - 1) // 2).sum())


def _beside_their_twin(hashes: np.ndarray, known: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return those of `rows` that equal the row before or behind them, which is one of `known`."""
    is_known = np.zeros(len(hashes) + 2, bool)  # with a place before the first row and behind the last one
    is_known[known + 1] = True
    before, behind = np.maximum(rows - 1, 0), np.minimum(rows + 1, len(hashes) - 1)
    equal = (is_known[rows] & (hashes[before] == hashes[rows])) | (
        is_known[rows + 2] & (hashes[behind] == hashes[rows])
    )
    return rows[equal]


def _repeated(hashes: np.ndarray) -> np.ndarray:
    """Return the rows, ascending, whose hash another row has too."""
    ordered = np.sort(hashes)  # a fifth of the time of an argsort, and most data repeat nothing
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return np.empty(0, np.int64)
    places = np.minimum(np.searchsorted(twice, hashes), len(twice) - 1)
    return np.flatnonzero(twice[places] == hashes)


def _twins(hashes: np.ndarray, known: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return those of `rows` that equal one of `known`, the first of `known` that each of them equals, and how many of
    `known` it equals."""
    values, firsts, counts = np.unique(hashes[known], return_index=True, return_counts=True)
    places = np.minimum(np.searchsorted(values, hashes[rows]), len(values) - 1)
    found = values[places] == hashes[rows]
    return rows[found], known[firsts[places[found]]], counts[places[found]]


def _have(count: int) -> str:
    return "have" if count > 1 else "has"


def _pairs(rows: np.ndarray, twins: np.ndarray, place: Callable[[int], str]) -> str:
    """Return the first rows with their twins: `rows.csv:7 is rows.csv:3, rows.csv:9 is rows.csv:4, …`."""
    pairs = zip(rows[:_SHOWN].tolist(), twins[:_SHOWN].tolist(), strict=True)
    return ", ".join(f"{place(row)} is {place(twin)}" for row, twin in pairs) + (", …" if len(rows) > _SHOWN else "")
