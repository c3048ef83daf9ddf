"""From specs to a compiled Keras model: optimizer, loss, metrics and the form of the targets. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from mltrain.errors import MisfitError
from mltrain.keras_api.build import REFUSALS, build
from mltrain.keras_api.components import KerasComponent, make
from mltrain.keras_api.messages import reason
from mltrain.outputs import KINDS
from mltrain.outputs.kind import TargetForm
from mltrain.task import DataInfo, of_target
from mltrain.training.metrics import TrainingMetric, default_loss, training_metrics
from mltrain.training.optimizer import make_optimizer
from mltrain.training.output_losses import OutputsLoss, beside_each_other, loss_of, output_losses
from mltrain.training.own_code import refuse_without_rows
from mltrain.training.schedule import Schedule
from mltrain.training.soft_targets import mix_misfit, smoothing_misfit
from mltrain.training.spec import TrainingSpec
from mltrain.training.targets import loss_misfit, metric_misfit

_CROSSENTROPY = {
    "zero or one": keras.metrics.BinaryCrossentropy,
    "labels": keras.metrics.BinaryCrossentropy,
    "one-hot": keras.metrics.CategoricalCrossentropy,
    "class numbers": keras.metrics.SparseCategoricalCrossentropy,
}


def compile_model(
    model: keras.Model, training: TrainingSpec, info: DataInfo, scaled: bool, *, scale_loss: bool = False
) -> None:
    """Compile and build `model`, its optimizer and its metrics, so that every variable exists before the loop is
    traced.

    Args:
        model: from a model spec's `build`.
        training: optimizer, loss and metrics.
        info: the task decides what is not stated.
        scaled: whether the target is scaled for training.
        scale_loss: whether the loss is scaled, for gradients in float16.

    Raises:
        MisfitError: the loss or a metric does not fit the task.
    """
    if KINDS[info.task].mixed:
        _refuse_soft_targets(training, training.loss or make("loss", "MeanSquaredError"), info)
        _compile_outputs(model, training, info, scaled, scale_loss)
        return
    loss = training.loss or default_loss(info.task)
    _refuse_soft_targets(training, loss, info)
    _refuse_misfits(training, loss, info, scaled)
    metrics = training_metrics(training, info.task, scaled)
    try:
        _compile(model, optimizer_of(model, training, info, scale_loss), training, loss, metrics, info)
    except REFUSALS as error:
        path = _culprit(model, training, loss, metrics, info)
        raise MisfitError(path, f"it does not fit a {info.task} task: {reason(error)}") from error


def _compile_outputs(
    model: keras.Model, training: TrainingSpec, info: DataInfo, scaled: bool, scale_loss: bool
) -> None:
    """Compile a model of targets of different kinds: one loss for all, and the loss of each as a metric.

    Raises:
        MisfitError: the loss of a target does not fit it.
    """
    for part in info.output.parts:
        message = loss_misfit(loss_of(training, part), part.task, scaled)
        if message:
            raise MisfitError(("training", "outputs", part.name, "loss"), message)
    losses = output_losses(training, info)
    metrics = [keras.metrics.MeanMetricWrapper(each.rows, name=of_target("loss", each.name)) for each in losses]
    optimizer = optimizer_of(model, training, info, scale_loss)
    model.compile(optimizer=optimizer, loss=OutputsLoss(losses), metrics=metrics, jit_compile=False)
    _build(model, training, info)


def _refuse_misfits(training: TrainingSpec, loss: KerasComponent, info: DataInfo, scaled: bool) -> None:
    message = loss_misfit(loss, info.task, scaled)
    if message:
        raise MisfitError(("training", "loss"), message)
    for number, metric in enumerate(training.metrics or ()):
        message = metric_misfit(metric, info.task, loss, scaled, info.output.units)
        if message:
            raise MisfitError(("training", "metrics", number), message)


def _refuse_soft_targets(training: TrainingSpec, loss: KerasComponent, info: DataInfo) -> None:
    if training.mix is not None and (message := mix_misfit(training.mix, info.task, info.inputs)):
        raise MisfitError(("training", "mix"), message)
    if training.label_smoothing and (message := smoothing_misfit(loss, info.task)):
        raise MisfitError(("training", "label_smoothing"), message)


def _compile(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    training: TrainingSpec,
    loss: KerasComponent,
    metrics: Iterable[TrainingMetric],
    info: DataInfo,
) -> None:
    built = build(loss)
    refuse_without_rows(loss, built, target_signature(training, info), info.output.units)
    model.compile(
        optimizer=optimizer,
        loss=built,
        metrics=[_keras_metric(metric, training, info) for metric in metrics],
        jit_compile=False,
    )
    _build(model, training, info)


def optimizer_of(
    model: keras.Model, training: TrainingSpec, info: DataInfo, scale_loss: bool
) -> keras.optimizers.Optimizer:
    """Return the optimizer of the whole training."""
    component = training.optimizer or make("optimizer", "Adam")
    schedule = training.schedule if isinstance(training.schedule, Schedule) else None
    decay_on = None if training.weight_decay_on == "all" else model
    # Without a schedule nothing asks how long the training is, which may not be known.
    updates, epochs = (training.updates(info.train_rows), training.most_epochs) if schedule is not None else (1, 1)
    return make_optimizer(component, schedule, updates, epochs, decay_on, scale_loss=scale_loss)


def _build(model: keras.Model, training: TrainingSpec, info: DataInfo) -> None:
    """Make every variable of a compiled model."""
    shape, dtype = target_signature(training, info)
    inputs = [keras.KerasTensor((2, *each.shape), dtype=each.dtype) for each in info.inputs]
    target = keras.KerasTensor((2, *shape), dtype=dtype)
    model._symbolic_build(data_batch=(inputs[0] if len(inputs) == 1 else inputs, target))


def _culprit(
    model: keras.Model, training: TrainingSpec, loss: KerasComponent, metrics: Iterable[TrainingMetric], info: DataInfo
) -> tuple[str | int, ...]:
    """Return the path of what cannot be compiled: the loss, or the first metric that fails alone."""
    alone: list[tuple[tuple[str | int, ...], tuple[TrainingMetric, ...]]] = [(("training", "loss"), ())]
    alone += [(("training", "metrics", number), (metric,)) for number, metric in enumerate(metrics)]
    for path, chosen in alone:
        try:
            _compile(model, optimizer_of(model, training, info, False), training, loss, chosen, info)
        except REFUSALS:
            return path
    return ("training",)


def target_signature(training: TrainingSpec, info: DataInfo) -> tuple[tuple[int, ...], str]:
    """Return the shape of one target as the loss wants it, without the batch, and its dtype."""
    match target_form(training, info):
        case "one-hot":
            return (info.output.units,), "float32"
        case "class numbers":
            return (), "int32"
        case "beside each other":
            return (2 * len(info.output.parts),), "float32"
    return (info.output.units,), "float32"


def target_form(training: TrainingSpec, info: DataInfo) -> TargetForm:
    """Return the form in which the loss of an experiment wants the targets."""
    kind = KINDS[info.task]
    return kind.target_form("" if kind.mixed else (training.loss or default_loss(info.task)).type)


def shape_targets(y: np.ndarray, training: TrainingSpec, info: DataInfo) -> np.ndarray:
    """Return the targets as the loss wants them: `(rows,)` int32, one-hot `(rows, classes)`, or `(rows, targets)`
    float32; of different kinds as `beside_each_other` says."""
    match target_form(training, info):
        case "one-hot":
            return np.eye(info.output.units, dtype=np.float32)[y]
        case "class numbers":
            return y
        case "beside each other":
            return beside_each_other(y, info)
    return y.reshape(len(y), -1).astype(np.float32)


def _keras_metric(metric: TrainingMetric, training: TrainingSpec, info: DataInfo) -> Any:
    built = build(metric.component)
    logits = training.loss is not None and training.loss.takes_logits
    if built == "crossentropy":  # in Keras 3.15 `compile` does not know its own name for it
        return _CROSSENTROPY[target_form(training, info)](name=built, from_logits=logits)
    if built == "accuracy" and logits and info.task == "binary":
        return keras.metrics.BinaryAccuracy(name=built, threshold=0.0)  # Keras' choice would cut logits at 0.5
    if isinstance(built, str):  # "accuracy": Keras chooses the kind by the shapes of targets and outputs
        return built
    return type(built).from_config({**built.get_config(), "name": metric.name})
