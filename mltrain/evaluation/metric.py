"""What a metric is: its name, whether larger is better, the tasks that it is for. catalogue.py says which there are."""

from __future__ import annotations

from typing import ClassVar, Literal

from mltrain.errors import PluginError
from mltrain.metric_function import MetricFunction
from mltrain.outputs import KINDS
from mltrain.plugins import Origin
from mltrain.spec import Spec
from mltrain.task import Task

Direction = Literal["min", "max"]
Average = Literal["auto", "macro", "micro", "weighted", "samples"]

CLASSIFICATION: tuple[Task, ...] = tuple(kind.name for kind in KINDS.values() if kind.of_classes)
REGRESSION: tuple[Task, ...] = tuple(kind.name for kind in KINDS.values() if kind.of_numbers)
LABELS: tuple[Task, ...] = (*CLASSIFICATION, "multilabel")

_OF_DECISIONS = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "cohen_kappa", "hamming_loss")


class Metric(Spec):
    """One number that is computed from the targets and the predictions of a split."""

    direction: ClassVar[Direction]
    tasks: ClassVar[tuple[Task, ...]]
    aliases: ClassVar[tuple[str, ...]] = ()

    type: str
    """Name of the metric; other common spellings, such as `mean_squared_error` for `mse`, mean the same."""

    @property
    def name(self) -> str:
        """The name in results, as in `test.f1_weighted`: the type, and what differs from its default."""
        return self.type

    @property
    def fitting(self) -> tuple[Task, ...]:
        """The tasks that it is for, with its arguments."""
        return self.tasks

    @property
    def perfect(self) -> float | None:
        """The value of perfect predictions, which none is better than; None where there is no such bound."""
        return 1.0 if self.direction == "max" else 0.0


class AveragedMetric(Metric):
    """A metric that is computed for each class or label and then averaged; 0 for a class where it would be 0 / 0."""

    direction, tasks = "max", LABELS

    average: Average = "auto"
    """auto: the positive class for binary, else macro. macro: the plain mean over the classes that occur, or over all
    labels. weighted: the mean, weighted by the rows of each. micro: computed from all rows together; for classes it
    equals the accuracy. samples: computed from the labels of each row, then averaged over the rows; for multilabel
    only."""

    @property
    def fitting(self) -> tuple[Task, ...]:
        """Of single rows there are several labels only in multilabel."""
        return ("multilabel",) if self.average == "samples" else self.tasks

    @property
    def name(self) -> str:
        """The type, followed by the average unless it is the default: `f1`, `f1_weighted`."""
        return self.type if self.average == "auto" else f"{self.type}_{self.average}"


class OwnMetric(Metric):
    """A metric of a plugin; own_metrics.py makes a class of each."""

    function: ClassVar[MetricFunction | None] = None
    origin: ClassVar[Origin]

    @property
    def perfect(self) -> float | None:
        """What its author says."""
        return self.function.best if self.function is not None else None

    def given(self) -> MetricFunction:
        """Return its function.

        Raises:
            PluginError: only a run names it, and its plugin was not given.
        """
        if self.function is None:
            raise PluginError(f"metric {self.type} is one of {self.origin.words}: {self.origin.advice}")
        return self.function


def of_decisions(metric: Metric) -> bool:
    """Return whether a metric is measured from predicted classes alone, and not from probabilities."""
    function = metric.function if isinstance(metric, OwnMetric) else None
    return function.takes == "classes" if function else metric.type in _OF_DECISIONS
