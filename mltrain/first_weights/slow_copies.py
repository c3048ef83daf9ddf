"""Optimizers that keep a copy of the weights from when they were made. Imports TensorFlow."""

from __future__ import annotations

import keras


def follow_first_weights(model: keras.Model) -> None:
    """Give an optimizer the weights that were put into a model after it was compiled.

    `ScheduleFreeAdamW` trains from a copy of its own. A moving average (`use_ema`) begins at the first step, with the
    weights that the model then has.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if isinstance(optimizer, keras.optimizers.ScheduleFreeAdamW):
        for copy, variable in zip(optimizer._momentums, model.trainable_variables, strict=True):
            copy.assign(variable)
