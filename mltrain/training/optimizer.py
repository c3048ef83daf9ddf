"""From the spec of an optimizer to the object that updates the weights. Imports TensorFlow."""

from __future__ import annotations

import keras

from mltrain.keras_api.build import build
from mltrain.keras_api.components import KerasComponent
from mltrain.training.learning_rate import ScheduledRate
from mltrain.training.schedule import Schedule
from mltrain.training.weight_decay import spare


def make_optimizer(
    component: KerasComponent,
    schedule: Schedule | None,
    updates: int,
    epochs: int,
    weights_of: keras.Model | None = None,
    *,
    scale_loss: bool = False,
) -> keras.optimizers.Optimizer:
    """Return an optimizer, whose learning rate follows a schedule where there is one.

    Args:
        component: of Keras.
        schedule: of the learning rate; None leaves it as the component says.
        updates: of the weights, in all epochs, over which the schedule goes.
        epochs: in which they are.
        weights_of: the model of which only weights are decayed; None decays all that is trained.
        scale_loss: whether the loss is scaled, for gradients in float16.
    """
    optimizer = build(component)
    if weights_of is not None:
        spare(optimizer, weights_of)
    if schedule is not None:
        optimizer.learning_rate = ScheduledRate(
            component.argument("learning_rate"), schedule, updates, updates // epochs
        )
    # Keras does it by itself only where a policy stands for all layers while a model is compiled.
    return keras.optimizers.LossScaleOptimizer(optimizer) if scale_loss else optimizer
