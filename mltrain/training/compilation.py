"""From specs to a compiled Keras model: optimizer, loss, metrics and the form of the targets. Imports TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from mltrain.errors import MisfitError
from mltrain.keras_api.build import build
from mltrain.keras_api.messages import reason
from mltrain.task import DataInfo
from mltrain.training.metrics import TrainingMetric, default_loss, training_metrics
from mltrain.training.spec import TrainingSpec


def compile_model(model: keras.Model, training: TrainingSpec, info: DataInfo, scaled: bool) -> None:
    """Compile and build `model`, its optimizer and its metrics, so that every variable exists before the loop is
    traced.

    Args:
        model: from a model spec's `build`.
        training: optimizer, loss and metrics.
        info: the task decides what is not stated.
        scaled: whether the target is scaled for training.

    Raises:
        MisfitError: the loss or a metric does not fit the task.
    """
    metrics = [_keras_metric(metric) for metric in training_metrics(training, info.task, scaled)]
    model.compile(
        optimizer=build(training.optimizer),
        loss=build(training.loss or default_loss(info.task)),
        metrics=metrics,
        jit_compile=False,
    )
    target_shape, target_dtype = target_form(training, info)
    try:
        model._symbolic_build(
            data_batch=(
                keras.KerasTensor((2, *info.input_shape), dtype=info.input_dtype),
                keras.KerasTensor((2, *target_shape), dtype=target_dtype),
            )
        )
    except (ValueError, TypeError) as error:
        raise MisfitError(("training",), f"loss or metrics do not fit a {info.task} task: {reason(error)}") from error


def target_form(training: TrainingSpec, info: DataInfo) -> tuple[tuple[int, ...], str]:
    """Return the shape of one target, without the batch, and its dtype."""
    if info.task == "multiclass":
        return ((info.outputs,), "float32") if one_hot(training, info) else ((), "int32")
    return (1,), "float32"


def one_hot(training: TrainingSpec, info: DataInfo) -> bool:
    """Return whether the loss wants classes one-hot: every Keras loss but the sparse one does."""
    loss = training.loss or default_loss(info.task)
    return info.task == "multiclass" and not loss.type.startswith("Sparse")


def shape_targets(y: np.ndarray, training: TrainingSpec, info: DataInfo) -> np.ndarray:
    """Return the targets as the loss wants them: `(rows,)` int32, one-hot `(rows, classes)`, or `(rows, 1)` float32."""
    if one_hot(training, info):
        return np.eye(info.outputs, dtype=np.float32)[y]
    return y if info.task == "multiclass" else y.reshape(-1, 1).astype(np.float32)


def _keras_metric(metric: TrainingMetric) -> Any:
    built = build(metric.component)
    if isinstance(built, str):  # "accuracy": Keras chooses the kind by the shapes of targets and outputs
        return built
    return type(built).from_config({**built.get_config(), "name": metric.name})
