"""The `evaluation` section: what is measured on every split."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from mltrain.evaluation.catalogue import DEFAULTS, AnyMetric, Metric
from mltrain.evaluation.gates import GateText
from mltrain.spec import Many, Spec, fail, problem
from mltrain.task import Task


class EvaluationSpec(Spec):
    """How the model of a run is judged."""

    metrics: Many[AnyMetric] | None = None
    """Exact metrics of the predictions: on every split at the end, on validation also after every epoch. Null takes
    those that are usual for the task."""
    gates: Many[GateText] = ()
    """What the results must fulfil, as `test.f1.low >= 0.8`: train ends with exit code 10 when one is missed. The form
    is explained in [Gates](ci.md#gates)."""
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
