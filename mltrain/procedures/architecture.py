"""The layers of a model that is built, as they are recorded."""

from __future__ import annotations

import math
from typing import Any

from mltrain.run.architecture import Architecture, RecordedLayer


def architecture_of(model: Any) -> Architecture:
    """Return the layers of a Keras model whose layers follow one another."""
    return Architecture(
        input=_shape(model.inputs[0].shape),
        layers=tuple(
            RecordedLayer(
                name=layer.name,
                kind=type(layer).__name__,
                output=_shape(layer.output.shape),
                parameters=layer.count_params(),
                trainable=sum(math.prod(variable.shape) for variable in layer.trainable_variables),
            )
            for layer in model.layers
            if hasattr(layer, "output")
        ),
    )


def _shape(with_batch: tuple[int | None, ...]) -> tuple[int | None, ...]:
    return tuple(with_batch[1:])
