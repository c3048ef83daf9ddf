"""What is learned, from what, and what counts as better: the words that the rooms share.

A model knows the data only as `DataInfo`; a callback knows "best" only as `Objective`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, TypeVar

# The rooms ask what follows from a task of its `OutputKind`; see `outputs/`.
TaskOfClasses = Literal["binary", "multiclass"]
TaskOfNumbers = Literal["regression", "count"]
TaskOfSeveral = Literal["multilabel", "multiregression"]
# Targets of different kinds, each an output of its own.
TaskOfOutputs = Literal["mixed"]
Task = Literal[TaskOfClasses, TaskOfNumbers, TaskOfSeveral, TaskOfOutputs]
InputKind = Literal["table", "category", "text", "indices", "vector", "series", "image", "array"]
SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
# The training rows again, each predicted by the network of an ensemble that has not learned from it.
OUT_OF_FOLD: Literal["out_of_fold"] = "out_of_fold"
T = TypeVar("T")


def of_target(quantity: str, target: str) -> str:
    """Return the name of a quantity of one of several targets of different kinds, as in `validation.mae(price)`."""
    return f"{quantity}({target})"


def split_target(name: str) -> tuple[str, str | None]:
    """Return the quantity and the target that `of_target` put together, also behind a split; None where `name` is not
    of one target. No quantity has a bracket in its name, and a target may have."""
    quantity, bracket, target = name.partition("(")
    return (quantity, target.removesuffix(")")) if bracket else (name, None)


def about_target(target: str) -> str:
    """Return what a sentence on one of several targets of different kinds begins with."""
    return f"target '{target}': "


def the_only(named: Mapping[str, T]) -> T:
    """Return the value of a mapping by name that has one: that of the only input, or of the only output.

    Raises:
        ValueError: it has several, or none.
    """
    (value,) = named.values()
    return value


@dataclass(frozen=True)
class Pixels:
    """How encoded images become pixels from 0, black, to 255, white: value * factor + offset.

    Attributes:
        factors: one number, or one for each channel.
        offsets: the same.
        assumed: what was taken for black and white, in words, where the type of the pixels does not say it; else empty.
    """

    factors: tuple[float, ...]
    offsets: tuple[float, ...]
    assumed: str = ""


@dataclass(frozen=True)
class Input:
    """One input of the network.

    Attributes:
        name: "table", or the name of the column of arrays that feeds it.
        shape: of one example, without the batch: `(features,)`, `(height, width, channels)`, `(steps, features)`.
        dtype: of the encoded examples; int32 holds index numbers.
        columns: names of the encoded columns of a table, such as `("bill_length", "island=Biscoe")`; empty for arrays.
        limits: the smallest and the largest value of all rows, where the values may be indices: int32 arrays, and
            columns of a table. None where that is not known.
        indices: how many different index numbers an encoder gives, from 0 on; None for arrays of a file.
        width: the length of the vector that a model learns for each index number, where the config states it.
        sources: names of the raw columns that feed it.
        numbers: places among `columns` of those that hold numbers, such as ages and parts of dates; others are 0 or 1,
            or weights of words.
        pixels: how encoded images become pixels from 0 to 255; None for other inputs, and where that is not known.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Literal["float32", "int32"]
    columns: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    indices: int | None = None
    width: int | None = None

    @property
    def places_of_numbers(self) -> tuple[int, ...]:
        """Places of numbers in an example, flat: of arrays of features, and of series, all."""
        return tuple(range(math.prod(self.shape))) if self.kind in ("vector", "series") else self.numbers

    @property
    def words(self) -> str:
        """What it is, before its name in a sentence."""
        return {"table": "the columns of", "text": "the tokens of the text", "category": "the category"}.get(
            self.kind, "the array"
        )

    @property
    def kind(self) -> InputKind:
        """What it is, as far as a model cares: it decides how the input is encoded where the config does not."""
        if self.columns:
            return "table"
        if self.indices is not None:
            return "category" if self.shape == (1,) else "text"
        if self.dtype == "int32":
            return "indices"
        of_axes: dict[int, InputKind] = {1: "vector", 2: "series", 3: "image"}
        return of_axes.get(len(self.shape), "array")

    sources: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    pixels: Pixels | None = None


@dataclass(frozen=True)
class Output:
    """One output of the network: what is learned of one target, or of several together.

    Attributes:
        name: the target column, or the array of targets, or the columns in words.
        task: what is learned.
        units: size of the last axis of the predictions: 1 for binary and regression, else the number of classes or of
            targets.
        classes: their names in the order of the units, for multilabel the labels; empty for numbers.
        columns: names of the targets in the order of the units, where there are several; else empty.
        parts: the outputs of targets of different kinds, which are beside each other in this one; else empty.
    """

    name: str
    task: Task
    units: int
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    parts: tuple[Output, ...] = ()

    @property
    def placed(self) -> tuple[tuple[Output, slice], ...]:
        """Each part, with where its predictions are on the last axis."""
        ends = accumulate(part.units for part in self.parts)
        return tuple((part, slice(end - part.units, end)) for part, end in zip(self.parts, ends, strict=True))


@dataclass(frozen=True)
class DataInfo:
    """All that a model needs to know of the data.

    Attributes:
        inputs: of the network.
        outputs: of the network: one, of which the targets of different kinds are the parts.
        train_rows: number of training examples.
    """

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    train_rows: int

    @property
    def input(self) -> Input:
        """The only input; raises ValueError where there are several."""
        (found,) = self.inputs
        return found

    @property
    def output(self) -> Output:
        """The only output; raises ValueError where there are several."""
        (found,) = self.outputs
        return found

    @property
    def task(self) -> Task:
        """That of the only output."""
        return self.output.task

    @property
    def of_parts(self) -> tuple[DataInfo, ...]:
        """What is known for each part of the output, where it has some."""
        return tuple(replace(self, outputs=(part,)) for part in self.output.parts)


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
