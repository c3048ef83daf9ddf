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
        count: rows at each threshold (thresholds,).
        found: rows of the class at each threshold (thresholds,).
    """

    name: str
    member: np.ndarray
    threshold: np.ndarray
    count: np.ndarray
    found: np.ndarray

    @classmethod
    def of(cls, name: str, member: np.ndarray, score: np.ndarray) -> Ranking:
        """Rank rows by their score (n,)."""
        _, from_below, count = np.unique(score, return_inverse=True, return_counts=True)
        threshold = len(count) - 1 - from_below
        return cls(name, member, threshold, count[::-1], np.bincount(threshold[member], minlength=len(count)))

    @property
    def positives(self) -> int:
        """Rows of the class."""
        return int(self.found.sum())

    @property
    def negatives(self) -> int:
        """All others."""
        return len(self.member) - self.positives

    @cached_property
    def precision(self) -> np.ndarray:
        """Share of the class among the rows at each threshold and above (thresholds,)."""
        return np.cumsum(self.found) / np.cumsum(self.count)
