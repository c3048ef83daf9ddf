"""Reducing the learning rate on a plateau, under Keras' name and with Keras' arguments; NaN-proof, with a state of
its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mltrain.task import Objective
from mltrain.training.consequence import Consequence
from mltrain.training.monitoring import Monitoring


class ReduceLROnPlateau(Monitoring):
    """Multiply the learning rate by a factor when the monitored quantity has stopped improving."""

    type: Literal["ReduceLROnPlateau"] = "ReduceLROnPlateau"
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """The new learning rate is the old one times this."""
    patience: Annotated[int, Field(ge=0)] = 10
    """Epochs without improvement after which the learning rate is reduced."""
    min_delta: Annotated[float, Field(ge=0)] = 1e-4
    """A smaller change does not count as an improvement."""
    cooldown: Annotated[int, Field(ge=0)] = 0
    """Epochs to wait after a reduction before counting again."""
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """The learning rate does not go below this."""

    def build(self, objective: Objective) -> ReduceLROnPlateauState:
        """Return the running state machine that watches `objective.metric`."""
        return ReduceLROnPlateauState(self, objective)


class ReduceLROnPlateauState:
    """What the reduction remembers between epochs; the order of its steps is Keras'."""

    def __init__(self, spec: ReduceLROnPlateau, objective: Objective) -> None:
        self._spec = spec
        self._objective = objective
        self._best: float | None = None
        self._wait = 0
        self._cooldown = 0

    def epoch_ended(self, epoch: int, measured: dict[str, float], learning_rate: float) -> Consequence:
        """Take one epoch's value and decide.

        Args:
            epoch: counted from 1.
            measured: every `split.metric` of this epoch.
            learning_rate: the one of this epoch.
        """
        if self._cooldown > 0:
            self._cooldown -= 1
            self._wait = 0
        value = measured[self._objective.metric]
        if self._objective.better(value, self._best, self._spec.min_delta):
            self._best = value
            self._wait = 0
            return Consequence()
        if self._cooldown > 0:
            return Consequence()
        self._wait += 1
        # The optimizer holds the rate in float32, which may round a rate of min_lr up to just above it.
        if self._wait < self._spec.patience or learning_rate <= self._spec.min_lr * (1 + 1e-6):
            return Consequence()
        self._cooldown = self._spec.cooldown
        self._wait = 0
        reduced = max(learning_rate * self._spec.factor, self._spec.min_lr)
        return Consequence(
            learning_rate=reduced,
            note=f"{self._objective.metric} is on a plateau: learning rate {learning_rate:g} → {reduced:g}",
        )

    def idle_epochs(self) -> int:
        """Return how many epochs end, at the least, until the one that something may follow from."""
        return max(1, self._spec.patience - self._wait)

    def state(self) -> dict[str, Any]:
        """Return what has to be kept to go on exactly."""
        return {"best": self._best, "wait": self._wait, "cooldown": self._cooldown}

    def continue_after_stop(self) -> None:
        """Do nothing: it ends no training."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._best, self._wait, self._cooldown = state["best"], state["wait"], state["cooldown"]
