"""How good predictions of the test rows are. One score of each task ranks the methods; the others are kept beside it.

- regression: R², which is 1 - MSE / variance of the test rows, so that sets with targets of any unit can be compared;
  it orders the methods of a split as the RMSE does;
- binary: the area under the ROC curve, which needs no threshold, and which does not reward calling every row the
  commoner class where one class is rare;
- multiclass: accuracy. RealMLP-TD chooses its epoch by it, and smooths its labels, which the log loss would punish.

These are also the scores of Grinsztajn et al., "Why do tree-based models still outperform deep learning on typical
tabular data?", NeurIPS 2022 (R² and accuracy), and of McElfresh et al., "When Do Neural Nets Outperform Boosted Trees
on Tabular Data?", NeurIPS 2023 (accuracy, log loss, AUC).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

MAIN = {"regression": "r2", "binary": "auc", "multiclass": "accuracy"}
SECOND = {"regression": "rmse", "binary": "log_loss", "multiclass": "log_loss"}
TRIVIAL = {"regression": 0.0, "binary": 0.5}  # R² of the mean, AUC of a constant; of many classes see `trivial`
LEAST_PROBABILITY = 1e-7  # one row that is wrong with certainty must not make up the log loss of a set


def of_numbers(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return the scores of a regression."""
    mse = float(np.mean((truth - predicted) ** 2))
    return {"r2": 1 - mse / float(np.var(truth)), "rmse": mse**0.5}


def of_classes(truth: Sequence[str], probabilities: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    """Return the scores of a classification; `probabilities` has a column for each of `classes`, which are sorted."""
    place = {label: number for number, label in enumerate(classes)}
    rows = np.array([place[label] for label in truth])
    clipped = np.clip(probabilities, LEAST_PROBABILITY, 1)
    clipped = clipped / clipped.sum(axis=1, keepdims=True)
    accuracy = float(np.mean(probabilities.argmax(axis=1) == rows))
    scores = {
        "accuracy": accuracy,
        "error": 1 - accuracy,
        "log_loss": float(log_loss(rows, clipped, labels=list(range(len(classes))))),
    }
    if len(classes) == 2:
        scores["auc"] = float(roc_auc_score(rows, probabilities[:, 1]))
    return scores


def of(
    task: str,
    truth: np.ndarray,
    targets: np.ndarray,
    predictions: np.ndarray | None,
    classes: Sequence[str],
) -> dict[str, float]:
    """Return the scores of predictions of the test rows, or, of none, the main score of having learned nothing.

    Args:
        task: regression, binary or multiclass.
        truth: the targets of the test rows, as texts.
        targets: those of all rows of the set.
        predictions: numbers, or probabilities with a column for each of `classes`; a class without one has none.
        classes: of the columns.
    """
    if predictions is None or not np.isfinite(predictions).all():
        return {MAIN[task]: trivial(task, truth)}
    if task == "regression":
        return of_numbers(truth.astype(float), predictions)
    known = sorted(set(targets))
    probabilities = np.zeros((len(truth), len(known)))
    probabilities[:, [known.index(label) for label in classes]] = predictions
    return of_classes(truth, probabilities, known)


def trivial(task: str, truth: Sequence[str]) -> float:
    """Return the main score of a method that learned nothing; a method that failed has it."""
    if task in TRIVIAL:
        return TRIVIAL[task]
    _, counts = np.unique(np.asarray(truth), return_counts=True)
    return float(counts.max() / counts.sum())
