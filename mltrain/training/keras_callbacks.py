"""Callbacks of Keras, which are told what `model.fit` would tell them. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from mltrain.keras_api.build import build
from mltrain.keras_api.components import KerasComponent
from mltrain.stopwatch import NoStopwatch
from mltrain.training.spec import TrainingSpec


class KerasCallbacks:
    """Those that a config names. Epochs are counted from 1 here, and from 0 by Keras.

    Args:
        spec: names them.
        model: that is trained.
        steps: of an epoch.
        stopwatch: notes the time that they take.
    """

    def __init__(self, spec: TrainingSpec, model: keras.Model, steps: int, stopwatch: NoStopwatch) -> None:
        theirs = [build(callback) for callback in spec.callbacks if isinstance(callback, KerasComponent)]
        self._list = keras.callbacks.CallbackList(
            theirs, add_history=False, model=model, epochs=spec.most_epochs, steps=steps, verbose=0
        )
        self._steps = steps
        self._stopwatch = stopwatch
        self.hook_into_steps = any(map(_hooks_into_steps, theirs))

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._list.callbacks)

    def training_begins(self) -> None:
        """Tell them before the first epoch."""
        with self._stopwatch.phase("callbacks"):
            self._list.on_train_begin()

    def training_ended(self) -> None:
        """Tell them after the last epoch."""
        with self._stopwatch.phase("callbacks"):
            self._list.on_train_end()

    def epoch_begins(self, epoch: int, step: int) -> None:
        """Tell them that an epoch begins, or continues at a step."""
        with self._stopwatch.phase("callbacks"):
            self._list.on_epoch_begin(epoch - 1)
        self._step_begins(step)

    def epoch_ended(self, epoch: int, measured: Mapping[str, float]) -> None:
        """Tell them what was measured, under the names that they know."""
        self._list.on_epoch_end(epoch - 1, _keras_logs(measured))

    def step_ended(self, done: int, metrics: Callable[[], dict[str, float]]) -> None:
        """Tell those that hook into steps that so many of the epoch are done, with the metrics so far."""
        if self.hook_into_steps:
            with self._stopwatch.phase("callbacks"):
                self._list.on_train_batch_end(done - 1, metrics())
            self._step_begins(done)

    def validation_begins(self) -> None:
        """Tell them before the validation rows are measured."""
        with self._stopwatch.phase("callbacks"):
            self._list.on_test_begin()

    def validation_ended(self, logs: Mapping[str, float]) -> None:
        """Tell them what was measured on the validation rows."""
        with self._stopwatch.phase("callbacks"):
            self._list.on_test_end(logs)

    def _step_begins(self, step: int) -> None:
        if self.hook_into_steps and step < self._steps:
            with self._stopwatch.phase("callbacks"):
                self._list.on_train_batch_begin(step)


def _keras_logs(measured: Mapping[str, float]) -> dict[str, float]:
    """Return `measured` under the names that Keras callbacks know: `loss`, `val_loss`."""
    return {
        name.removeprefix("train.") if name.startswith("train.") else name.replace("validation.", "val_", 1): value
        for name, value in measured.items()
    }


def _hooks_into_steps(callback: keras.callbacks.Callback) -> bool:
    """Return whether a callback wants to be called before or after each step."""
    names = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    return any(getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name) for name in names)
