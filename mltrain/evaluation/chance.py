"""Is an accuracy better than chance? A test on the counts.

**The null hypothesis**: the predictions have nothing to do with the classes; the same predictions, dealt out to
the rows at random, would be correct as often. Both margins stay as they are, how often each class occurs and how often
each is predicted. So a model that always says the commonest class gets no credit for a skewed split: every deal has the
same accuracy. What is expected is the chance agreement of Cohen's kappa, the sum over the classes of rows of it ×
predictions of it / n. For two classes this is Fisher's exact test, one-sided.

A binomial test against the share of the commonest class asks another question: whether a constant answer is beaten. A
model that finds 5 of the 10 frauds in 1000 rows, without a false alarm, hardly raises the accuracy, but is no chance
(p = 3e-11). And the binomial variance is too large where the margins are skewed. The constant answer is compared,
too, but without a test.

The deals with exactly m correct rows are the placements of n rooks with m of them on a board of one block (rows of a
class × predictions of it) per class: Riordan, An Introduction to Combinatorial Analysis, 1958, chapter 7. Whole numbers
keep that exact. Above `EXACT_ROWS`, where it would take seconds, the normal distribution with the exact mean and
variance under the null hypothesis (Hoeffding, A combinatorial central limit theorem, 1951) is close.

Rows of one group cannot be dealt out singly. There the p-value is the share of draws of whole groups (`draws.py`) in
which kappa, what is correct beyond the chance agreement, is not above 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mltrain.evaluation.catalogue import CohenKappa
from mltrain.evaluation.counts import confusion_matrix
from mltrain.evaluation.draws import draw_margins
from mltrain.evaluation.margins import FROM_MARGINS

EXACT_ROWS = 400
LEVEL = 0.05
_DRAWS = 1000


@dataclass(frozen=True)
class Chance:
    """The accuracy of a split beside what chance gives.

    Attributes:
        rows: of the split.
        correct: rows whose class was predicted.
        expected: rows that would be correct if the predictions were dealt out at random.
        p_value: chance of at least `correct` rows in such a deal.
        testable: whether a perfect model would reach `LEVEL`; a few rows, or rows of one class, cannot show it.
        constant: the class that is commonest in training, the best answer without looking.
        constant_correct: rows that are of that class.
        groups: how many there are, where rows belong together.
    """

    rows: int
    correct: int
    expected: float
    p_value: float
    testable: bool
    constant: str
    constant_correct: int
    groups: int | None = None

    @property
    def better(self) -> bool:
        """Whether the accuracy is better than chance."""
        return self.p_value <= LEVEL

    def sentence(self, split: str = "test") -> str:
        """Return the finding in one sentence."""
        accuracy = f"the {split} accuracy of {self.correct / self.rows:.4f}"
        p = f"p = {self.p_value:.2g}" if self.p_value >= 0.001 else "p < 0.001"
        counts = f"{self.correct} of {self.rows} correct, {self.expected:.1f} expected when guessing, {p}"
        if self.groups is not None:
            counts += f" by resampling {self.groups} groups"
        if not self.testable:
            few = "rows" if self.groups is None else "groups"
            return f"{accuracy} cannot be distinguished from chance: too few {few}, or only one class ({counts})"
        if not self.better:
            return f"{accuracy} is not better than chance ({counts})"
        if self.constant_correct >= self.correct:
            share = f"{self.constant_correct / self.rows:.4f}"
            return f"{accuracy} is above chance ({counts}), but always answering '{self.constant}' gives {share}"
        return f"{accuracy} is better than chance ({counts})"


def against_chance(
    target: np.ndarray,
    predicted: np.ndarray,
    classes: Sequence[str],
    training_target: np.ndarray,
    groups: np.ndarray | None = None,
) -> Chance:
    """Test the accuracy of the predictions of a split.

    Args:
        target: true class indices of the split, (n,), n >= 1.
        predicted: predicted class indices, (n,).
        classes: names in the order of the indices.
        training_target: class indices of the training rows; the commonest class is not read off the split itself.
        groups: (n,) of any values: equal for rows that belong together; None where every row is for itself.
    """
    confusion = confusion_matrix(target, predicted, len(classes))
    of_class, as_class = confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist()
    rows, correct = sum(of_class), int(np.trace(confusion))
    commonest = int(np.bincount(training_target.reshape(-1).astype(np.int64), minlength=len(classes)).argmax())
    if groups is None:
        found, perfect = p_value(correct, of_class, as_class), p_value(rows, of_class, of_class)
    else:
        found, perfect = (_grouped(target, each, len(classes), groups) for each in (predicted, target))
    return Chance(
        rows=rows,
        correct=correct,
        expected=sum(a * b for a, b in zip(of_class, as_class, strict=True)) / rows,
        p_value=found,
        testable=perfect <= LEVEL,
        constant=classes[commonest],
        constant_correct=of_class[commonest],
        groups=None if groups is None else len(np.unique(groups)),
    )


def _grouped(target: np.ndarray, predicted: np.ndarray, n_classes: int, groups: np.ndarray) -> float:
    numbers = np.unique(groups, return_inverse=True)[1].reshape(-1)
    target, predicted = target.reshape(-1).astype(np.int64), predicted.reshape(-1).astype(np.int64)
    (drawn,) = draw_margins(target, (predicted,), n_classes, seed=0, draws=_DRAWS, groups=numbers)
    kappa = FROM_MARGINS["cohen_kappa"](CohenKappa(), "multiclass", drawn)
    return float((1 + (kappa <= 0).sum()) / (1 + _DRAWS))


def p_value(correct: int, of_class: Sequence[int], as_class: Sequence[int]) -> float:
    """Return the chance of at least `correct` agreements when predictions with these margins are dealt out at random.

    Args:
        correct: agreements that were seen.
        of_class: rows of each class.
        as_class: predictions of each class; as many in sum.
    """
    if sum(of_class) > EXACT_ROWS:
        return _normal(correct, of_class, as_class)
    return _exact(correct, of_class, as_class)


def _exact(correct: int, of_class: Sequence[int], as_class: Sequence[int]) -> float:
    if correct == 0:
        return 1.0
    n = sum(of_class)
    # placements[k]: ways to put k rooks on the blocks so that none attacks another.
    placements = [1]
    for rows, columns in zip(of_class, as_class, strict=True):
        block = [math.comb(rows, k) * math.comb(columns, k) * math.factorial(k) for k in range(min(rows, columns) + 1)]
        product = [0] * (len(placements) + len(block) - 1)
        for i, left in enumerate(placements):
            for k, right in enumerate(block):
                product[i + k] += left * right
        placements = product
    # Inclusion and exclusion, for "at least": the k chosen agreements stay, the other n - k rows are dealt freely.
    deals = sum(
        (-1) ** (k - correct) * math.comb(k - 1, correct - 1) * placements[k] * math.factorial(n - k)
        for k in range(correct, len(placements))
    )
    return deals / math.factorial(n)


def _normal(correct: int, of_class: Sequence[int], as_class: Sequence[int]) -> float:
    n, a, b = sum(of_class), np.asarray(of_class, np.float64), np.asarray(as_class, np.float64)
    agreement = (a * b).sum() / n
    # Sum of the squares of the doubly centred agreement matrix, over n - 1.
    variance = (n * agreement - (a * a * b).sum() / n - (a * b * b).sum() / n + agreement**2) / (n - 1)
    if variance <= 1e-9 * n:
        return 1.0
    # Half a row: the count is whole, the normal distribution is not.
    return 0.5 * math.erfc((correct - 0.5 - agreement) / math.sqrt(2 * variance))
