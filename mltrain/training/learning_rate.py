"""The learning rate of each step, where it follows a schedule over the whole training. Imports TensorFlow."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from mltrain.training.length import in_steps
from mltrain.training.schedule import Schedule


class ScheduledRate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is multiplied by the factor of a schedule.

    Args:
        rate: where the factor is 1.
        schedule: gives the factor.
        steps: of the whole training.
        steps_of_epoch: for lengths in epochs.
    """

    def __init__(self, rate: float, schedule: Schedule, steps: int, steps_of_epoch: int = 1) -> None:
        super().__init__()
        self._rate, self._schedule, self._steps = rate, schedule, steps
        self._steps_of_epoch = steps_of_epoch

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0. Beyond the last one it stays as it was there."""
        schedule, steps = self._schedule, max(self._steps, 1)
        done = ops.minimum(ops.cast(step, "float32") / steps, 1.0)
        factor = self._factor(done, ops.minimum(ops.cast(step, "int64"), steps))
        if schedule.warm_up:
            # In the first step too something is learned: half a step is done there.
            begun = done + 0.5 / steps
            factor = factor * ops.minimum(begun / self._share(schedule.warm_up), 1.0)
        return self._rate * factor

    def get_config(self) -> dict[str, Any]:
        """Return what it was made of."""
        return {
            "rate": self._rate,
            "schedule": self._schedule.model_dump(),
            "steps": self._steps,
            "steps_of_epoch": self._steps_of_epoch,
        }

    def _share(self, length: float | str) -> float:
        # A stated share is used as it is: not even its last bit changes on the way through steps.
        return length if isinstance(length, float) else self._in_steps(length) / max(self._steps, 1)

    def _in_steps(self, length: float | str) -> float:
        return in_steps(length, max(self._steps, 1), self._steps_of_epoch)

    def _whole_steps(self, length: float | str) -> int:
        return max(1, round(self._in_steps(length)))

    def _factor(self, done: Any, step: Any) -> Any:
        """Return the factor where `done` of the training, 0 to 1, is behind, which is so many steps."""
        schedule = self._schedule
        if schedule.type == "cycles":
            waves = ops.log2(1.0 + (2.0**schedule.cycles - 1.0) * done)
            return 0.5 * (1.0 - ops.cos(2.0 * math.pi * waves))
        if schedule.type == "piecewise":
            return self._piecewise(step)
        share = 1.0 if schedule.length is None else self._share(schedule.length)
        if schedule.type == "exponential":
            return ops.exp(math.log(schedule.by) / share * done)
        if schedule.type == "one_cycle":
            return self._one_cycle(done)
        if schedule.type == "cosine_restarts":
            return _above(schedule.end, self._restarts(step))
        if schedule.length is not None:
            done = ops.minimum(done / share, 1.0)
        if schedule.type == "linear":
            return _above(schedule.end, 1.0 - done)
        if schedule.type == "polynomial":
            return _above(schedule.end, (1.0 - done) ** schedule.power)
        if schedule.type == "flat_cosine":
            done = ops.maximum(0.0, 2.0 * done - 1.0)
        return _above(schedule.end, _half_wave(done))

    def _one_cycle(self, done: Any) -> Any:
        """Return the factor of the two half waves in which PyTorch's OneCycleLR goes from `start` to 1 and to `end`."""
        schedule, rise = self._schedule, self._share(self._schedule.rise)
        up = 1.0 + (schedule.start - 1.0) * _half_wave(ops.minimum(done / rise, 1.0))
        down = _above(schedule.end, _half_wave(ops.maximum(done - rise, 0.0) / (1.0 - rise)))
        return ops.where(done < rise, up, down)

    def _piecewise(self, step: Any) -> Any:
        """Return the factor between two boundaries; the step at a boundary is the first with the new one."""
        schedule = self._schedule
        factors = schedule.factors or tuple(schedule.by**number for number in range(len(schedule.boundaries) + 1))
        found = ops.cast(factors[0], "float32")
        for boundary, factor in zip(schedule.boundaries, factors[1:], strict=True):
            found = ops.where(step >= self._whole_steps(boundary), ops.cast(factor, "float32"), found)
        return found

    def _restarts(self, step: Any) -> Any:
        """Return the factor of warm restarts: half a wave in each period (equation 5 of Loshchilov and Hutter, SGDR,
        2017), with a top that may become lower."""
        schedule, first = self._schedule, self._whole_steps(self._schedule.length or 1.0)
        if schedule.growth == 1:
            number = ops.minimum(step // first, (max(self._steps, 1) - 1) // first)  # none begins where training ends
            top = ops.cast(schedule.by, "float32") ** ops.cast(number, "float32")
            return top * _half_wave(ops.cast(step - number * first, "float32") / first)
        # Whole numbers, so that a restart comes at its step and not one beside it.
        found, begin, length, top = ops.zeros((), "float32"), 0, float(first), 1.0
        while begin < max(self._steps, 1):
            here = max(1, round(length))
            part = top * _half_wave(ops.cast(step - begin, "float32") / here)
            found, begin = ops.where(step >= begin, part, found), begin + here
            length, top = length * schedule.growth, top * schedule.by
        return found


def _half_wave(done: Any) -> Any:
    return 0.5 * (1.0 + ops.cos(math.pi * done))


def _above(end: float, factor: Any) -> Any:
    return end + (1.0 - end) * factor if end else factor
