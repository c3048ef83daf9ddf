"""The `evaluation` section: what is measured, on which rows apart, and how probabilities become decisions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import core_schema

from mltrain.evaluation.catalogue import DEFAULTS, AnyMetric
from mltrain.evaluation.gates import GateText
from mltrain.evaluation.metric import Metric
from mltrain.spec import Many, Spec, fail, problem
from mltrain.task import OF_NUMBERS, Task

# What each aim needs besides its name.
_CONDITIONS: dict[str, tuple[str, ...]] = {
    "recall": ("at_precision",),
    "precision": ("at_recall",),
    "cost": ("false_positive", "false_negative"),
}


class ThresholdAim(Spec):
    """What the threshold is chosen for, among all that decide differently on the validation rows; of equally good ones
    the nearest to 0.5 is taken."""

    aim: Literal["f1", "balanced_accuracy", "recall", "precision", "cost"]
    """f1 of the positive class; balanced_accuracy, the same as Youden's J; the highest recall with a precision, or
    precision with a recall, of at least so much; the lowest mean cost."""
    at_precision: Annotated[float, Field(gt=0, le=1)] | None = None
    """For recall: the least precision."""
    at_recall: Annotated[float, Field(gt=0, le=1)] | None = None
    """For precision: the least recall."""
    false_positive: Annotated[float, Field(gt=0)] | None = None
    """For cost: what a row costs that is wrongly predicted as the positive class."""
    false_negative: Annotated[float, Field(gt=0)] | None = None
    """For cost: what a row of the positive class costs that is not found."""

    @model_validator(mode="after")
    def _what_the_aim_needs(self) -> ThresholdAim:
        needed = _CONDITIONS.get(self.aim, ())
        problems = [
            problem("missing_condition", f"the aim {self.aim} needs {name}", ("aim",), self.aim)
            for name in needed
            if getattr(self, name) is None
        ]
        for aim, names in _CONDITIONS.items():
            for name in names if aim != self.aim else ():
                if getattr(self, name) is not None:
                    said = f"it belongs to the aim {aim}, and this is {self.aim}"
                    problems.append(problem("foreign_condition", said, (name,), getattr(self, name)))
        if problems:
            raise fail("threshold", problems)
        return self

    @property
    def words(self) -> str:
        """The aim with its condition, as "recall at a precision of at least 0.9"."""
        if self.aim == "recall":
            return f"recall at a precision of at least {self.at_precision:g}"
        if self.aim == "precision":
            return f"precision at a recall of at least {self.at_recall:g}"
        if self.aim == "cost":
            return f"mean cost (a false positive {self.false_positive:g}, a false negative {self.false_negative:g})"
        return self.aim


class CalibrationSpec(Spec):
    """Whether the probabilities of classes are compared with observed shares, and corrected."""

    bins: Annotated[int, Field(ge=1, le=100)] = 15
    """Number of bins of the reliability curve, with equal numbers of rows; fewer if a bin would have fewer than 10."""
    temperature: Literal["auto"] | bool = False
    """Whether the logits are divided by the number that makes the log loss of the validation rows smallest; auto does
    it where that gains more than chance would (a likelihood ratio test at 5 %)."""


class SliceSpec(Spec):
    """A column by whose values the held-out rows are measured apart. Its bare name is enough: `slices: [sex]`."""

    column: str
    """Name of the column; it need not be a feature."""
    bins: Annotated[int, Field(ge=2, le=20)] | None = None
    """Number of ranges for a column of numbers, with equal numbers of training rows; null keeps each value separate."""

    @model_validator(mode="before")
    @classmethod
    def _from_bare_name(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler.resolve_ref_schema(handler(schema))]}


class EvaluationSpec(Spec):
    """How the model of a run is judged."""

    metrics: Many[AnyMetric] | None = None
    """Exact metrics of the predictions: on every split at the end, on validation also after every epoch. Null takes
    those that are usual for the task."""
    slices: Many[SliceSpec] = ()
    """Columns by whose values validation and test rows are measured apart, too: `[sex, {column: age, bins: 4}]`."""
    gates: Many[GateText] = ()
    """Conditions that the results must fulfil, such as `test.f1.low >= 0.8`, or `folds.f1.low >= 0.8` for
    `mltrain cross-validate`. The exit code is 10 if one fails. The guide to continuous integration, docs/ci.md, has
    every form."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Rows in one step of an evaluation; auto takes 32 to 8192, fewer where a layer gives more numbers for each."""
    baselines: bool = True
    """Whether two simple models are measured on the same held-out rows at the end: the most frequent class or the mean,
    and a logistic or ridge regression on the same inputs."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | ThresholdAim = 0.5
    """For binary: the probability above which a row is predicted as the positive class, or an aim for which it is
    chosen on the validation rows at the end. While training it is 0.5."""
    calibration: CalibrationSpec = CalibrationSpec()
    """Whether probabilities are what they say."""
    explain: bool = False
    """Whether to measure at the end what the predictions depend on: the permutation importance of each column of a
    table, or the saliency of the worst images. `mltrain explain RUN` does it later."""

    @field_validator("metrics")
    @classmethod
    def _each_once(cls, metrics: tuple[Metric, ...] | None) -> tuple[Metric, ...] | None:
        names = [metric.name for metric in metrics or ()]
        again = [
            problem("duplicate", f"'{name}' is in the list already: name it once", (position,), name)
            for position, name in enumerate(names)
            if name in names[:position]
        ]
        if again:
            raise fail("metrics", again)
        return metrics

    @field_validator("slices")
    @classmethod
    def _each_column_once(cls, slices: tuple[SliceSpec, ...]) -> tuple[SliceSpec, ...]:
        columns = [each.column for each in slices]
        again = [
            problem("duplicate", f"'{column}' is in the list already: name it once", (position,), column)
            for position, column in enumerate(columns)
            if column in columns[:position]
        ]
        if again:
            raise fail("slices", again)
        return slices

    def metrics_for(self, task: Task) -> tuple[Metric, ...]:
        """Return the metrics to measure: the stated ones, else those that are usual for `task`."""
        return DEFAULTS[task] if self.metrics is None else self.metrics

    def misfits(self, task: Task) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """Return `(path below evaluation, message)` for all that is stated and has no meaning for `task`."""
        found: list[tuple[tuple[str | int, ...], str]] = [
            (
                ("metrics", position),
                f"'{metric.name}' is a metric for {' and '.join(metric.fitting)}, the task is {task}",
            )
            for position, metric in enumerate(self.metrics or ())
            if task not in metric.fitting
        ]
        if self.threshold != 0.5 and task != "binary":
            found.append((("threshold",), f"a threshold is for binary, the task is {task}: remove it"))
        # Of several targets auto is refused, too: whoever wrote it expects that something is done.
        if self.calibration.temperature is True and task in OF_NUMBERS:
            found.append((("calibration", "temperature"), f"a temperature is for classes, the task is {task}"))
        elif self.calibration.temperature is not False and task == "multilabel":
            message = "a temperature is for one column of classes, the task is multilabel: remove it"
            found.append((("calibration", "temperature"), message))
        return tuple(found)

    @property
    def decides(self) -> bool:
        """Whether something is stated that is done to the probabilities before they are decisions."""
        return self.threshold != 0.5 or self.calibration.temperature is not False

    def without_validation(self) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """Return `(path below evaluation, message)` for all that is stated and needs validation rows."""
        found: list[tuple[tuple[str | int, ...], str]] = []
        if isinstance(self.threshold, ThresholdAim):
            message = "a threshold is chosen on validation rows, and there are none: add a validation split, or state "
            found.append((("threshold",), f"{message}a number"))
        if self.calibration.temperature is True:
            message = "a temperature is fitted on validation rows, and there are none: add a validation split"
            found.append((("calibration", "temperature"), message))
        return tuple(found)
