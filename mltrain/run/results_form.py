"""The form of metrics.json as far as the report shows it: what a run does not have is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ValidationError, model_validator

from mltrain.outputs import KINDS
from mltrain.run.metrics_form import Part, RecordedMetrics, RecordedOutput, RecordedSplit, RecordedValue
from mltrain.run.reading import wrong_form
from mltrain.spec import Many
from mltrain.task import Task


class ClassResult(Part):
    """How one class fares."""

    n: int
    """Its rows."""
    precision: RecordedValue | None = None
    """The share of the rows predicted as this class that are of this class."""
    recall: RecordedValue | None = None
    """The share of its rows that was predicted as this class."""
    f1: RecordedValue | None = None
    """The harmonic mean of both."""


class BaselineVerdict(Part):
    """Whether the model beats a baseline."""

    metric: str = ""
    """The metric that was compared."""
    outcome: str = ""
    """`better`, `worse`, `equal` or `unclear`: of the model."""
    words: str = ""
    """The baseline in words."""


class BaselineFit(Part):
    """How a baseline was made."""

    rows: int | None = None
    """The number of training rows it was fitted on."""
    of: int | None = None
    """The number of all training rows."""
    converged: bool = True
    """Whether the fit converged."""
    left_out: str | None = None
    """Why it was not measured; None where it was."""


class Baseline(Part):
    """What something much simpler reaches on the same rows."""

    metrics: Mapping[str, RecordedValue] = {}
    """By name."""
    difference: Mapping[str, RecordedValue] = {}
    """The differences between the model and it, by name."""
    verdict: BaselineVerdict = BaselineVerdict()
    """Whether the model beats it; empty in runs of earlier versions."""


class Bin(Part):
    """The predictions whose probability lies between two numbers."""

    n: int
    """How many."""
    mean: float | None
    """The reliability of the probabilities."""
    share: float | None
    """How often it was so."""


class Calibration(Part):
    """How far the probabilities can be believed."""

    ece: RecordedValue | None = None
    """The expected calibration error."""
    bins: Many[Bin] = ()
    """The reliability curve."""


class OutputResult(RecordedOutput):
    """How one of several targets fares."""

    confusion_matrix: Many[Many[int]] = ()
    """The confusion matrix of a label: row = true, column = predicted."""
    calibration: Calibration | None = None
    """The probabilities of a label."""


class SplitResult(RecordedSplit):
    """The results on a split."""

    confusion_matrix: Many[Many[int]] = ()
    """Row = true class, column = predicted class."""
    classes: Mapping[str, ClassResult] = {}
    """By name of the class."""
    baselines: Mapping[str, Baseline] = {}
    """By name."""
    calibration: Calibration | None = None
    """The confusion matrix of a classification."""
    outputs: Mapping[str, OutputResult] = {}
    """By name of the target, where there are several."""


class Threshold(Part):
    """From which probability on a row is taken for the positive class."""

    value: float
    """The probability."""
    aim: str = ""
    """What it was chosen for."""
    split: str = "validation"
    """On whose rows."""


class Results(RecordedMetrics):
    """The whole file."""

    task: Task
    """What is learned."""
    classes: Many[str] = ()
    """Names, in the order of the confusion matrix."""
    splits: Mapping[str, SplitResult]
    """By name."""
    baselines: Mapping[str, BaselineFit] = {}
    """How each baseline was made, or why it was not measured, by name."""
    threshold: Threshold | None = None
    """The decision of a binary classification."""
    temperature: float | None = None
    """By which the logits are divided."""

    @model_validator(mode="after")
    def _each_target(self) -> Self:
        targets = [tuple(split.outputs) for split in self.splits.values()] if KINDS[self.task].several else []
        expected = self.classes if self.task == "multilabel" else max(targets, key=len, default=())
        for name, found in zip(self.splits, targets, strict=False):
            if len(found) < 2 or found != expected:
                raise ValueError(f"splits.{name}.outputs does not have the results of each target")
        return self

    @model_validator(mode="after")
    def _square(self) -> Self:
        expected = [len(self.classes)] * len(self.classes)
        for name, split in self.splits.items():
            if split.confusion_matrix and [len(row) for row in split.confusion_matrix] != expected:
                raise ValueError(f"splits.{name}.confusion_matrix is not {len(expected)} by {len(expected)}")
            for label, output in split.outputs.items():
                if output.confusion_matrix and [len(row) for row in output.confusion_matrix] != [2, 2]:
                    raise ValueError(f"splits.{name}.outputs.{label}.confusion_matrix is not 2 by 2")
        return self


def results(values: Mapping[str, Any], place: object) -> Results:
    """Return the content of metrics.json.

    Args:
        values: what stands there.
        place: where it is from, for the message.

    Raises:
        RunError: says what is wrong with it.
    """
    try:
        return Results.model_validate(values)
    except ValidationError as error:
        raise wrong_form(place, error) from None
