"""Keeping the weights of chosen epochs, under Keras' name.

Keras' own writes files of its own, in the middle of an epoch too, and knows nothing of a resumption. This one only
says which epochs are kept; the weights become checkpoints of the run, which are whole or not there.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mltrain.spec import Many, Spec, fail, problem
from mltrain.task import Objective
from mltrain.training.callback import Consequence, EpochCallback, Monitoring

Epoch = Annotated[int, Field(ge=1)]


class RankedEpoch(Spec):
    """One of the best epochs."""

    epoch: Epoch
    """Counted from 1."""
    value: float
    """What was measured."""


class ModelCheckpoint(Monitoring):
    """Keep the weights of chosen epochs, for `evaluate --epoch` and `predict --epoch`: stated ones, every n-th, or the
    best ones."""

    class State(Spec):
        """What it remembers."""

        top: Many[RankedEpoch]
        """The best epochs so far, the best first; empty where others are kept."""

    type: Literal["ModelCheckpoint"] = "ModelCheckpoint"
    keep: Many[Epoch] = ()
    """The epochs to keep, counted from 1."""
    every: Epoch | None = None
    """Every n-th epoch is kept."""
    top: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """How many epochs are kept: the best by `monitor`, and of equal ones the earlier."""

    @model_validator(mode="after")
    def _one_choice(self) -> ModelCheckpoint:
        stated = [name for name in ("keep", "every", "top") if getattr(self, name)]
        if len(stated) != 1:
            found = " and ".join(stated) or "none of them"
            message = f"state one of keep (epochs), every (a number of epochs) and top (how many of the best): {found}"
            raise fail("callback", [problem("choice", message, ("type",) if not stated else (stated[-1],))])
        if self.top is None and (self.monitor is not None or self.mode != "auto"):
            key = "monitor" if self.monitor is not None else "mode"
            raise fail("callback", [problem("choice", "only top compares epochs: remove this key", (key,))])
        return self

    def states_a_number(self) -> bool:
        """Return False: it states how many epochs are kept, and no value."""
        return False

    def build(self, objective: Objective) -> RunningModelCheckpoint:
        """Return the running state machine, which ranks epochs by `objective.metric`."""
        return RunningModelCheckpoint(self, objective)


class RunningModelCheckpoint(EpochCallback):
    """What it remembers between epochs: which are the best."""

    def __init__(self, spec: ModelCheckpoint, objective: Objective) -> None:
        self._spec = spec
        self._objective = objective
        self._top: list[tuple[float, int]] = []

    def epoch_ended(self, epoch: int, measured: dict[str, float], learning_rate: float) -> Consequence:
        """Rank the epoch among the best."""
        if self._spec.top is not None:
            value = measured[self._objective.metric]
            if self._objective.better(value, None):
                smaller_first = 1 if self._objective.direction == "min" else -1
                ranked = sorted([*self._top, (value, epoch)], key=lambda one: (smaller_first * one[0], one[1]))
                self._top = ranked[: self._spec.top]
        return Consequence()

    def epochs_until_asked(self) -> int:
        """Return the largest number: it changes nothing of the training."""
        return sys.maxsize

    def keeps(self, epoch: int) -> bool:
        """Return whether this epoch is one of the chosen, or of the best so far."""
        if self._spec.every is not None:
            return epoch % self._spec.every == 0
        return epoch in self._spec.keep or any(epoch == ranked for _, ranked in self._top)

    def state(self) -> dict[str, Any]:
        """Return the fields of `ModelCheckpoint.State`."""
        return {"top": [{"epoch": epoch, "value": value} for value, epoch in self._top]}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self._top = [(ranked["value"], ranked["epoch"]) for ranked in state["top"]]
