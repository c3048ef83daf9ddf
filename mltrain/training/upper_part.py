"""The part of a model that is trained, from the kept outputs of the part before it. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from mltrain.training.training_step import StepParts, TrainingStep


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


class UpperSteps(TrainingStep):
    """Steps of the rest of a model. They are given, in place of `x`, what the part before gives.

    Args:
        model: compiled and built.
        parts: what a step does besides.
        rest: of the model.
    """

    def __init__(self, model: keras.Model, parts: StepParts, rest: UpperPart) -> None:
        super().__init__(model, parts)
        self._rest = rest

    def _outputs(self, x: Any) -> tuple[tf.Tensor, Callable[[], tf.Tensor]]:
        outputs = self._rest.run(x, True)
        return outputs, lambda: outputs
