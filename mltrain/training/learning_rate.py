"""The learning rate of each step, where it follows a schedule over the whole training. Imports TensorFlow."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from mltrain.training.schedule import Schedule


class ScheduledRate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is multiplied by the factor of a schedule.

    Args:
        rate: where the factor is 1.
        schedule: gives the factor.
        steps: of the whole training.
    """

    def __init__(self, rate: float, schedule: Schedule, steps: int) -> None:
        super().__init__()
        self._rate, self._schedule, self._steps = rate, schedule, steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0. Beyond the last one it stays as it was there."""
        done = ops.minimum(ops.cast(step, "float32") / max(self._steps, 1), 1.0)
        factor = _factor(self._schedule, done)
        if self._schedule.warm_up:
            # In the first step too something is learned: half a step is done there.
            begun = done + 0.5 / max(self._steps, 1)
            factor = factor * ops.minimum(begun / self._schedule.warm_up, 1.0)
        return self._rate * factor

    def get_config(self) -> dict[str, Any]:
        """Return what it was made of."""
        return {"rate": self._rate, "schedule": self._schedule.model_dump(), "steps": self._steps}


def _factor(schedule: Schedule, done: Any) -> Any:
    """Return the factor where `done` of the training, 0 to 1, is behind."""
    if schedule.type == "linear":
        return 1.0 - done
    if schedule.type == "cycles":
        waves = ops.log2(1.0 + (2.0**schedule.cycles - 1.0) * done)
        return 0.5 * (1.0 - ops.cos(2.0 * math.pi * waves))
    if schedule.type == "flat_cosine":
        done = ops.maximum(0.0, 2.0 * done - 1.0)
    return 0.5 * (1.0 + ops.cos(math.pi * done))
