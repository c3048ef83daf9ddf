"""Gradient boosting of decision trees, what most people would try on a table instead of a network: scikit-learn's
`HistGradientBoosting` with its own settings, stopped early on held-out rows.

It is limited by the work that it does and not by the clock, and computes on one thread: the same rows give the same
bits everywhere. One thread is also the fastest beside a training: OpenMP's threads wait for each other in a loop that
keeps a core busy, and where the training has that core a fit of 0.1 s takes 20 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from mltrain.outputs import KINDS
from mltrain.task import Task

# A tree divides no leaf of fewer than twice 20 rows, scikit-learn's `min_samples_leaf`.
FEWEST_ROWS = 40
MOST_ROWS = 50_000
MOST_COLUMNS = 1_000
MOST_NUMBERS = 5_000_000
MOST_TARGETS = 8
# Rounds of boosting, each with a tree for each class; held-out rows stop it before.
MOST_ROUNDS, FEWEST_ROUNDS = 300, 20
# Rows whose loss stops it.
MOST_STOPPING_ROWS = 10_000
# Rows of which a tree has all its 31 leaves.
_OF_ALL_LEAVES = 31 * 20
# scikit-learn's bins: a column has no more values, and a column of categories no more categories.
_BINS = 255
# Microseconds of one thread: of a tree with all its leaves, of a column with all its bins, and of a number.
_OF_TREE, _OF_COLUMN, _OF_NUMBER, _OF_PREDICTION = 800.0, 40.0, 0.005, 0.25
# All that a fit may cost, in the same unit: 2 s, and more with the rows, as the training beside it takes longer, too.
_ALLOWED, _ALLOWED_OF_ROW = 2e6, 80.0


@dataclass(frozen=True)
class Learned:
    """Rows to learn from, or to stop by.

    Attributes:
        values: float32 (rows, columns), NaN where missing.
        truth: class numbers or values (rows,).
        weights: of the rows (rows,); None where all count the same.
    """

    values: np.ndarray
    truth: np.ndarray
    weights: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Learned:
        """Return some of them."""
        return Learned(self.values[rows], self.truth[rows], None if self.weights is None else self.weights[rows])


@dataclass(frozen=True)
class Plan:
    """How much is fitted.

    Attributes:
        rows: of training, at most.
        rounds: of boosting, at most.
    """

    rows: int
    rounds: int


@dataclass(frozen=True)
class Boosted:
    """A fitted model of one target.

    Attributes:
        predict: from values (n, columns) to probabilities of the positive class (n,), of the classes (n, classes), or
            numbers in the units of the target (n,).
        stopped: whether held-out rows ended it, and not the limit of its work.
    """

    predict: Callable[[np.ndarray], np.ndarray]
    stopped: bool


def plan_boosting(rows: int, columns: int, trees: int, predicted: int) -> Plan | str:
    """Return how much may be fitted, or why nothing is.

    Args:
        rows: of training.
        columns: of the table.
        trees: in one round, for all classes and targets.
        predicted: rows that are predicted afterwards.
    """
    if rows < FEWEST_ROWS:
        return f"of fewer than {FEWEST_ROWS} training rows a tree makes no two leaves"
    if columns > MOST_COLUMNS:
        return f"there are {columns:,} columns, and the quick fit takes at most {MOST_COLUMNS:,}"
    rows = min(rows, MOST_ROWS, MOST_NUMBERS // columns)
    leaves = min(1.0, rows / _OF_ALL_LEAVES)
    of_tree = _OF_TREE * leaves + columns * (_OF_COLUMN * leaves + _OF_NUMBER * rows) + _OF_PREDICTION * predicted
    rounds = min(MOST_ROUNDS, int((_ALLOWED + _ALLOWED_OF_ROW * rows) / (of_tree * trees)))
    if rounds < FEWEST_ROUNDS:
        return f"{trees:,} trees a round on {columns:,} columns are too many for the quick fit"
    return Plan(rows, rounds)


def sampled(rows: int, most: int, truth: np.ndarray, of_classes: bool, seed: int) -> np.ndarray:
    """Return at most so many row numbers, ascending, drawn by the seed, and of classes a row of each."""
    if rows <= most:
        return np.arange(rows)
    chosen = np.random.default_rng(seed).choice(rows, most, replace=False)
    if of_classes:
        chosen = np.concatenate([chosen, np.unique(truth, return_index=True)[1]])
    return np.unique(chosen)


def fit_boosting(
    task: Task,
    classes: int,
    train: Learned,
    held_out: Learned | None,
    categories: Sequence[bool],
    plan: Plan,
    seed: int,
) -> Boosted:
    """Return the model of one target. Imports scikit-learn, which takes a second.

    Args:
        task: what is learned of it.
        classes: how many there are; 0 for numbers.
        train: the rows to learn from, not more than the plan says.
        held_out: the rows that stop it; None takes a tenth of the training rows.
        categories: for each column whether its numbers are those of categories.
        plan: how much to fit.
        seed: of what is drawn.
    """
    of_numbers = KINDS[task].of_numbers
    if held_out is None:
        train, held_out = _divided(train, of_numbers, seed)
    present = np.zeros(0) if of_numbers else np.unique(train.truth)
    if not of_numbers:
        if len(present) == 1:
            return Boosted(lambda values: _one_class(int(present[0]), classes, len(values)), True)
        held_out = held_out.take(np.flatnonzero(np.isin(held_out.truth, present)))
    codes = _Codes(train.values, categories)
    model = _estimator(task, categories, plan.rounds, seed)
    with _one_openmp_thread():
        given: dict[str, Any] = {}
        if len(held_out.truth):
            given = {"X_val": codes(held_out.values), "y_val": held_out.truth, "sample_weight_val": held_out.weights}
        else:
            model.set_params(early_stopping=False)
        model.fit(codes(train.values), train.truth, sample_weight=train.weights, **given)

    def predict(values: np.ndarray) -> np.ndarray:
        with _one_openmp_thread():
            if of_numbers:
                return np.asarray(model.predict(codes(values)), np.float64)
            found = _spread(model.predict_proba(codes(values)), present, classes)
        return found[:, 1] if classes == 2 else found

    return Boosted(predict, model.n_iter_ < plan.rounds)


def _estimator(task: Task, categories: Sequence[bool], rounds: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    settings: dict[str, Any] = {
        "max_iter": rounds,
        "early_stopping": True,
        "categorical_features": np.flatnonzero(categories) if any(categories) else None,
        "random_state": seed % 2**32,
    }
    if not KINDS[task].of_numbers:
        return HistGradientBoostingClassifier(**settings)
    loss = "poisson" if KINDS[task].linear == "poisson" else "squared_error"
    return HistGradientBoostingRegressor(loss=loss, **settings)


class _Codes:
    """Gives the categories of each column numbers from 0 on, of which scikit-learn takes 255 at most: the commonest in
    the training rows; all others are missing.

    Args:
        values: of the training rows.
        categories: as for `fit_boosting`.
    """

    def __init__(self, values: np.ndarray, categories: Sequence[bool]) -> None:
        self._known: dict[int, np.ndarray] = {}
        for place in np.flatnonzero(categories):
            column = values[:, place]
            known, counts = np.unique(column[~np.isnan(column)], return_counts=True)
            commonest = np.argsort(-counts, kind="stable")[:_BINS]
            self._known[int(place)] = known[np.sort(commonest)]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        found = values.astype(np.float64)
        for place, known in self._known.items():
            column = values[:, place]
            codes = np.minimum(np.searchsorted(known, column), max(0, len(known) - 1))
            is_known = known[codes] == column if len(known) else np.zeros(len(column), bool)
            found[:, place] = np.where(is_known, codes, np.nan)
        return found


def _divided(rows: Learned, of_numbers: bool, seed: int) -> tuple[Learned, Learned]:
    """Return nine tenths of the rows, and one tenth, which holds the only row of no class."""
    order = np.random.default_rng(seed).permutation(len(rows.truth))
    held = np.zeros(len(order), bool)
    held[order[: len(order) // 10]] = True
    if not of_numbers:
        held[np.unique(rows.truth, return_index=True)[1]] = False
    return rows.take(np.flatnonzero(~held)), rows.take(np.flatnonzero(held))


def _one_class(number: int, classes: int, rows: int) -> np.ndarray:
    """Return the predictions where all training rows are of one class."""
    if classes == 2:
        return np.full(rows, float(number))
    return np.tile(np.eye(classes)[number], (rows, 1))


def _spread(found: np.ndarray, present: np.ndarray, classes: int) -> np.ndarray:
    """Return probabilities of all classes (n, classes), from those of the classes that the training rows have."""
    whole = np.zeros((len(found), classes))
    whole[:, present.astype(np.int64)] = found
    return whole


@contextmanager
def _one_openmp_thread() -> Iterator[None]:
    """Compute with one thread of OpenMP inside. The number is that of the calling thread alone, so that nothing of the
    training changes."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        yield
