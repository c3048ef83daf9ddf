"""What a step of a training does besides an update by the loss of its rows. Imports TensorFlow."""

from __future__ import annotations

import keras

from mltrain.outputs import KINDS
from mltrain.task import DataInfo
from mltrain.training.label_smoothing import SmoothedLoss
from mltrain.training.metrics import default_loss
from mltrain.training.mixing import Mixing
from mltrain.training.spec import TrainingSpec
from mltrain.training.training_step import StepParts


def step_parts(model: keras.Model, training: TrainingSpec, info: DataInfo, seed: int) -> StepParts:
    """Return what the steps of a settled training do besides.

    Args:
        model: compiled.
        training: of the experiment.
        info: what is known of the data.
        seed: of the experiment.
    """
    loss = None
    if training.label_smoothing:
        stated = training.loss or default_loss(info.task)
        form = KINDS[info.task].target_form(stated.type)
        loss = SmoothedLoss(model, stated, form, info.output.units, training.label_smoothing)
    return StepParts(
        loss=loss,
        mixing=None if training.mix is None else Mixing(training.mix, seed),
        batch=training.rows_of_batch(info.train_rows) if training.accumulate > 1 else None,
    )
