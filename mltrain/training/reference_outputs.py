"""Outputs of a model that mean something without any training: what it would say if it always said the same, and what
it would say if it knew the targets. A loss is large or small beside theirs. No TensorFlow here.

The targets are those of the loss, as `shape_targets` returns them. The outputs `(rows, outputs)` are those of the
model: probabilities, logits, or numbers in the units in which it is trained.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mltrain.outputs import KINDS
from mltrain.outputs.kind import TargetForm
from mltrain.task import DataInfo, Output

# A probability of 0 has no logarithm.
_SMALLEST = 1e-7
# With smoothed labels, or a loss that punishes confidence, the best probability is less than 1.
_DOUBTS = (_SMALLEST, 1e-3, 0.01, 0.03, 0.1, 0.2)


def constant_outputs(
    y: np.ndarray, info: DataInfo, form: TargetForm, *, logits: bool, weights: np.ndarray | None
) -> np.ndarray:
    """Return `(rows, outputs)` of a model that always answers the shares of the classes, or the mean.

    Args:
        y: targets as the loss wants them.
        info: what is known of the data.
        form: of the targets.
        logits: whether the model ends in scores before the activation.
        weights: (rows,), how much each row counts in the loss; None where all count the same.
    """
    if form == "beside each other":
        parts = [_average(*_known(y, number, part, len(info.output.parts)), part) for number, part in _parts(info)]
        return np.tile(np.concatenate(parts), (len(y), 1)).astype(np.float32)
    average = _average(_one_row_each(y, info.output, form), weights, info.output)
    return np.tile(_scores(average[None], info.output, logits), (len(y), 1)).astype(np.float32)


def knowing_outputs(y: np.ndarray, info: DataInfo, form: TargetForm, *, logits: bool) -> Iterator[np.ndarray]:
    """Yield `(rows, outputs)` of models that know the targets, more or less sure of themselves: the smallest of their
    losses is about the smallest that there can be."""
    for doubt in _DOUBTS:
        if form == "beside each other":
            parts = []
            for number, part in _parts(info):
                parts.append(_doubted(_encoded(np.nan_to_num(y[:, number]), part), part, doubt))
            yield np.concatenate(parts, axis=1).astype(np.float32)
            continue
        sure = _doubted(_one_row_each(y, info.output, form), info.output, doubt)
        yield _scores(sure, info.output, logits).astype(np.float32)


def _one_row_each(y: np.ndarray, output: Output, form: TargetForm) -> np.ndarray:
    """Return targets `(rows, outputs)` float64: classes one-hot."""
    if form == "class numbers":
        return np.eye(output.units)[y.reshape(-1)]
    return y.reshape(len(y), -1).astype(np.float64)


def _parts(info: DataInfo) -> Iterator[tuple[int, Output]]:
    return iter(enumerate(info.output.parts))


def _known(y: np.ndarray, number: int, part: Output, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the targets of a part and their weights, for the rows that have it; one of weight 0 where none has."""
    weights = y[:, parts + number]
    known = weights > 0
    if not known.any():
        return np.zeros((1, part.units)), np.ones(1)
    return _encoded(y[known, number], part), weights[known]


def _encoded(values: np.ndarray, part: Output) -> np.ndarray:
    if part.task == "multiclass":
        return np.eye(part.units)[values.astype(np.int64)]
    return values.reshape(-1, 1).astype(np.float64)


def _average(values: np.ndarray, weights: np.ndarray | None, output: Output) -> np.ndarray:
    if weights is not None and not weights.sum() > 0:
        weights = None
    average = np.average(values, axis=0, weights=weights)
    if _of_probabilities(output):
        return np.clip(average, _SMALLEST, 1 - _SMALLEST)
    return np.maximum(average, _SMALLEST) if _is_exponential(output) else average


def _doubted(values: np.ndarray, output: Output, doubt: float) -> np.ndarray:
    if _of_probabilities(output):
        return (1 - doubt) * values + doubt / max(output.units if output.task == "multiclass" else 2, 2)
    return np.maximum(values, _SMALLEST) if _is_exponential(output) else values


def _of_probabilities(output: Output) -> bool:
    return not KINDS[output.task].of_numbers


def _scores(values: np.ndarray, output: Output, logits: bool) -> np.ndarray:
    """Return what goes into the activation, where the model ends there."""
    if not logits:
        return values
    return np.log(values) if output.task == "multiclass" else np.log(values / (1 - values))


def _is_exponential(output: Output) -> bool:
    return KINDS[output.task].activation == "exponential"
