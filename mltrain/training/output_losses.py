"""Losses of targets of different kinds, whose outputs are beside each other in one tensor. Imports TensorFlow.

There is one loss for Keras, which is the weighted sum of those of the parts for each row. So the loop, its partial
blocks and its sample weights are those of any model. Keras' own way, a list of outputs, weights the loss of each output
by the static size of a batch, which an evaluation of the last rows does not have: a block of any size counts as one row
(Keras 3.15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from mltrain.errors import MisfitError
from mltrain.keras_api.build import build
from mltrain.keras_api.components import KerasComponent
from mltrain.outputs import KINDS
from mltrain.outputs.kind import TargetForm
from mltrain.task import DataInfo, Output
from mltrain.training.class_weights import class_weights
from mltrain.training.metrics import default_loss
from mltrain.training.own_code import refuse_without_rows
from mltrain.training.spec import TrainingSpec
from mltrain.training.targets import OF_WHOLE_BATCHES

_MEANS = ("sum_over_batch_size", "mean", "auto")


@dataclass(frozen=True)
class OutputLoss:
    """The loss of one part.

    Attributes:
        name: of its target.
        loss: of Keras, which returns that of each row.
        form: in which it wants the targets.
        units: of the part.
        place: of its predictions on the last axis of the outputs.
        column: of its target on the last axis of the targets.
        weight_column: of the weight of each row there.
        weight: how much it counts in the sum.
    """

    name: str
    loss: keras.losses.Loss
    form: TargetForm
    units: int
    place: slice
    column: int
    weight_column: int
    weight: float

    def rows(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row `(batch,)`, times the weight of the row."""
        target, weights = y_true[:, self.column], y_true[:, self.weight_column]
        if self.form == "one-hot":
            target = ops.one_hot(ops.cast(target, "int32"), self.units)
        elif self.form != "class numbers":
            target = ops.expand_dims(target, -1)
        return weights * self.loss(target, y_pred[:, self.place])


class OutputsLoss(keras.losses.Loss):
    """The sum of the losses of all parts, each times its weight.

    Args:
        parts: in the order of the outputs.
    """

    def __init__(self, parts: Sequence[OutputLoss]) -> None:
        super().__init__(name="outputs")
        self._parts = tuple(parts)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row `(batch,)`."""
        return sum(part.weight * part.rows(y_true, y_pred) for part in self._parts)


def output_losses(training: TrainingSpec, info: DataInfo) -> tuple[OutputLoss, ...]:
    """Return the losses of all parts, in the order of the outputs.

    Raises:
        MisfitError: one is not a mean over rows.
    """
    parts = info.output.parts
    found = []
    for number, (part, place) in enumerate(info.output.placed):
        component = loss_of(training, part)
        form = KINDS[part.task].target_form(component.type)
        loss = _of_rows(component, part.name)
        shape = () if form == "class numbers" else (part.units if form == "one-hot" else 1,)
        try:
            refuse_without_rows(component, loss, (shape, "float32"), part.units)
        except MisfitError as error:
            raise MisfitError(("training", "outputs", part.name, "loss"), error.message) from error
        found.append(
            OutputLoss(
                name=part.name,
                loss=loss,
                form=form,
                units=part.units,
                place=place,
                column=number,
                weight_column=len(parts) + number,
                weight=training.of_output(part.name).weight,
            )
        )
    return tuple(found)


def loss_of(training: TrainingSpec, part: Output) -> KerasComponent:
    """Return the loss of a part: the stated one, or the usual one of its task."""
    return training.of_output(part.name).loss or default_loss(part.task)


def _of_rows(component: KerasComponent, name: str) -> keras.losses.Loss:
    """Return a loss that returns that of each row."""
    path = ("training", "outputs", name, "loss")
    if component.type in OF_WHOLE_BATCHES:
        message = f"{component.type} is computed of all rows of a batch together, so it cannot be one of several losses"
        raise MisfitError(path, message)
    loss = build(component)
    if component.own is not None:
        loss.reduction = None  # its config may not have it
        return loss
    if loss.reduction not in _MEANS:
        raise MisfitError((*path, "reduction"), "the losses of several targets are means over the rows: remove it")
    return type(loss).from_config({**loss.get_config(), "reduction": None})


def beside_each_other(y: np.ndarray, info: DataInfo, training: TrainingSpec | None = None) -> np.ndarray:
    """Return the targets of all parts and, beside them, the weight of each row in the loss of each, float32
    `(rows, 2 * targets)`.

    A row that lacks a target has the weight 0 there. The others have rows / rows with the target, so that the mean over
    all rows, which is what Keras computes, is that over the rows that have it.

    Args:
        y: `(rows, targets)`, NaN where a row lacks one.
        info: what is known of the data.
        training: where the rows are for training: its class weights count, too.

    Raises:
        MisfitError: a class that is weighted is not known.
    """
    there = ~np.isnan(y)
    counts = there.sum(axis=0)
    weights = there * (len(y) / np.maximum(counts, 1))
    for number, part in enumerate(info.of_parts):
        if training is None or training.of_output(part.output.name).class_weight is None:
            continue
        known = there[:, number]
        classes = y[known, number].astype(np.int64)
        name = part.output.name
        try:
            of_classes = class_weights(training.for_output(name), classes, part)
        except MisfitError as error:
            raise MisfitError(("training", "outputs", name, *error.path[1:]), error.message) from error
        if of_classes is not None:
            weights[known, number] *= of_classes[classes]
    return np.concatenate([np.where(there, y, 0.0), weights], axis=1).astype(np.float32)
