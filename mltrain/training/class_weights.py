"""How much each class counts in the training loss. No TensorFlow here."""

from __future__ import annotations

import numpy as np

from mltrain.errors import MisfitError
from mltrain.outputs import KINDS
from mltrain.task import DataInfo, Decision
from mltrain.training.spec import TrainingSpec


def class_weights(training: TrainingSpec, y: np.ndarray, info: DataInfo) -> np.ndarray | None:
    """Return the weight of each class, `(classes,)` float32, or None where nothing is weighted.

    `balanced` is rows / (classes × rows of the class), as in scikit-learn and King & Zeng, "Logistic Regression in
    Rare Events Data" (2001).

    Args:
        training: its `class_weight`.
        y: class number of each training row.
        info: the task and the names of the classes.

    Raises:
        MisfitError: a class is not known, or the task has no classes.
    """
    if training.class_weight is None:
        return None
    kind = KINDS[info.task]
    if kind.of_numbers and not kind.several:
        raise MisfitError(("training", "class_weight"), f"a {info.task} task has no classes")
    if kind.mixed:
        raise MisfitError(("training", "class_weight"), "state it for each target, in training.outputs")
    if kind.several:
        message = f"class weights are for one column of classes, the task is {info.task}: remove them"
        raise MisfitError(("training", "class_weight"), message)
    if training.class_weight == "balanced":
        counts = np.bincount(labels(y), minlength=len(info.output.classes))
        return (len(y) / (len(info.output.classes) * np.maximum(counts, 1))).astype(np.float32)
    unknown = [name for name in training.class_weight if name not in info.output.classes]
    if unknown:
        message = f"no such class (the classes are: {', '.join(info.output.classes)})"
        raise MisfitError(("training", "class_weight", unknown[0]), message)
    return np.array([training.class_weight.get(name, 1.0) for name in info.output.classes], np.float32)


def row_weights(
    training: TrainingSpec, y: np.ndarray, info: DataInfo, own: np.ndarray | None = None
) -> np.ndarray | None:
    """Return the weight of each training row, `(rows,)` float32: that of its class, times its `own` where it has one.
    None where nothing is weighted; raises as `class_weights`."""
    weights = class_weights(training, y, info)
    if weights is None:
        return own
    return weights[labels(y)] if own is None else weights[labels(y)] * own


def class_weight_decision(training: TrainingSpec, y: np.ndarray, info: DataInfo) -> tuple[Decision, ...]:
    """Return what `balanced` came to, to be said and recorded; nothing where weights are stated or there are none."""
    weights = class_weights(training, y, info)
    if weights is None or training.class_weight != "balanced":
        return ()
    shown = ", ".join(f"{name} {weight:.4g}" for name, weight in zip(info.output.classes, weights, strict=True))
    return (Decision("training.class_weight", shown, "balanced: rows / (classes × rows of the class)"),)


def labels(y: np.ndarray) -> np.ndarray:
    """Return class numbers `(rows,)` int64 from targets of any shape."""
    return y.reshape(-1).astype(np.int64)
