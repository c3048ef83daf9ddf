"""What is learned, from what, and what counts as better: the words that the rooms share.

A model knows the data only as `DataInfo`; a callback knows "best" only as `Objective`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

# The rooms ask what follows from a task of its `OutputKind`; see `outputs/`.
TaskOfClasses = Literal["binary", "multiclass"]
TaskOfNumbers = Literal["regression", "count"]
TaskOfSeveral = Literal["multilabel", "multiregression"]
Task = Literal[TaskOfClasses, TaskOfNumbers, TaskOfSeveral]
SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class DataInfo:
    """All that a model needs to know of the data.

    Attributes:
        task: what is learned.
        input_shape: of one example, without the batch: `(features,)`, `(height, width, channels)`, `(steps, features)`.
        input_dtype: "float32" or "int32".
        outputs: size of the last axis of the predictions: 1 for binary and one number, else the number of classes or
            of targets.
        classes: names of the classes in the order of the outputs, for multilabel the labels; empty for numbers.
        feature_names: of each column of a flat input, as `("bill_length", "island=Biscoe")`; empty for arrays.
        train_rows: number of training examples.
        smallest_input: of all rows, where the inputs may be indices: int32 arrays, and columns of a table.
        largest_input: of the same.
        targets: names of the targets in the order of the outputs, where there are several; else empty.
    """

    task: Task
    input_shape: tuple[int, ...]
    input_dtype: str
    outputs: int
    classes: tuple[str, ...]
    feature_names: tuple[str, ...]
    train_rows: int
    smallest_input: float | None = None
    largest_input: float | None = None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Something that was not stated and had to be decided, with the reason: it is said, and recorded.

    Attributes:
        what: the subject, as "task", "device", "features.island".
        value: what was decided, in words.
        reason: why.
    """

    what: str
    value: str
    reason: str


@dataclass(frozen=True)
class Objective:
    """What counts as better: one measured quantity and a direction.

    Attributes:
        metric: `split.metric`, as `validation.loss`.
        direction: "min" or "max".
    """

    metric: str
    direction: Literal["min", "max"]

    def better(self, value: float, than: float | None, min_delta: float = 0.0) -> bool:
        """Return whether `value` improves on `than` by more than `min_delta`.

        What is not finite never improves on anything, and anything finite improves on nothing (`None`) or NaN: in
        Keras one NaN in the first epoch is "the best" for good, because no later value compares as better than it.
        """
        if not math.isfinite(value):
            return False
        if than is None or math.isnan(than):
            return True
        return value < than - min_delta if self.direction == "min" else value > than + min_delta
