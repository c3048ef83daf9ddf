"""The weights of a model as plain arrays: taken, put back, averaged. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import keras
import numpy as np

from mltrain.training.state import assign, use_new_statistics


def take_weights(model: keras.Model) -> dict[str, np.ndarray]:
    """Return a copy of every variable that predictions depend on, by its place in the model.

    Places, not Keras' paths: an automatic name depends on what else the process has built.
    """
    return by_place([variable.numpy() for variable in model.weights])


def by_place(arrays: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Return the weights of a model, in Keras' order, by their places."""
    return {_place(number): array for number, array in enumerate(arrays)}


def put_weights(model: keras.Model, arrays: Mapping[str, np.ndarray], origin: str) -> None:
    """Set every variable of `model` from what `take_weights` returned.

    Args:
        model: built from the same spec.
        arrays: by place.
        origin: where they come from, for the message.

    Raises:
        RunError: a variable is missing, left over, or of another shape or dtype.
    """
    assign({_place(number): variable for number, variable in enumerate(model.weights)}, arrays, origin)
    use_new_statistics(model)


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """While inside, the model holds the optimizer's moving averages (`use_ema`), where it keeps any.

    Keras writes the averages into the weights only at the very end of `fit`; so what it validates and keeps as best
    is not what it hands out. Here the averaged weights are what is validated, kept and exported, and training goes on
    from the others.
    """
    optimizer = model.optimizer
    if not getattr(optimizer, "use_ema", False):
        yield
        return
    raw = [variable.numpy() for variable in model.trainable_variables]
    optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, raw, strict=True):
            variable.assign(value)


def _place(number: int) -> str:
    return f"weight-{number:04d}"
