"""What a model computes before the activation of its head: the quantity whose parts and whose gradient mean something
also where a probability is 1.0 to the last digit, and which a temperature divides. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from mltrain.models.members import OF_SIGMOID, OF_SOFTMAX
from mltrain.models.walk import head_of, walk
from mltrain.task import Task

_FLOAT32 = np.finfo(np.float32)


def scores(model: keras.Model, x: Any, output: str | None = None) -> tf.Tensor:
    """Return what goes into the activation of a head, float32 `(batch, units)`.

    Args:
        model: each of its heads is a Dense layer, or an activation behind one (`models/head.py`).
        x: encoded rows `(batch, …)`; by the name of the input where the model has several.
        output: name of the output whose head it is, where the model has several.
    """
    head = head_of(model, output)
    found: list[tf.Tensor] = []

    def call(layer: keras.Layer, *given: Any, **more: Any) -> Any:
        if layer is not head:
            return layer(*given, **more)
        found.append(_before_activation(head, *given))
        return found[-1]

    walk(model, x, call)
    return found[0]


def _before_activation(head: keras.Layer, x: tf.Tensor) -> tf.Tensor:
    x = tf.cast(x, tf.float32)
    if head.name in (OF_SIGMOID, OF_SOFTMAX):  # the logits of a mean of probabilities
        probability = tf.clip_by_value(x, float(_FLOAT32.tiny), float(1 - _FLOAT32.epsneg))
        logits = tf.math.log(probability)
        return logits - tf.math.log1p(-probability) if head.name == OF_SIGMOID else logits
    if not isinstance(head, keras.layers.Dense):
        return x
    x = tf.matmul(x, tf.convert_to_tensor(head.kernel))
    return x if head.bias is None else x + tf.convert_to_tensor(head.bias)


def score(model: keras.Model, x: Any, chosen: tf.Tensor, output: str | None = None) -> tf.Tensor:
    """Return one number a row, float32 `(batch,)`.

    Of several classes it is the logit of the chosen one minus the mean of all: the same number can be added to all
    logits of a row and changes no probability, so one logit alone means nothing. For binary it is the logit of the
    positive class, for numbers the output before its activation.

    Args:
        model: as for `scores`, and so are `x` and `output`.
        x: encoded rows.
        chosen: a class for each row, int32 `(batch,)`; it matters with several classes only.
        output: name of the output.
    """
    found = scores(model, x, output)
    if found.shape[-1] == 1:
        return found[:, 0]
    return tf.gather(found, chosen, axis=1, batch_dims=1) - tf.reduce_mean(found, axis=1)


def tempered_model(model: keras.Model, parts: Sequence[tuple[slice, Task, float | None]]) -> keras.Model:
    """Return `model`, whose outputs are probabilities (batch, outputs), with its logits divided by a temperature: the
    same as `tempered` of `evaluation/calibration.py` as the end of a Keras graph, for `model.keras`.

    Args:
        model: of one output, or of several beside each other.
        parts: of each where it is on the last axis, its task, and its temperature where it has one.
    """
    inputs = [keras.Input(each.shape[1:], dtype=each.dtype) for each in model.inputs]
    outputs = model(inputs if len(inputs) > 1 else inputs[0])
    found = [
        outputs[:, place] if temperature is None else _tempered(outputs[:, place], task, temperature)
        for place, task, temperature in parts
    ]
    return keras.Model(
        inputs if len(inputs) > 1 else inputs[0], found[0] if len(found) == 1 else ops.concatenate(found, axis=-1)
    )


def _tempered(outputs: Any, task: Task, temperature: float) -> Any:
    """Return probabilities with their logits divided by the temperature.

    The logits are found from the probabilities, in float64: a model may end in them without having had logits.
    """
    probability = ops.cast(outputs, "float64")
    if task == "binary":
        probability = ops.clip(probability, float(_FLOAT32.tiny), float(1 - _FLOAT32.epsneg))
        logits = ops.subtract(ops.log(probability), ops.log1p(ops.negative(probability)))
        scaled = ops.sigmoid(ops.divide(logits, np.float64(temperature)))
    else:
        logits = ops.log(ops.clip(probability, float(_FLOAT32.tiny), 1.0))
        scaled = ops.softmax(ops.divide(logits, np.float64(temperature)))
    return ops.cast(scaled, "float32")
