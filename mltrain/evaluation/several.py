"""Metrics of several targets together.

What each target has by itself is measured by `formulas.py` as that of any target. A metric of all of them is the mean
over the targets (scikit-learn's `average="macro"` of areas, `multioutput="uniform_average"` of numbers), but for what
follows from decisions about labels: that follows from sums over the rows, and its interval from draws of these sums.

The draws weight the rows at random, as those of `draws.py` do, once for all labels: rows of the same labels, true and
predicted, are one cell whose weight is drawn from a gamma distribution. The one row of the prior is spread over the
cells in which all labels are alike, which is the prior of `draws.py` for each label.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mltrain.evaluation import formulas, influence
from mltrain.evaluation.draws import PRIOR_ROWS, drawn_weights
from mltrain.evaluation.margins import Margins, per_class
from mltrain.evaluation.metric import AveragedMetric, Metric
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.threads import one_thread
from mltrain.forecast_rows import ForecastRows
from mltrain.outputs import KINDS
from mltrain.task import Task

_AVERAGED = ("precision", "recall", "f1")
# What follows from decisions about labels.
FROM_SUMS = ("accuracy", "hamming_loss", *_AVERAGED)


@dataclass(frozen=True)
class SeveralRows:
    """The rows of a split with several targets."""

    task: Task
    outputs: tuple[Rows, ...]
    """Each target by itself."""

    @classmethod
    def of(
        cls,
        task: Task,
        target: np.ndarray,
        predictions: np.ndarray,
        names: Sequence[str],
        forecasts: ForecastRows | None = None,
    ) -> SeveralRows:
        """Take targets and predictions (n, targets); `names` are the labels, empty for numbers; `forecasts` as for
        `rows_of`.

        Raises:
            ValueError: no rows, or shapes that do not fit.
        """
        target, predictions = np.asarray(target), np.asarray(predictions)
        if target.ndim != 2 or not len(target) or target.shape != predictions.shape:
            raise ValueError(
                f"expected targets and predictions of one shape (rows, targets) for this {task} task, received "
                f"{target.shape} and {predictions.shape}"
            )
        classes: list[tuple[str, ...]] = [(f"not {name}", name) for name in names] or [()] * target.shape[1]
        columns = zip(target.T, predictions.T, classes, strict=True)
        known = [None if forecasts is None else forecasts.of_target(number) for number in range(target.shape[1])]
        each_kind = KINDS[task].each
        pairs = zip(columns, known, strict=True)
        return cls(task, tuple(Rows.of(each_kind, *each, forecasts=found) for each, found in pairs))

    @property
    def forecasts(self) -> ForecastRows | None:
        """What is known of the first target where they are forecasts: the times are those of all."""
        return self.outputs[0].forecasts

    @cached_property
    def target(self) -> np.ndarray:
        """(n, targets) int64 0 or 1, or float64."""
        return np.stack([rows.target for rows in self.outputs], axis=1)

    @cached_property
    def predictions(self) -> np.ndarray:
        """(n, targets) float64."""
        return np.stack([rows.predictions for rows in self.outputs], axis=1)

    @cached_property
    def predicted(self) -> np.ndarray:
        """The predicted labels (n, labels) bool."""
        return KINDS[self.task].decide(self.predictions) == 1

    @cached_property
    def sums(self) -> np.ndarray:
        """What `_of_cells` says, as the mean over the rows (1, sums)."""
        cells, counts, _ = _cells((self.target == 1, self.predicted))
        # No matrix product: its last bits depend on the number of threads.
        return (counts[:, None] * _of_cells(*cells)).sum(axis=0, keepdims=True) / counts.sum()


def rows_of(
    task: Task,
    target: np.ndarray,
    predictions: np.ndarray,
    classes: Sequence[str] = (),
    threshold: float = 0.5,
    forecasts: ForecastRows | None = None,
    weights: np.ndarray | None = None,
) -> Rows | SeveralRows:
    """Bring targets and predictions into the shapes of the formulas.

    Args:
        task: what is learned.
        target: (n,) or (n, 1), class indices, for regression floats in the unit of the target; of several targets
            (n, targets): 0 or 1, or floats.
        predictions: probabilities of the positive class (n,) or (n, 1) for binary, probabilities (n, classes) for
            multiclass, values (n,) or (n, 1) in the unit of the target for regression; of several targets (n, targets).
        classes: names in the order of the class indices, or the labels; empty for numbers.
        threshold: above which a probability means the positive class of two.
        forecasts: what is known of the rows where they are forecasts.
        weights: (n,) how much each row counts; None where all count the same. Only of one target.

    Raises:
        ValueError: no rows, or shapes that do not fit; weights of several targets.
    """
    if KINDS[task].several:
        if weights is not None:
            raise ValueError("several targets are not measured with weights")
        return SeveralRows.of(task, target, predictions, classes, forecasts)
    return Rows.of(task, target, predictions, classes, threshold, forecasts, weights)


def value_of(metric: Metric, rows: Rows | SeveralRows) -> float:
    """Return a metric.

    Raises:
        UndefinedError: it has no value, or not for each target.
        PluginError: a metric of a plugin fails.
    """
    if isinstance(rows, Rows):
        return formulas.value_of(metric, rows)
    if metric.type in FROM_SUMS:
        return float(from_sums(metric, rows.sums).item())
    return float(np.mean([formulas.value_of(metric, each) for each in rows.outputs]))


def derivatives_of(metric: Metric, rows: Rows | SeveralRows) -> np.ndarray | None:
    """Return the derivative of a metric by the weight of each row (n,), as `influence.py` says; None where none are
    known. Raises as `value_of`."""
    if isinstance(rows, Rows):
        return influence.derivatives_of(metric, rows)
    if metric.type in FROM_SUMS:
        return None
    found = [influence.derivatives_of(metric, each) for each in rows.outputs]
    known = [each for each in found if each is not None]
    return np.mean(known, axis=0) if known else None


def from_sums(metric: Metric, sums: np.ndarray) -> np.ndarray:
    """Return a metric of decisions about labels (...), from sums (..., sums) as shares of the rows."""
    if metric.type == "accuracy":
        return sums[..., 0]
    if metric.type == "hamming_loss":
        return sums[..., 1]
    if not isinstance(metric, AveragedMetric):
        raise UndefinedError(f"'{metric.type}' is not a metric for labels")
    if metric.average == "samples":
        return sums[..., 2 + _AVERAGED.index(metric.type)]
    margins = Margins(*np.split(sums[..., 2 + len(_AVERAGED) :], 3, axis=-1))
    if metric.average == "micro":
        together = Margins(*(each.sum(axis=-1) for each in (margins.correct, margins.of_class, margins.as_class)))
        return per_class(metric.type, together)
    values = per_class(metric.type, margins)
    if metric.average == "weighted":
        weights, whole = margins.of_class, margins.of_class.sum(axis=-1)
        return np.divide((values * weights).sum(axis=-1), whole, out=np.zeros(whole.shape), where=whole != 0)
    return values.mean(axis=-1)


def draw_sums(
    target: np.ndarray,
    predicted: tuple[np.ndarray, ...],
    *,
    seed: int,
    draws: int = 1000,
    groups: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Return drawn sums for each prediction, (draws, sums) each.

    Args:
        target: true labels (n, labels) bool.
        predicted: predicted labels (n, labels) bool: of one model, or of several, whose draws then share their weights.
        seed: of the draws.
        draws: how many.
        groups: (n,) whole numbers from 0: rows of one group get one weight; None where every row is for itself.
    """
    alike = np.array(list(itertools.product((False, True), repeat=1 + len(predicted))))
    seen, counts, cell = _cells((target, *predicted))
    labels = target.shape[1]
    cells = [
        np.concatenate([of_seen, np.repeat(of_prior[:, None], labels, axis=1)])
        for of_seen, of_prior in zip(seen, alike.T, strict=True)
    ]
    prior = np.concatenate([np.zeros(len(counts)), np.full(len(alike), PRIOR_ROWS / len(alike))])
    features = [_of_cells(cells[0], each) for each in cells[1:]]
    drawn: list[list[np.ndarray]] = [[] for _ in features]
    for weights in drawn_weights(prior, cell, groups, seed=seed, draws=draws):
        with one_thread():
            for parts, each in zip(drawn, features, strict=True):
                parts.append(weights @ each)
    return [np.concatenate(parts) for parts in drawn]


def _cells(columns: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Return the different rows of labels (n, labels) beside each other: the labels of each (cells, labels), how many
    rows are such, and the cell of each row."""
    bits = np.packbits(np.concatenate(columns, axis=1), axis=1)
    words = np.zeros((len(bits), -(-bits.shape[1] // 8) * 8), np.uint8)
    words[:, : bits.shape[1]] = bits
    numbers = words.view(np.uint64)  # sorted many times as fast as bytes
    found = np.unique(
        numbers[:, 0] if numbers.shape[1] == 1 else numbers,
        axis=0,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    _, first, cell, counts = found
    return [column[first] for column in columns], counts, cell.reshape(-1)


def _of_cells(target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return what each cell adds, (cells, sums): whether all labels are right, the share of wrong ones, precision,
    recall and F1 of the labels of the row, and of each label whether it is right, true and predicted."""
    right = target & predicted
    of_row = Margins(*(each.sum(axis=1) for each in (right, target, predicted)))
    wrong = target != predicted
    sums = [~wrong.any(axis=1), wrong.mean(axis=1), *(per_class(kind, of_row) for kind in _AVERAGED)]
    return np.concatenate([np.stack(sums, axis=1), right, target, predicted], axis=1).astype(np.float64)
