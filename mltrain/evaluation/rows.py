"""The rows of a split as the formulas need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mltrain.evaluation.counts import confusion_matrix
from mltrain.evaluation.ranking import Ranking
from mltrain.forecast_rows import ForecastRows
from mltrain.outputs import KINDS
from mltrain.task import Task


class UndefinedError(Exception):
    """A metric has no value for these rows; the message says why."""


@dataclass(frozen=True)
class Rows:
    """The rows of a split, in the shapes that the formulas work on."""

    task: Task
    target: np.ndarray
    """(n,) int64 class indices, for regression float64."""
    predictions: np.ndarray
    """(n,) float64, for multiclass (n, classes)."""
    classes: tuple[str, ...]
    resolution: float
    """Distance from 1 to the next float of the dtype that the predictions came in."""
    threshold: float = 0.5
    """Above which a probability means the positive class; for binary only."""
    forecasts: ForecastRows | None = None
    """What is known of them where they are forecasts."""
    weights: np.ndarray | None = None
    """(n,) float64 of 0 or more, how much each row counts; None where all count the same."""

    @classmethod
    def of(
        cls,
        task: Task,
        target: np.ndarray,
        predictions: np.ndarray,
        classes: Sequence[str],
        threshold: float = 0.5,
        forecasts: ForecastRows | None = None,
        weights: np.ndarray | None = None,
    ) -> Rows:
        """Bring arrays as `rows_of` takes them into these shapes; the errors are those of `rows_of`."""
        kind = KINDS[task]
        width = kind.width(len(classes))
        target = np.asarray(target).reshape(-1)
        predictions = np.asarray(predictions)
        if not len(target) or predictions.size != len(target) * width or len(predictions) != len(target):
            raise ValueError(
                f"expected predictions of shape ({len(target)}, {width}) with at least one row for the {len(target)} "
                f"targets of this {task} task, received {predictions.shape}"
            )
        precise = predictions.dtype if predictions.dtype.kind == "f" else np.dtype(np.float64)
        return cls(
            task,
            target.astype(np.float64 if kind.of_numbers else np.int64),
            predictions.astype(np.float64).reshape((-1, width) if width > 1 else -1),
            tuple(classes),
            float(np.finfo(precise).eps),
            threshold,
            forecasts,
            None if weights is None else np.asarray(weights, np.float64),
        )

    @cached_property
    def predicted(self) -> np.ndarray:
        """The predicted class of each row (n,)."""
        return KINDS[self.task].decide(self.predictions, self.threshold)

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts (classes, classes): row = true class, column = predicted class."""
        return confusion_matrix(self.target, self.predicted, len(self.classes))

    @cached_property
    def table(self) -> np.ndarray:
        """The same with the weights of the rows, where they have some."""
        if self.weights is None:
            return self.confusion
        return confusion_matrix(self.target, self.predicted, len(self.classes), self.weights)

    def mean(self, values: np.ndarray) -> float:
        """Return the mean of what each row has (n,), weighted where the rows are."""
        return values.mean() if self.weights is None else np.average(values, weights=self.weights)

    def against_rest(self, number: int) -> Rows:
        """Return the rows of several classes as those of two: the class of a number, and the rest."""
        return Rows(
            "binary",
            (self.target == number).astype(np.int64),
            self.predictions[:, number].copy(),
            ("the rest", self.classes[number]),
            self.resolution,
            weights=self.weights,
        )

    def rankings(self) -> Iterator[Ranking]:
        """Yield the rows ranked by the score of the positive class, for multiclass of every class."""
        if self.task == "binary":
            yield self._ranking
        else:
            # Made anew each time: those of 1,000 classes take more memory than time.
            for number, name in enumerate(self.classes):
                yield Ranking.of(name, self.target == number, self.predictions[:, number], self.weights)

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking.of(self.classes[1], self.target == 1, self.predictions, self.weights)

    @cached_property
    def errors(self) -> np.ndarray:
        """Prediction minus target of each row (n,)."""
        return self.predictions - self.target
