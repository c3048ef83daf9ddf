"""Stochastic weight averaging: the mean of the weights that the last epochs ended with is the model of the run.

Izmailov, Podoprikhin, Garipov, Vetrov and Wilson (2018), "Averaging Weights Leads to Wider Optima and Better
Generalization", UAI, algorithm 1. Training itself goes on as it would without it. Whoever wants the high or cyclical
learning rate of the paper states it in the optimizer.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field

from mltrain.errors import RunError
from mltrain.spec import Spec
from mltrain.task import Objective
from mltrain.training.callback import CallbackSpec, EpochCallback
from mltrain.wording import counted

if TYPE_CHECKING:  # specs keep NumPy out of their imports
    import numpy as np

Epoch = Annotated[int, Field(ge=1)]


class StochasticWeightAveraging(CallbackSpec):
    """Make the mean of the weights at the ends of the last epochs the model of the run. The statistics of batch
    normalization are measured again for it, on the training rows."""

    class State(Spec):
        """What it remembers beside the mean."""

        first: Epoch | None
        """The first epoch in the mean."""
        count: Annotated[int, Field(ge=0)]
        """How many epochs are in it."""

    type: Literal["StochasticWeightAveraging"] = "StochasticWeightAveraging"
    start: Epoch | Annotated[float, Field(gt=0, lt=1)] = 0.75
    """The first epoch that is averaged, or the share of `training.epochs` that ends before it."""
    every: Epoch = 1
    """Every n-th epoch from `start` on is averaged."""

    def for_training(self, epochs: int, steps: int) -> Self:
        """Return this with the number of the first epoch, where it states a share of `epochs`."""
        if isinstance(self.start, int):
            return self
        return self.model_copy(update={"start": math.floor(round(self.start * epochs, 9)) + 1})

    def build(self, objective: Objective) -> RunningAverage:
        """Return the running mean; `objective` is not used.

        Raises:
            ValueError: `start` is a share; `for_training` resolves it.
        """
        if not isinstance(self.start, int):
            raise ValueError(f"start is a share: {self.start}")
        return RunningAverage(self.start, self.every)

    def misfit(self, state: Mapping[str, Any], trained: int) -> str | None:
        """Return why a mean that is kept, or that there is none, does not fit `start`."""
        if not isinstance(self.start, int) or trained < self.start or state["first"] == self.start:
            return None
        return (
            f"training.callbacks: the weights are averaged from epoch {self.start} on, and "
            f"{counted(trained, 'epoch')} {'is' if trained == 1 else 'are'} already trained, whose weights are not kept"
        )


class RunningAverage(EpochCallback):
    """The mean of the weights so far.

    Args:
        start: the first epoch in it.
        every: every n-th epoch from then on is in it.

    Attributes:
        count: how many epochs are in it.
        mean: the arrays by their places in the model; in float32 where the weights have fewer digits. Empty before
            `start`. Weights that are not floating-point numbers are not in it.
    """

    def __init__(self, start: int, every: int) -> None:
        self._start = start
        self._every = every
        self.count = 0
        self.mean: dict[str, np.ndarray] = {}

    def epochs_until_asked(self) -> int:
        """Return the largest number: it changes nothing of the training."""
        return sys.maxsize

    def take_weights(self, epoch: int, weights: Callable[[], Mapping[str, np.ndarray]]) -> None:
        """Add the weights of an epoch to the mean."""
        if epoch < self._start or (epoch - self._start) % self._every:
            return
        self.count += 1
        for place, array in weights().items():
            if array.dtype.kind not in "fV":  # bfloat16 is of a kind that NumPy does not know
                continue
            value = array if array.dtype.name == "float64" else array.astype("float32")
            before = self.mean.get(place)
            self.mean[place] = value if before is None else before + (value - before) / self.count

    def state(self) -> dict[str, Any]:
        """Return the fields of `StochasticWeightAveraging.State`."""
        return {"first": self._start if self.count else None, "count": self.count}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned; `restore_mean` follows. A mean with another start is dropped."""
        self.count, self.mean = (state["count"] if state["first"] == self._start else 0), {}

    def restore_mean(self, mean: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray], origin: str) -> None:
        """Continue from a mean.

        Args:
            mean: what `mean` was.
            weights: of the model.
            origin: where the mean comes from, for the message.

        Raises:
            RunError: it is the mean of another model.
        """
        if not self.count:
            return
        shapes = {place: array.shape for place, array in weights.items() if array.dtype.kind in "fV"}
        types = {array.dtype.name for array in mean.values()}
        if {place: array.shape for place, array in mean.items()} != shapes or not types <= {"float32", "float64"}:
            raise RunError(f"{origin}: its averaged weights belong to another model")
        self.mean = dict(mean)
