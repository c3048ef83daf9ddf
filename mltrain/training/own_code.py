"""What a loss and a training step of the user's must keep, so that what is measured means what it says. Imports
TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from mltrain.errors import MisfitError
from mltrain.keras_api.components import KerasComponent

_ROWS = 5


def refuse_without_rows(
    component: KerasComponent, loss: keras.losses.Loss, target: tuple[tuple[int, ...], str], units: int
) -> None:
    """Refuse a loss of the user's that does not return the loss of each row.

    Of a mean over the batch, the rows of a smaller last batch would count more, and no class and no row could be
    weighted.

    Args:
        component: as the config has it.
        loss: built of it.
        target: the shape of one target, without the batch, and its dtype.
        units: outputs of the model.

    Raises:
        MisfitError: says what it returned; the path is that of `training.loss`.
    """
    if component.own is None:
        return
    shape, dtype = target
    rows = loss.call(tf.ones((_ROWS, *shape), dtype), tf.fill((_ROWS, units), 0.5))
    found = tuple(tf.convert_to_tensor(rows).shape)
    if not found or found[0] != _ROWS:
        what = "one number" if not found else f"the shape {found} for {_ROWS} rows"
        message = f"{component.type} returns {what}; expected the loss of each row, (batch,): leave out the mean over"
        raise MisfitError(("training", "loss"), f"{message} the rows")


def refuse_without_loss(model: keras.Model) -> None:
    """Refuse a `train_step` of the user's that does not keep the loss, which would be 0 in every epoch.

    Raises:
        MisfitError: says what keeps it.
    """
    if not float(model._loss_tracker.count):
        message = (
            "its train_step does not keep the loss, as Keras' guide does it: for metric in self.metrics: "
            "metric.update_state(loss) if metric.name == 'loss' else metric.update_state(y, y_pred)"
        )
        raise MisfitError(("model", "type"), message)


def of_step_alone(model: keras.Model) -> set[str]:
    """Return the names of the metrics that only a `train_step` of the user's updates."""
    return {each.name for each in getattr(model, "_inner", model)._metrics}
