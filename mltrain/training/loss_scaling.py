"""An optimizer inside of one that scales the loss. Imports TensorFlow.

Gradients in float16 become 0 below 6e-8. Keras' LossScaleOptimizer multiplies the loss, and divides the gradients; a
step whose gradients are then not finite changes no weight, and halves the scale, which grows again after 2,000 good
ones. What it holds is among its variables, and so in every checkpoint.
"""

from __future__ import annotations

import keras


def inner_optimizer(model: keras.Model) -> keras.optimizers.Optimizer:
    """Return the optimizer that updates the weights of a compiled model."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def scales_loss(model: keras.Model) -> bool:
    """Return whether the loss of a compiled model is scaled."""
    return isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
