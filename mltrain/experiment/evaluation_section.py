"""The `evaluation` section: what is measured, on which rows apart, and how probabilities become decisions."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import core_schema

from mltrain.evaluation.catalogue import DEFAULTS
from mltrain.evaluation.metric import Metric, OwnMetric
from mltrain.evaluation.own_metrics import AnyMetric
from mltrain.evaluation.threshold_aim import ThresholdAim
from mltrain.gates.gate import Gate
from mltrain.outputs import KINDS
from mltrain.spec import Many, Spec, fail, problem
from mltrain.task import Task
from mltrain.wording import in_words


def _without_doubles(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    names = [metric.name for metric in metrics]
    again = [
        problem("duplicate", f"'{name}' is listed twice: remove one", (position,), name)
        for position, name in enumerate(names)
        if name in names[:position]
    ]
    if again:
        raise fail("metrics", again)
    return metrics


# Metrics of the config, each named once.
Metrics = Annotated[Many[AnyMetric], AfterValidator(_without_doubles)]


class CalibrationSpec(Spec):
    """How the predicted probabilities are compared with the observed shares, and whether they are corrected."""

    bins: Annotated[int, Field(ge=1, le=100)] = 15
    """Number of bins of the reliability curve, each with the same number of rows; fewer bins if one would have fewer
    than 10 rows."""
    temperature: Literal["auto"] | bool = False
    """Whether the logits are divided by the temperature with the smallest log loss on the validation rows; auto does
    so if the gain is significant (a likelihood ratio test at 5 %)."""


class SliceSpec(Spec):
    """A column: the metrics of the held-out rows are also computed for each of its values. Its name alone is enough:
    `slices: [sex]`."""

    column: str
    """Name of the column; it does not have to be a feature."""
    bins: Annotated[int, Field(ge=2, le=20)] | None = None
    """Number of ranges for a column of numbers, with equal numbers of training rows; null keeps each value separate."""

    @model_validator(mode="before")
    @classmethod
    def _from_bare_name(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler.resolve_ref_schema(handler(schema))]}


class OutputEvaluation(Spec):
    """How one of several targets of different kinds is evaluated."""

    metrics: Metrics | None = None
    """Exact metrics of its predictions. Null uses the usual metrics of its kind."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | ThresholdAim = 0.5
    """For binary: as `evaluation.threshold`."""
    temperature: Literal["auto"] | bool = False
    """For classes: as `evaluation.calibration.temperature`."""


def path_of_output(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return where a key of `evaluation` is for one of several targets: the temperature is not below calibration."""
    return ("temperature",) if path[0] == "calibration" else path


class EvaluationSpec(Spec):
    """How the model of a run is evaluated."""

    metrics: Metrics | None = None
    """Exact metrics of the predictions, on every split at the end and on the validation rows after every epoch. Null
    uses the usual metrics of the task."""
    slices: Many[SliceSpec] = ()
    """Columns: the metrics of validation and test rows are also computed for each of their values: `[sex, {column:
    age, bins: 4}]`."""
    gates: Many[Gate] = ()
    """Conditions that the results must fulfil, such as `test.f1.low >= 0.8`, or `folds.f1.low >= 0.8` for
    `mltrain cross-validate`; `mltrain train --seeds` judges them by the means. The exit code is 10 if one fails. The
    guide to continuous integration, docs/ci.md, has every form."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Rows in one step of an evaluation; auto uses 32 to 8192, fewer if a layer has more outputs per row."""
    sample_weight: bool = False
    """Whether the metrics, too, are weighted by the column that `data.sample_weight` names, on every split: their
    values, intervals, classes, slices and baselines, the calibration and a threshold that is chosen. The losses and the
    metrics of `training.metrics` still count every row once, and confusion matrices count rows."""
    baselines: bool | Literal["simple"] = True
    """Whether other models are measured on the same held-out rows at the end: the most frequent class or the mean, a
    logistic, ridge or Poisson regression on the same inputs, and, on the columns of a table, gradient boosting. With
    `simple`, without gradient boosting."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | ThresholdAim = 0.5
    """For binary: the probability above which a row is predicted as the positive class, or an aim by which it is
    chosen on the validation rows at the end. During training it is 0.5."""
    calibration: CalibrationSpec = CalibrationSpec()
    """Whether the predicted probabilities match the observed shares."""
    outputs: dict[str, OutputEvaluation] = Field(default_factory=dict)
    """For targets of different kinds: the metrics, the threshold and the temperature of each, by the name of the
    target, such as `{sold: {metrics: [f1], threshold: {aim: f1}}}`."""
    explain: bool = False
    """Whether to measure at the end what the predictions depend on: the permutation importance of each column of a
    table, and of each text, image and array as one; or, where images are all there is, the saliency of the worst.
    `mltrain explain RUN` does it later."""

    @field_validator("slices")
    @classmethod
    def _each_column_once(cls, slices: tuple[SliceSpec, ...]) -> tuple[SliceSpec, ...]:
        columns = [each.column for each in slices]
        again = [
            problem("duplicate", f"'{column}' is listed twice: remove one", (position,), column)
            for position, column in enumerate(columns)
            if column in columns[:position]
        ]
        if again:
            raise fail("slices", again)
        return slices

    @property
    def stated_metrics(self) -> tuple[Metric, ...]:
        """All metrics that are stated, also those of one of several targets."""
        of_outputs = (each.metrics or () for each in self.outputs.values())
        return tuple(chain(self.metrics or (), *of_outputs))

    def metrics_for(self, task: Task) -> tuple[Metric, ...]:
        """Return the metrics to measure: the stated ones, else those that are usual for `task`."""
        return DEFAULTS[task] if self.metrics is None else self.metrics

    def for_output(self, name: str) -> EvaluationSpec:
        """Return this as it would be if one of several targets were learned alone."""
        stated = self.outputs.get(name, OutputEvaluation())
        calibration = self.calibration.model_copy(update={"temperature": stated.temperature})
        changed: dict[str, Any] = {"metrics": stated.metrics, "threshold": stated.threshold, "outputs": {}}
        changed["calibration"] = calibration
        return self.model_copy(update=changed)

    def misfits(self, task: Task) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """Return `(path below evaluation, message)` for all that is stated and has no meaning for `task`."""
        found: list[tuple[tuple[str | int, ...], str]] = [
            (
                ("metrics", position),
                f"'{metric.name}' is a metric for {in_words(metric.fitting)}, the task is {task}",
            )
            for position, metric in enumerate(self.metrics or ())
            if task not in metric.fitting
        ]
        if self.sample_weight:
            if KINDS[task].several:
                message = f"several targets are not measured with weights, the task is {task}: remove it"
                found.append((("sample_weight",), message))
            found += [
                (("metrics", position), f"'{metric.name}' is a metric of a plugin, which is not measured with weights")
                for position, metric in enumerate(self.metrics or ())
                if isinstance(metric, OwnMetric)
            ]
        if self.threshold != 0.5 and task != "binary":
            found.append((("threshold",), f"a threshold is for binary, the task is {task}: remove it"))
        # Of several targets auto is refused, too: whoever wrote it expects that something is done.
        if self.calibration.temperature is True and KINDS[task].of_numbers:
            found.append((("calibration", "temperature"), f"a temperature is for classes, the task is {task}"))
        elif self.calibration.temperature is not False and task == "multilabel":
            message = "a temperature is for one column of classes, the task is multilabel: remove it"
            found.append((("calibration", "temperature"), message))
        return tuple(found)

    @property
    def decides(self) -> bool:
        """Whether something is stated that is done to the probabilities before they are decisions."""
        stated = self.threshold != 0.5 or self.calibration.temperature is not False
        return stated or any(self.for_output(name).decides for name in self.outputs)

    def without_validation(self) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """Return `(path below evaluation, message)` for all that is stated and needs validation rows."""
        found: list[tuple[tuple[str | int, ...], str]] = []
        for name in self.outputs:
            for path, message in self.for_output(name).without_validation():
                found.append((("outputs", name, *path_of_output(path)), message))
        if isinstance(self.threshold, ThresholdAim):
            message = "a threshold is chosen on validation rows, and there are none: add a validation split, or state "
            found.append((("threshold",), f"{message}a number"))
        if self.calibration.temperature is True:
            message = "a temperature is fitted on validation rows, and there are none: add a validation split"
            found.append((("calibration", "temperature"), message))
        return tuple(found)
