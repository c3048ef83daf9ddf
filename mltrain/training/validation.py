"""What the validation rows give after an epoch. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mltrain.training.evaluation_loop import EvaluationLoop


@dataclass(frozen=True)
class Validation:
    """Measures the validation rows.

    Attributes:
        loop: over these rows.
        measure: returns the exact metrics of their predictions `(rows, outputs)`, by name.
    """

    loop: EvaluationLoop
    measure: Callable[[np.ndarray], dict[str, float]]

    def run(
        self, between_chunks: Callable[[], None], refuse_divergence: Callable[[Mapping[str, float]], None]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Return the loss and the metrics of Keras, and all that is measured, each by `validation.metric`.

        Args:
            between_chunks: called between two calls of the compiled loop; it may raise, to stop.
            refuse_divergence: raises where one of the values that it gets, by what they are, is not finite.
        """
        logs, outputs = self.loop.run(between_chunks)
        refuse_divergence(of_split("validation", logs))
        refuse_divergence({"a validation prediction": float(np.abs(outputs).max())})
        exact = self.measure(outputs)
        # Of finite predictions, NaN says that a metric is not defined for these rows, as roc_auc where all are of one
        # class: that is in metrics.json, and no fault of the training.
        defined = {name: value for name, value in exact.items() if not math.isnan(value)}
        refuse_divergence(of_split("validation", defined))
        # The exact metric wins over Keras' running average of the same name: they are equal but for the last bits.
        return logs, of_split("validation", logs | exact)


def of_split(split: str, values: Mapping[str, float]) -> dict[str, float]:
    """Return values under their full names: `loss` of `train` as `train.loss`."""
    return {f"{split}.{name}": value for name, value in values.items()}
