"""What a callback of mltrain is: a spec that builds a state machine, which looks at each epoch and says what follows.

It does nothing itself, so that the loop stays the only place that acts. What it remembers is in every checkpoint.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from mltrain.expression import Comparison, MetricName
from mltrain.spec import Spec
from mltrain.task import Objective

if TYPE_CHECKING:  # specs keep NumPy out of their imports
    import numpy as np


@dataclass(frozen=True)
class Consequence:
    """What follows from one epoch.

    Attributes:
        stop: the reason to stop after this epoch, or None.
        of_stage: whether only the stage ends with it, where others follow.
        learning_rate: the new learning rate, or None.
        note: a sentence to say, or None.
    """

    stop: str | None = None
    of_stage: bool = False
    learning_rate: float | None = None
    note: str | None = None


class EpochCallback:
    """A state machine that looks at each finished epoch."""

    def epoch_ended(self, epoch: int, measured: dict[str, float], learning_rate: float) -> Consequence:
        """Take one epoch's values and decide.

        Args:
            epoch: counted from 1.
            measured: every `split.metric` of this epoch.
            learning_rate: the one of this epoch.
        """
        return Consequence()

    def epochs_until_asked(self) -> int:
        """Return how many epochs may be trained before this callback has to be asked, because it could stop the
        training or change the learning rate; at least 1. `sys.maxsize` says that it never does either."""
        return 1

    def take_weights(self, epoch: int, weights: Callable[[], Mapping[str, np.ndarray]]) -> None:
        """Use the weights that an epoch ended with; called after `epoch_ended`.

        Args:
            epoch: counted from 1.
            weights: returns them, by place, as `take_weights` in `training/weights.py`.
        """
        return

    def keeps(self, epoch: int) -> bool:
        """Return whether the weights that this epoch ended with are to stay on disk; asked again as others follow."""
        return False

    def state(self) -> dict[str, Any]:
        """Return what has to be kept to continue exactly: the fields of the spec's `State`, as JSON can hold them."""
        raise NotImplementedError

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        raise NotImplementedError

    def continue_beyond_stop(self) -> str | None:
        """Forget what has ended the training, which goes on because more epochs were asked for; return a sentence that
        says so, or None where this callback had not ended it."""
        return None


@dataclass(frozen=True)
class EpochRules:
    """What decides after each epoch.

    Attributes:
        objective: what "best" is.
        callbacks: the running callbacks of mltrain; those of Keras are not among them.
        stop_when: what ends the training, or None.
    """

    objective: Objective
    callbacks: Sequence[EpochCallback] = ()
    stop_when: Comparison | None = None

    def epoch_ended(self, epoch: int, measured: dict[str, float], learning_rate: float) -> Iterator[Consequence]:
        """Yield what follows from an epoch, one thing after the other."""
        if self.stop_when and self.stop_when.holds(measured[self.stop_when.metric]):
            yield Consequence(stop=f"{self.stop_when} holds: {measured[self.stop_when.metric]:.4g}")
        for callback in self.callbacks:
            yield callback.epoch_ended(epoch, measured, learning_rate)

    def epochs_until_asked(self) -> int:
        """Return how many epochs may be trained before a callback has to be asked."""
        return min((callback.epochs_until_asked() for callback in self.callbacks), default=sys.maxsize)

    def keeps(self, epoch: int) -> bool:
        """Return whether a callback wants the weights of a trained epoch on disk, as far as it knows by now."""
        return any(callback.keeps(epoch) for callback in self.callbacks)


class CallbackSpec(Spec):
    """A callback of mltrain, as the config states it."""

    State: ClassVar[type[Spec]]
    """The form of what it remembers."""
    begins_anew: ClassVar[bool] = False
    """Whether it forgets what it remembers where another stage of the training begins."""

    def for_training(self, epochs: int, steps: int) -> Self:
        """Return this with what depends on the length of the training.

        Args:
            epochs: to train.
            steps: updates of the weights in one of them.
        """
        return self

    def misfit(self, state: Mapping[str, Any], trained: int) -> str | None:
        """Return why it cannot continue from what a checkpoint has kept; None where it can.

        Args:
            state: the fields of `State`.
            trained: epochs that are trained.
        """
        return None

    def problem(self, objective: Objective, known: Collection[str]) -> str | None:
        """Return why it cannot be used, for what it needs besides `objective`; None where it can. It is asked when the
        config is checked, and again when the data is known.

        Args:
            objective: as for `build`.
            known: every `split.metric` that is measured after an epoch.
        """
        return None

    def build(self, objective: Objective) -> EpochCallback:
        """Return the running state machine.

        Args:
            objective: what it watches, or that of the run where it watches nothing.
        """
        raise NotImplementedError


class Monitoring(CallbackSpec):
    """A callback that watches one measured quantity."""

    monitor: MetricName | None = None
    """The measured quantity, such as `validation.loss` or Keras' `val_loss`; null takes the objective."""
    mode: Literal["auto", "min", "max"] = "auto"
    """Whether smaller or larger is better; auto takes it from the metric."""

    def states_a_number(self) -> bool:
        """Return whether the config states a number here that is compared with the watched quantity, so that it means
        the units of the target: with `data.target.scale: auto` the target then keeps them while training."""
        return True
