"""The `evaluation` section: what is measured on every split, and on which rows apart."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import core_schema

from mltrain.evaluation.catalogue import DEFAULTS, AnyMetric, Metric
from mltrain.spec import Many, Spec, fail, problem
from mltrain.task import Task


class SliceSpec(Spec):
    """A column by whose values the held-out rows are measured apart. Its bare name is enough: `slices: [sex]`."""

    column: str
    """Name of the column; it need not be a feature."""
    bins: Annotated[int, Field(ge=2, le=20)] | None = None
    """Cut a column of numbers into so many ranges of as many training rows; null takes each value for itself."""

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
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Rows in one step of an evaluation; auto takes 32 to 8192, fewer where a layer gives more numbers for each."""

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
        """Return `(path below evaluation, message)` for each stated metric that cannot be measured for `task`."""
        return tuple(
            (("metrics", position), f"'{metric.type}' is a metric for {' and '.join(metric.tasks)}, the task is {task}")
            for position, metric in enumerate(self.metrics or ())
            if task not in metric.tasks
        )
