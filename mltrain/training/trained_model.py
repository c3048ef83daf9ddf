"""A model while it is trained: where its optimizer stands, and the weights that an epoch ended with. Imports
TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from mltrain.training.loss_scaling import inner_optimizer
from mltrain.training.weights import averaged_weights, by_place, take_weights


class TrainedModel:
    """A model, as it was at the end of the last recorded epoch.

    Where several epochs share a call of the compiled loop, its variables are already those of the last of them.

    Args:
        model: compiled and built.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        # How many steps the variables are ahead of the last recorded epoch, and the weights that it ended with.
        self._ahead: tuple[int, Sequence[np.ndarray]] | None = None

    def stands_at_the_end(self) -> None:
        """Note that the variables are those that the last recorded epoch ended with."""
        self._ahead = None

    def is_ahead(self, steps: int, weights: Sequence[np.ndarray]) -> None:
        """Note that the variables are some steps ahead of an epoch, which ended with these weights."""
        self._ahead = (steps, weights)

    @property
    def settled(self) -> bool:
        """Whether the variables are those that the last recorded epoch ended with: only then can a state be kept."""
        return self._ahead is None

    @property
    def step(self) -> int:
        """Updates of the weights by its optimizer, up to the last recorded epoch or so far in the one under way."""
        return int(self._model.optimizer.iterations.numpy()) - (self._ahead[0] if self._ahead else 0)

    @property
    def learning_rate(self) -> float:
        """That of the step after `step`."""
        optimizer = inner_optimizer(self._model)
        if self._ahead is None or not isinstance(optimizer._learning_rate, LearningRateSchedule):
            return float(optimizer.learning_rate)
        return float(optimizer._learning_rate(ops.convert_to_tensor(self.step, optimizer.iterations.dtype)))

    @property
    def averages(self) -> bool:
        """Whether the optimizer keeps moving averages of the weights."""
        return bool(inner_optimizer(self._model).use_ema)

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights that the last recorded epoch ended with, as `take_weights`."""
        if self._ahead is not None:
            return by_place(self._ahead[1])
        with averaged_weights(self._model):
            return take_weights(self._model)

    def reduce_learning_rate(self, factor: float) -> float:
        """Multiply the learning rate, which must be a number and not a schedule, and return the new one."""
        optimizer = self._model.optimizer
        optimizer.learning_rate = float(optimizer.learning_rate) * factor
        return float(optimizer.learning_rate)
