"""Early stopping, under Keras' name and with Keras' arguments; NaN-proof, and with a state that can be saved.

Keras' own keeps "best" in a form where one NaN in the first epoch counts as the best value for good, and resets
itself at `on_train_begin`; this one is a plain state machine instead.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from mltrain.spec import Spec
from mltrain.task import Objective
from mltrain.training.callback import Consequence, EpochCallback, Monitoring
from mltrain.training.patience import Patience, in_epochs, resolved
from mltrain.wording import counted


class EarlyStopping(Monitoring):
    """Stop when the monitored quantity no longer improves."""

    class State(Spec):
        """What it remembers."""

        wait: Annotated[int, Field(ge=0)]
        """Epochs without an improvement."""
        best: float | None
        """The best value."""

    begins_anew: ClassVar[bool] = True
    type: Literal["EarlyStopping"] = "EarlyStopping"
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """A smaller change does not count as an improvement."""
    patience: Patience = 0
    """Epochs without improvement after which training stops; 0 stops at the first. `500 steps` are the epochs that have
    500 updates of the weights: the same patience for few rows as for many."""
    baseline: float | None = None
    """A value to reach; an epoch that does not reach it counts as an epoch without improvement."""
    restore_best_weights: bool | None = None
    """`true` restores the weights of the epoch with the best monitored value; if no objective is stated, the monitored
    quantity becomes the objective. `false` keeps the weights of the last epoch. null leaves the choice to
    `training.final`."""
    start_from_epoch: Annotated[int, Field(ge=0)] = 0
    """Epochs at the start that are not monitored."""

    def states_a_number(self) -> bool:
        """Return whether a value to reach or the size of an improvement is stated."""
        return self.baseline is not None or self.min_delta != 0

    def for_training(self, epochs: int, steps: int) -> Self:
        """Return this with its patience in epochs."""
        return self.model_copy(update={"patience": in_epochs(self.patience, steps)})

    def build(self, objective: Objective) -> RunningEarlyStopping:
        """Return the running state machine that watches `objective.metric`."""
        return RunningEarlyStopping(self, objective)


class RunningEarlyStopping(EpochCallback):
    """What early stopping remembers between epochs."""

    def __init__(self, spec: EarlyStopping, objective: Objective) -> None:
        self._spec = spec
        self._patience = resolved(spec.patience)
        self._objective = objective
        self._wait = 0
        self._best: float | None = None

    def epoch_ended(self, epoch: int, measured: dict[str, float], learning_rate: float) -> Consequence:
        """Count the epochs without an improvement; stop where they are too many."""
        if epoch <= self._spec.start_from_epoch:
            return Consequence()
        value = measured[self._objective.metric]
        self._wait += 1
        if self._objective.better(value, self._best, self._spec.min_delta):
            self._best = value
            if self._spec.baseline is None or self._objective.better(value, self._spec.baseline, self._spec.min_delta):
                self._wait = 0
            return Consequence()
        if self._wait < self._patience:
            return Consequence()
        epochs = counted(self._wait, "epoch")
        reason = f"early stopping: {self._objective.metric} has not improved for {epochs}"
        return Consequence(stop=reason, of_stage=True)

    def epochs_until_asked(self) -> int:
        """Return how many epochs must pass before it can stop."""
        return max(1, self._patience - self._wait)

    def state(self) -> dict[str, Any]:
        """Return the fields of `EarlyStopping.State`."""
        return {"wait": self._wait, "best": self._best}

    def continue_beyond_stop(self) -> str | None:
        """Count the epochs from 0 again, where their number has ended the training; return a sentence that says so."""
        if self._wait < max(1, self._patience):
            return None
        self._wait = 0
        patience = counted(self._patience, "epoch")
        best = "" if self._best is None else f" than {self._best:.4g}"
        return (
            f"early stopping counts its patience of {patience} from 0 again: training ends if "
            f"{self._objective.metric} does not improve{best} for that long"
        )

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._wait, self._best = state["wait"], state["best"]
