"""Ridge or logistic regression: standardised numbers, one column for each category, the penalty chosen on the
validation rows."""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from benchmarks.tables.arrays import Rows, Split, command, filled

PENALTIES = tuple(10.0 ** np.arange(-3, 5.5, 0.5))
INVERSE_PENALTIES = tuple(10.0 ** np.arange(-4, 3.5, 0.5))
MOST_STEPS = 500


def fit(split: Split, task: str, arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Return the predictions of the test rows, and the classes."""
    scaler = StandardScaler().fit(filled(split.train.numbers, split.train.numbers)) if _numbers(split) else None

    def columns(rows: Rows) -> np.ndarray:
        encoded = [
            np.eye(size)[codes] * (codes >= 0)[:, None]
            for codes, size in zip(rows.categories.T, split.sizes, strict=True)
        ]
        scaled = [] if scaler is None else [scaler.transform(filled(rows.numbers, split.train.numbers))]
        return np.column_stack([*scaled, *encoded])

    parts = tuple(columns(rows) for rows in (split.train, split.validation, split.test))
    return _ridge(split, *parts) if task == "regression" else _logistic(split, *parts)


def _numbers(split: Split) -> int:
    return split.train.numbers.shape[1]


def _ridge(split: Split, train: np.ndarray, validation: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, spread = split.train.targets.mean(), split.train.targets.std()

    def error(model: Ridge) -> float:
        return float(np.mean((model.predict(validation) * spread + mean - split.validation.targets) ** 2))

    models = [Ridge(alpha=penalty).fit(train, (split.train.targets - mean) / spread) for penalty in PENALTIES]
    best = min(models, key=error)
    return best.predict(test) * spread + mean, np.empty(0)


def _logistic(
    split: Split, train: np.ndarray, validation: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    best, least = np.empty(0), np.inf
    model = LogisticRegression(warm_start=True, max_iter=MOST_STEPS)  # each begins where the stronger penalty ended
    for inverse in INVERSE_PENALTIES:
        model.set_params(C=inverse).fit(train, split.train.targets)
        known = np.isin(split.validation.targets, model.classes_)
        loss = log_loss(split.validation.targets[known], model.predict_proba(validation[known]), labels=model.classes_)
        if loss < least:
            best, least = model.predict_proba(test), loss
    return best, model.classes_


if __name__ == "__main__":
    command(fit)
