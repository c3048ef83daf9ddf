"""What is measured on the rows of a split: the parts of metrics.json that each split has.

A number that is NaN or infinite is written as null; in a file that is read, neither can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, model_validator

from mltrain.outputs import KINDS
from mltrain.spec import Many, Spec
from mltrain.task import Output, Task, split_target

_AREAS = ("roc_auc", "pr_auc")


class Part(Spec):
    """A part of the results. Its fields are in the order of the file."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=True)

    def as_json(self) -> dict[str, Any]:
        """Return what is written: the keys that were given, without those that have a default only."""
        given = {name: _plain(value) for name, value in self.__dict__.items() if name in self.model_fields_set}
        return given | {name: _plain(value) for name, value in (self.__pydantic_extra__ or {}).items()}


class MetricValue(Part):
    """A metric on some rows, or the difference between two."""

    value: float | None
    """The value; null if it could not be computed."""
    low: float | None = None
    """The lower end of its 95 % interval; null if it has no interval."""
    high: float | None = None
    """The upper end."""
    undefined: str | None = None
    """Why it has no value."""


class CalibrationError(MetricValue):
    """The expected calibration error."""

    perfect: float | None = None
    """What it would be on average if the probabilities were right."""


class Bin(Part):
    """The predictions whose probability lies between two numbers."""

    low: float | None = None
    """The lowest probability."""
    high: float | None = None
    """The highest."""
    n: int
    """How many."""
    mean: float | None
    """The reliability of the probabilities."""
    share: float | None
    """How often it was so."""


class Calibration(Part):
    """How far the probabilities can be believed."""

    ece: CalibrationError | None = None
    """The expected calibration error."""
    bins: Many[Bin] = ()
    """The reliability curve."""


class ClassResult(Part):
    """How one class fares; with three classes or more, also the areas of it against the rest."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, MetricValue]

    n: int
    """Its rows."""
    precision: MetricValue | None = None
    """The share of the rows predicted as this class that are of this class."""
    recall: MetricValue | None = None
    """The share of its rows that was predicted as this class."""
    f1: MetricValue | None = None
    """The harmonic mean of both."""

    @model_validator(mode="before")
    @classmethod
    def _with_areas_only(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: each for name, each in values.items() if name in cls.model_fields or name in _AREAS}

    @property
    def metrics(self) -> Mapping[str, MetricValue]:
        """What is measured of the class, by name."""
        own = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {**{name: each for name, each in own.items() if each is not None}, **self.__pydantic_extra__}


class BaselineVerdict(Part):
    """Whether the model beats a baseline."""

    metric: str = ""
    """The metric that was compared."""
    outcome: str = ""
    """`better`, `worse`, `equal` or `unclear`: of the model."""
    words: str = ""
    """The baseline in words."""


class Baseline(Part):
    """What something much simpler reaches on the same rows."""

    metrics: Mapping[str, MetricValue] = {}
    """By name."""
    difference: Mapping[str, MetricValue] = {}
    """The differences between the model and it, by name."""
    verdict: BaselineVerdict = BaselineVerdict()
    """Whether the model beats it; empty in runs of earlier versions."""


class SliceResult(Part):
    """The results on some rows of a split."""

    slice: str
    """Which rows."""
    n: int
    """How many."""
    metrics: Mapping[str, MetricValue]
    """By name."""
    few_rows: bool = False
    """Whether there are too few rows for a conclusion."""


class Groups(Part):
    """Rows that belong together, and are drawn together for every interval."""

    columns: Many[str]
    """The columns: rows with equal values in all of them belong together."""
    n: int | None
    """The number of groups; null if the rows have no groups and count as independent."""


class Weights(Part):
    """Rows that count differently in the metrics."""

    column: str
    """The column of the weights."""
    effective_rows: float
    """How many rows of one weight say as much."""


class OutputResult(Part):
    """How one of several targets fares."""

    task: Task | None = None
    """What is learned of it, where the targets are of different kinds; the next fields but the metrics are then its
    own, too."""
    n: int | None = None
    """The rows that have it."""
    threshold: float | None = None
    """For binary, the probability above which the positive class is predicted."""
    names: Many[str] = ()
    """The names of its classes, in the order of the confusion matrix."""
    metrics: Mapping[str, MetricValue]
    """By name."""
    confusion_matrix: Many[Many[int]] = ()
    """The confusion matrix of a label, or of classes: row = true, column = predicted."""
    classes: Mapping[str, ClassResult] = {}
    """By name of the class."""
    calibration: Calibration | None = None
    """The probabilities of a label, or of classes."""
    slices: Many[SliceResult] = ()
    """The results on the slices of the split."""
    baselines: Mapping[str, Baseline] = {}
    """By name."""


class SplitResult(Part):
    """The results on a split."""

    n: int
    """Its rows."""
    metrics: Mapping[str, MetricValue]
    """By name."""
    groups: Groups | None = None
    """The groups that its intervals are based on; None if the rows are independent."""
    weights: Weights | None = None
    """The weights of its rows in the metrics; None if all count the same."""
    missing_values: Mapping[str, int] = {}
    """How many values are missing, by column."""
    unknown_categories: Mapping[str, int] = {}
    """How many values no training row has, by column."""
    outputs: Mapping[str, OutputResult] = {}
    """By name of the target, where there are several."""
    confusion_matrix: Many[Many[int]] = ()
    """Row = true class, column = predicted class."""
    classes: Mapping[str, ClassResult] = {}
    """By name of the class."""
    calibration: Calibration | None = None
    """The probabilities of a classification."""
    slices: Many[SliceResult] = ()
    """The results on its slices."""
    baselines: Mapping[str, Baseline] = {}
    """By name."""

    def rows_of(self, metric: str) -> int:
        """Return of how many rows a metric is: of one of several targets, those that have it."""
        _, target = split_target(metric)
        found = self.outputs.get(target) if target is not None else None
        return self.n if found is None or found.n is None else found.n

    @property
    def output(self) -> Output:
        """What is learned, where its targets are of different kinds."""
        parts = [
            Output(name, each.task, KINDS[each.task].width(len(each.names)), each.names)
            for name, each in self.outputs.items()
            if each.task is not None
        ]
        units = sum(part.units for part in parts)
        return Output(", ".join(self.outputs), "mixed", units, columns=tuple(self.outputs), parts=tuple(parts))

    def of_output(self, name: str) -> SplitResult:
        """Return the results of one of several targets of different kinds, as if it were the only one."""
        each = self.outputs[name]
        shared = ("metrics", "confusion_matrix", "classes", "calibration", "slices", "baselines")
        given = {key: getattr(each, key) for key in shared if key in each.model_fields_set}
        return SplitResult(n=each.n or 0, **given)

    @property
    def of_kinds(self) -> bool:
        """Whether its targets are of different kinds."""
        return any(each.task is not None for each in self.outputs.values())


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.as_json()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
