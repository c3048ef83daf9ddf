"""Reducing the learning rate on a plateau, under Keras' name and with Keras' arguments; NaN-proof, with a state of
its own."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from mltrain.spec import Spec
from mltrain.task import Objective
from mltrain.training.callback import Consequence, EpochCallback, Monitoring
from mltrain.training.patience import Patience, in_epochs, resolved


class ReduceLROnPlateau(Monitoring):
    """Multiply the learning rate by a factor when the monitored quantity has stopped improving."""

    class State(Spec):
        """What it remembers."""

        best: float | None
        """The best value."""
        wait: Annotated[int, Field(ge=0)]
        """Epochs without an improvement."""
        cooldown: Annotated[int, Field(ge=0)]
        """Epochs in which a missing improvement does not count."""

    begins_anew: ClassVar[bool] = True
    type: Literal["ReduceLROnPlateau"] = "ReduceLROnPlateau"
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """The new learning rate is the old one times this."""
    patience: Patience = 10
    """Epochs without improvement after which the learning rate is reduced; `500 steps` as for EarlyStopping."""
    min_delta: Annotated[float, Field(ge=0)] = 1e-4
    """A smaller change does not count as an improvement."""
    cooldown: Annotated[int, Field(ge=0)] = 0
    """Epochs to wait after a reduction before counting again."""
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """The learning rate does not go below this."""

    def states_a_number(self) -> bool:
        """Return whether the size of an improvement is stated; the default is no statement on the target."""
        return self.min_delta != type(self).model_fields["min_delta"].default

    def for_training(self, epochs: int, steps: int) -> Self:
        """Return this with its patience in epochs."""
        return self.model_copy(update={"patience": in_epochs(self.patience, steps)})

    def build(self, objective: Objective) -> RunningReduceLROnPlateau:
        """Return the running state machine that watches `objective.metric`."""
        return RunningReduceLROnPlateau(self, objective)


class RunningReduceLROnPlateau(EpochCallback):
    """What the reduction remembers between epochs; the order of its steps is Keras'."""

    def __init__(self, spec: ReduceLROnPlateau, objective: Objective) -> None:
        self._spec = spec
        self._patience = resolved(spec.patience)
        self._objective = objective
        self._best: float | None = None
        self._wait = 0
        self._cooldown = 0

    def epoch_ended(self, epoch: int, measured: dict[str, float], learning_rate: float) -> Consequence:
        """Count the epochs without an improvement; reduce the learning rate where they are too many."""
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
        if self._wait < self._patience or learning_rate <= self._spec.min_lr * (1 + 1e-6):
            return Consequence()
        self._cooldown = self._spec.cooldown
        self._wait = 0
        reduced = max(learning_rate * self._spec.factor, self._spec.min_lr)
        return Consequence(
            learning_rate=reduced,
            note=f"{self._objective.metric} is on a plateau: learning rate {learning_rate:g} → {reduced:g}",
        )

    def epochs_until_asked(self) -> int:
        """Return how many epochs must pass before it can reduce the learning rate."""
        return max(1, self._patience - self._wait)

    def state(self) -> dict[str, Any]:
        """Return the fields of `ReduceLROnPlateau.State`."""
        return {"best": self._best, "wait": self._wait, "cooldown": self._cooldown}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._best, self._wait, self._cooldown = state["best"], state["wait"], state["cooldown"]
