"""What a kind of output answers: all that follows from the task. No TensorFlow; NumPy for types, and inside methods.

A kind is one file: a subclass of `OutputKind`, whose one object is listed in `KINDS` of `__init__.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from mltrain.task import Task

if TYPE_CHECKING:
    import numpy as np

# What the loss gets to compare with: 0 or 1 is `(rows, 1)`, classes are `(rows, classes)` or `(rows,)`, labels, numbers
# and counts `(rows, targets)`. Targets of different kinds are beside each other, each with the weight of each row:
# `(rows, 2 * targets)`.
TargetForm = Literal["zero or one", "one-hot", "class numbers", "numbers", "counts", "labels", "beside each other"]

_EVERY_LOSS = ("Huber", "LogCosh", "MeanAbsoluteError", "MeanSquaredError", "MeanSquaredLogarithmicError")


@dataclass(frozen=True)
class PredictionColumns:
    """Predictions as columns.

    Attributes:
        decided: the class numbers of each target (rows,); none for numbers.
        values: the probability of each class or label, or the numbers of each target, (rows,) each.
    """

    decided: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]


class OutputKind:
    """What is learned, and so what predictions mean. The attributes are those of the kind, not of one experiment."""

    name: ClassVar[Task]
    """The task, as in the YAML."""
    activation: ClassVar[str]
    """Activation of the head."""
    loss: ClassVar[str]
    """Keras loss where none is stated."""
    losses: ClassVar[tuple[str, ...]] = _EVERY_LOSS
    """Keras losses that mean something for targets and predictions of this kind."""
    training_metric: ClassVar[str]
    """Keras metric that the loop averages where none is stated."""
    metrics: ClassVar[tuple[str | Mapping[str, str], ...]]
    """Exact metrics where none are stated, as in the YAML."""
    loss_metric: ClassVar[str]
    """Exact metric that is nearest to the usual loss; it has an influence of each row."""
    headline: ClassVar[str] = ""
    """Exact metric to show first where the objective is not exact; empty for the first of all."""
    constant: ClassVar[str]
    """Name of the baseline that answers the same for every row."""
    linear: ClassVar[str]
    """Name of the baseline that is linear in the inputs."""
    of_classes: ClassVar[bool] = False
    """Whether the target is one column of classes."""
    of_numbers: ClassVar[bool] = False
    """Whether predictions are numbers in the units of the target."""
    several_of: ClassVar[Task | None] = None
    """What each of several targets is by itself; None where there is one target, or where they are of different
    kinds."""
    mixed: ClassVar[bool] = False
    """Whether each of several targets has a kind of its own."""
    recognised: ClassVar[bool] = True
    """Whether `task: auto` may choose it from the values of the target."""
    scaled: ClassVar[bool] = False
    """Whether the target may be scaled for training."""
    forms: ClassVar[tuple[TargetForm, ...]]
    """Forms in which a loss may want the targets."""

    @property
    def several(self) -> bool:
        """Whether there are several targets."""
        return self.several_of is not None or self.mixed

    @property
    def each(self) -> Task:
        """What each target is by itself."""
        return self.several_of or self.name

    @property
    def baselines(self) -> tuple[str, str, str]:
        """Names of the baselines that every run has, where they can be fitted."""
        return self.constant, self.linear, "boosting"

    def target_form(self, loss: str) -> TargetForm:
        """Return the form in which the Keras loss of that name wants the targets."""
        return self.forms[0]

    def width(self, classes: int) -> int:
        """Return the number of predictions for each row of one target that has so many classes (0 for numbers)."""
        return 1

    def shaped(self, outputs: np.ndarray) -> np.ndarray:
        """Return predictions in their usual shape from the outputs of a model (rows, outputs)."""
        return outputs[:, 0]

    def decide(self, predictions: np.ndarray, threshold: float = 0.5) -> np.ndarray:
        """Return the predicted class numbers int64 (rows,), of labels (rows, labels), from probabilities.

        Raises:
            TypeError: predictions of this kind are numbers.
        """
        raise TypeError(f"predictions of a {self.name} task are numbers: there is nothing to decide")

    def columns(self, predictions: np.ndarray, threshold: float) -> PredictionColumns:
        """Return the predictions as columns."""
        raise NotImplementedError

    def score_unit(self, target: str, classes: Sequence[str]) -> str:
        """Return what goes into the activation of the head, in words; of one target, by its name and its classes."""
        raise NotImplementedError


class NumberKind(OutputKind):
    """One number for each row."""

    training_metric = "MeanAbsoluteError"
    of_numbers = True
    forms: ClassVar[tuple[TargetForm, ...]] = ("numbers",)
    constant, linear = "mean", "ridge"
    explained: ClassVar[str] = "R²"
    """Name of the share of `row_losses` that a model explains."""

    def refused(self, values: np.ndarray) -> tuple[np.ndarray, str] | None:
        """Return which finite numbers (rows,) cannot be targets, bool (rows,), and what is expected instead; None where
        each number can be one."""
        return None

    def row_losses(self, truth: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return the loss of each row (rows,) whose sum is smallest, of constant predictions, for the mean."""
        return (predictions - truth) ** 2

    def columns(self, predictions: np.ndarray, threshold: float) -> PredictionColumns:
        """Return one column of numbers."""
        return PredictionColumns((), (predictions,))

    def score_unit(self, target: str, classes: Sequence[str]) -> str:
        """Return the units of the target."""
        return f"units of '{target}'"
