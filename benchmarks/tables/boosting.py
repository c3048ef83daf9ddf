"""scikit-learn's HistGradientBoosting: as it is, or (`--variant stopped`) with up to 1,000 trees until the loss of the
validation rows no longer falls."""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from benchmarks.tables.arrays import Rows, Split, command

MOST_CATEGORIES = 254  # of a column; it takes 255, and the rarer ones share the last
MOST_TREES = 1_000


def fit(split: Split, task: str, arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Return the predictions of the test rows, and the classes."""
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    categorical = [False] * split.train.numbers.shape[1] + [True] * len(split.sizes)
    stopped = arguments.variant == "stopped"
    options = {"early_stopping": True, "max_iter": MOST_TREES} if stopped else {}
    model = kind(random_state=arguments.seed, categorical_features=categorical, **options)
    validation = {}
    if stopped:
        validation = {"X_val": _columns(split.validation), "y_val": split.validation.targets}
    model.fit(_columns(split.train), split.train.targets, **validation)
    if task == "regression":
        return model.predict(_columns(split.test)), np.empty(0)
    return model.predict_proba(_columns(split.test)), model.classes_


def _columns(rows: Rows) -> np.ndarray:
    """Return numbers, then categories from 0 up; NaN is a missing value of both."""
    codes = np.minimum(rows.categories, MOST_CATEGORIES).astype(float)
    return np.column_stack([rows.numbers, np.where(codes < 0, np.nan, codes)])


if __name__ == "__main__":
    command(fit)
