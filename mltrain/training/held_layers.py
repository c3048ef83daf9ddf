"""Layers that do while training what they do in a prediction. Imports TensorFlow.

Keras tells every layer of a graph whether the model is training; `backbone(x, training=False)`, which its guide to
transfer learning has for this, is overridden by it (Keras 3.15), and a layer that is not trained still drops units.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras


@contextmanager
def as_in_predictions(layers: Sequence[keras.Layer]) -> Iterator[None]:
    """Trace what is called inside with layers that are told that they are not training."""
    held = [layer for layer in layers if "training" in layer._call_signature.parameters]
    try:
        for layer in held:
            object.__setattr__(layer, "call", _not_training(layer.call))
        yield
    finally:
        for layer in held:
            vars(layer).pop("call", None)


def _not_training(call: Any) -> Any:
    def called(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **{**kwargs, "training": False})

    return called
