"""A metric of the user's: a function, and what mltrain must know of it. `from mltrain import metric` makes one.

This is what plugins import: the standard library, and no more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from mltrain.task import Task, TaskOfClasses, TaskOfNumbers

if TYPE_CHECKING:
    import numpy as np

_OF_NUMBERS = get_args(TaskOfNumbers)
_TASKS = (*get_args(TaskOfClasses), *_OF_NUMBERS)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class NoValueError(Exception):
    """For a metric to raise that has no value for these rows, as a share of none; the message says why."""


@dataclass(frozen=True)
class MetricFunction:
    """A metric of the user's. It can be called as the function itself.

    Attributes:
        name: in configs and results.
        tasks: what it is for.
        direction: whether smaller or larger is better.
        function: of target and predictions, as `metric` describes them.
        of_rows: whether it returns a number for each row (n,), whose mean is the metric.
        takes: whether it gets the predictions, or the classes that are decided from them.
        best: the value of perfect predictions; None where there is no such bound.
        worst: the value that nothing is worse than; None where there is no such bound.
    """

    name: str
    tasks: tuple[Task, ...]
    direction: Literal["min", "max"]
    function: Callable[[np.ndarray, np.ndarray], Any]
    of_rows: bool = False
    takes: Literal["predictions", "classes"] = "predictions"
    best: float | None = None
    worst: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} is not a valid metric name; expected up to 64 of a-z, 0-9 and _, a letter first"
            )
        wrong = [task for task in self.tasks if task not in _TASKS]
        if wrong or not self.tasks:
            found = f"unknown task {wrong[0]!r}" if wrong else "it needs a task"
            raise ValueError(f"metric {self.name}: {found}; expected one or more of {', '.join(_TASKS)}")
        for argument, given, known in (
            ("direction", self.direction, ("min", "max")),
            ("takes", self.takes, ("predictions", "classes")),
        ):
            if given not in known:
                raise ValueError(f"metric {self.name}: {argument} is {given!r}; expected {' or '.join(known)}")
        without_classes = next((task for task in self.tasks if task in _OF_NUMBERS), None)
        if self.takes == "classes" and without_classes:
            raise ValueError(
                f"metric {self.name}: takes='classes' is not possible for {without_classes}, which has no classes"
            )
        low, high = self.bounds
        if not low < high:
            raise ValueError(f"metric {self.name}: best={self.best} is not better than worst={self.worst}")

    def __call__(self, target: np.ndarray, predictions: np.ndarray) -> Any:
        """Return what the function returns."""
        return self.function(target, predictions)

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value that it can have."""
        low, high = (self.best, self.worst) if self.direction == "min" else (self.worst, self.best)
        return -math.inf if low is None else float(low), math.inf if high is None else float(high)

    @property
    def place(self) -> str:
        """`FILE:LINE` where the function is written; empty for one that is not written in Python."""
        code = getattr(self.function, "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno}" if code else ""


def metric(
    *tasks: Task,
    direction: Literal["min", "max"],
    of_rows: bool = False,
    takes: Literal["predictions", "classes"] = "predictions",
    best: float | None = None,
    worst: float | None = None,
    name: str | None = None,
) -> Callable[[Callable[[np.ndarray, np.ndarray], Any]], MetricFunction]:
    """Make a metric of the function below: `@metric("binary", direction="min")`.

    The function gets two arrays that it may read, not change. The target is (n,): class indices (int64; 1 is the
    positive class of two), for numbers float64 in its unit. The predictions are float64: the probability of the
    positive class (n,) for binary, probabilities (n, classes) for multiclass, values (n,) for numbers. It returns a
    finite number that follows from its arguments alone, or raises `NoValueError`.

    Args:
        tasks: one or more of binary, multiclass, regression, count.
        direction: whether smaller or larger values are better.
        of_rows: whether it returns a number for each row (n,), whose mean is the metric: its interval then needs no
            draws.
        takes: "classes" for predicted class indices (n,) instead of probabilities, decided by the run's threshold.
        best: the value of perfect predictions, which none is better than; None where there is no such bound.
        worst: the value that none is worse than; None where there is no such bound.
        name: in configs and results; None takes that of the function.
    """

    def made(function: Callable[[np.ndarray, np.ndarray], Any]) -> MetricFunction:
        called = getattr(function, "__name__", "") if name is None else name
        return MetricFunction(called, tasks, direction, function, of_rows, takes, best, worst)

    return made
