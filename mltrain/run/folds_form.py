"""The form of folds.json: what the runs of a cross-validation say together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mltrain.run.layout import FOLDS
from mltrain.run.reading import read_spec
from mltrain.run.results import Judgement
from mltrain.run.split_result import MetricValue, Part
from mltrain.spec import Many
from mltrain.task import Task


class FoldMean(Part):
    """A number over all folds; all fields are None if a fold does not have it."""

    mean: float | None
    """The mean of the folds, each with the same weight."""
    std: float | None
    """The standard deviation of the folds (n - 1)."""
    low: float | None
    """The lower end of the 95 % interval of the mean."""
    high: float | None
    """The upper end."""
    min: float | None
    """The smallest."""
    undefined: str | None = None
    """Why there is no mean: the fold without a value, and the reason."""


class FoldDifference(FoldMean):
    """The model minus a baseline, paired by fold."""

    verdict: Literal["better", "worse", "equal", "not resolved"] | None
    """How the model compares, by the interval; None if a fold has no value."""


class FoldBaseline(Part):
    """The results of a much simpler model in the same folds."""

    metrics: Mapping[str, FoldMean]
    """By name."""
    difference: Mapping[str, FoldDifference]
    """The differences between the model and it, by name."""


class FoldRun(Part):
    """One run."""

    fold: int
    """The number of the fold that is its test set, from 1."""
    run: Annotated[str, Field(pattern=r"^fold-[1-9][0-9]*$")]
    """The name of its directory."""
    rows: Mapping[str, int]
    """The number of rows in each split."""
    metrics: Mapping[str, MetricValue]
    """The metrics of its test rows, by name."""


class Pooled(Part):
    """Metrics of all rows at once, each predicted by the run that has it in its test."""

    n: int
    """The rows."""
    metrics: Mapping[str, MetricValue]
    """By name."""
    confusion_matrix: Many[Many[int]] = ()
    """Row = true class, column = predicted class."""
    left_out: Mapping[str, str] = {}
    """Metrics that cannot be computed over rows of several models, by name, with the reason."""


class CrossValidation(Part):
    """The whole file."""

    format: Literal[1] = 1
    """The version of this file."""
    task: Task
    """What is learned."""
    classes: Many[str] = ()
    """Names, in the order of the confusion matrix."""
    metric: str
    """The metric of the sentence: the one that is nearest to the objective."""
    folds: Annotated[Many[FoldRun], Field(min_length=2)]
    """The runs, by fold."""
    metrics: Mapping[str, FoldMean]
    """The metrics of the test rows, by name."""
    baselines: Mapping[str, FoldBaseline] = {}
    """The baselines that every fold has, by name."""
    baselines_left_out: Mapping[str, str] = {}
    """The other baselines, by name, with the fold that lacks them."""
    pooled: Pooled
    """The metrics of all test rows together."""
    sentence: str
    """Whether the model beats its best baseline."""
    gates: Many[Judgement] = ()
    """The results of evaluation.gates: of each fold, then of all folds together."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if [each.fold for each in self.folds] != list(range(1, len(self.folds) + 1)):
            raise ValueError("the folds are not numbered from 1")
        if self.metric not in self.metrics:
            raise ValueError(f"{self.metric!r} is not among the metrics")
        expected = [len(self.classes)] * len(self.classes)
        matrix = self.pooled.confusion_matrix
        if matrix and [len(row) for row in matrix] != expected:
            raise ValueError(f"pooled.confusion_matrix is not {len(expected)} by {len(expected)}")
        return self


def read_folds(folder: Path) -> CrossValidation:
    """Return the combined results of a cross-validation.

    Raises:
        RunError: folds.json is not there, or says what is wrong with it.
    """
    return read_spec(folder, FOLDS, CrossValidation)
