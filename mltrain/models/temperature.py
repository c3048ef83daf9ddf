"""Temperature as the end of a Keras graph, for `model.keras`: the same as `tempered` of `evaluation/calibration.py`.
Imports TensorFlow."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from mltrain.task import Task

_FLOAT32 = np.finfo(np.float32)


def tempered_model(model: keras.Model, task: Task, temperature: float) -> keras.Model:
    """Return `model`, whose outputs are probabilities (batch, outputs), with its logits divided by `temperature`.

    The logits are found from the probabilities, in float64: a model may end in them without having had logits.
    """
    inputs = keras.Input(model.input_shape[1:], dtype=model.inputs[0].dtype)
    probability = ops.cast(model(inputs), "float64")
    if task == "binary":
        probability = ops.clip(probability, float(_FLOAT32.tiny), float(1 - _FLOAT32.epsneg))
        logits = ops.subtract(ops.log(probability), ops.log1p(ops.negative(probability)))
        scaled = ops.sigmoid(ops.divide(logits, np.float64(temperature)))
    else:
        logits = ops.log(ops.clip(probability, float(_FLOAT32.tiny), 1.0))
        scaled = ops.softmax(ops.divide(logits, np.float64(temperature)))
    return keras.Model(inputs, ops.cast(scaled, "float32"))
