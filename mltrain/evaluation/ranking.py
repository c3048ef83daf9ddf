"""The rows in the order of their scores, as ROC AUC and PR AUC need them: one class against the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """The rows by the score of one class; equal scores are one threshold.

    Attributes:
        name: of the class.
        member: whether a row is of the class (n,).
        threshold: which threshold a row's score is, the highest score first (n,).
        count: rows at each threshold (thresholds,), or the sum of their weights.
        found: rows of the class at each threshold (thresholds,), or the sum of their weights.
        weights: of the rows (n,); None where all count the same.
    """

    name: str
    member: np.ndarray
    threshold: np.ndarray
    count: np.ndarray
    found: np.ndarray
    weights: np.ndarray | None = None

    @classmethod
    def of(cls, name: str, member: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None) -> Ranking:
        """Rank rows by their score (n,)."""
        if weights is not None:
            member, score, chosen = member[weights > 0], score[weights > 0], weights[weights > 0]
            _, from_below = np.unique(score, return_inverse=True)
            threshold = int(from_below.max(initial=-1)) - from_below
            size = int(threshold.max(initial=-1)) + 1
            count, found = (np.bincount(threshold, chosen * each, size) for each in (1.0, member))
            return cls(name, member, threshold, count, found, chosen)
        _, from_below, count = np.unique(score, return_inverse=True, return_counts=True)
        threshold = len(count) - 1 - from_below
        return cls(name, member, threshold, count[::-1], np.bincount(threshold[member], minlength=len(count)))

    @property
    def positives(self) -> float:
        """Rows of the class."""
        return int(self.found.sum()) if self.weights is None else float(self.found.sum())

    @property
    def negatives(self) -> float:
        """All others."""
        if self.weights is None:
            return len(self.member) - self.positives
        return float(self.weights[~self.member].sum())

    @cached_property
    def precision(self) -> np.ndarray:
        """Share of the class among the rows at each threshold and above (thresholds,)."""
        return np.cumsum(self.found) / np.cumsum(self.count)
