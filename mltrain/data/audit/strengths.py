"""How well each column of a table alone predicts the target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from mltrain.outputs import KINDS
from mltrain.task import Task

# A class with fewer rows than this, or values that repeat less often, are predicted by luck.
_LEAST = 10


def column_strengths(x: np.ndarray, columns: Sequence[str], truth: np.ndarray, task: Task) -> Mapping[str, float]:
    """Return how well each raw column alone predicts the target, from 0 (not at all) to 1 (perfectly).

    Numbers: 2 AUC - 1 for two classes, 1 for more classes if each takes one interval of its own, R² of a line for
    regression. Values that repeat, as categories: the share of the constant answer's errors that the commonest class of
    each value saves.

    Args:
        x: encoded rows (rows, features).
        columns: the raw column of each feature.
        truth: (rows,) class numbers, or values.
        task: what is learned.
    """
    return {
        name: _strength(x[:, [place for place, each in enumerate(columns) if each == name]], truth, task)
        for name in dict.fromkeys(columns)
    }


def _strength(x: np.ndarray, truth: np.ndarray, task: Task) -> float:
    single = x.shape[1] == 1
    if KINDS[task].of_numbers:
        return _line(x[:, 0].astype(np.float64), truth) if single else 0.0
    counts = np.bincount(truth)
    if len(counts[counts > 0]) < 2 or counts[counts > 0].min() < _LEAST:
        return 0.0
    return max(_categories(x, truth), _order(x[:, 0], truth) if single else 0.0)


def _line(values: np.ndarray, truth: np.ndarray) -> float:
    if len(truth) < 2:
        return 0.0
    across, up = values - values.mean(), truth - truth.mean()
    spread = math.sqrt((across**2).sum()) * math.sqrt((up**2).sum())
    return min(float((across * up).sum() / spread) ** 2, 1.0) if spread else 0.0


def _order(values: np.ndarray, truth: np.ndarray) -> float:
    present = np.unique(truth)
    if len(present) > 2:
        ends = sorted((values[truth == each].min(), values[truth == each].max()) for each in present)
        return float(all(before[1] < after[0] for before, after in pairwise(ends)))
    positive = truth == present[1]
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]  # of equal values the mean
    positives = int(positive.sum())
    area = (ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * (len(truth) - positives))
    return float(abs(2 * area - 1))


def _categories(x: np.ndarray, truth: np.ndarray) -> float:
    values, places = np.unique(x, axis=0, return_inverse=True)
    if len(values) * _LEAST > len(x):
        return 0.0
    counts = np.zeros((len(values), int(truth.max()) + 1), np.int64)
    np.add.at(counts, (places.reshape(-1), truth), 1)
    commonest = counts.sum(axis=0).max()
    return float((counts.max(axis=1).sum() - commonest) / (len(truth) - commonest))
