"""The part of a model that is trained, from the kept outputs of the part before it. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf


@dataclass(frozen=True)
class UpperPart:
    """The rest of a model behind a part that is not trained.

    Attributes:
        run: from what the part before gives (a tensor, or a list of them), and whether it is training, to the outputs
            of the model.
        inputs: shape, without the batch, and dtype of each tensor that it takes.
    """

    run: Callable[[Any, bool], Any]
    inputs: tuple[tuple[tuple[int, ...], str], ...]


class UpperSteps:
    """Keras' `train_step`, which begins in the middle of the model.

    Args:
        model: compiled and built.
        part: of it, that is run.
    """

    def __init__(self, model: keras.Model, part: UpperPart) -> None:
        self._model = model
        self._run = part.run

    def __call__(self, data: tuple[Any, ...]) -> None:
        """Update the weights by some rows, and the running loss and metrics; called while a graph is traced.

        Args:
            data: what the part before gives, `y` and perhaps `sample_weight`.
        """
        model = self._model
        values, y, weights = (*data, None)[:3]
        with tf.GradientTape() as tape:
            outputs = self._run(values, True)
            loss = model.compute_loss(x=values, y=y, y_pred=outputs, sample_weight=weights, training=True)
            model.metrics[0].update_state(loss, sample_weight=tf.shape(y)[0])
            scaled = model.optimizer.scale_loss(loss)
        trained = model.trainable_weights
        model.optimizer.apply_gradients(zip(tape.gradient(scaled, trained), trained, strict=True))
        model.compute_metrics(values, y, outputs, sample_weight=weights)
