"""Which of Keras' losses and metrics fit which targets and predictions. No TensorFlow here.

Keras checks shapes at most: categorical cross-entropy of one output is 0 whatever is learned, binary cross-entropy of a
price has no lower end, and the sparse accuracy of one output is the share of class 0. Each of these trains, and means
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mltrain.keras_api.components import KerasComponent
from mltrain.outputs import KINDS
from mltrain.outputs.kind import TargetForm
from mltrain.task import Task
from mltrain.wording import in_words

_FITS_NO_TASK = {
    "CTC": "it aligns sequences of labels, but a row here has one target",
    "Circle": "it compares embeddings, but a model here ends in predictions",
}
# The tasks that each loss fits, as their kinds say. Predictions are probabilities from a sigmoid or a softmax, any
# number from a linear head, or a positive one from an exponential head. So Poisson, which takes the logarithm of a
# prediction, is for classes and counts; and a cosine of one output is its sign.
LOSSES: Mapping[str, tuple[Task, ...]] = {
    loss: tuple(kind.name for kind in KINDS.values() if loss in kind.losses)
    for loss in sorted({*_FITS_NO_TASK, *(loss for kind in KINDS.values() for loss in kind.losses)})
}
OF_WHOLE_BATCHES = ("Dice", "Tversky")
# Percentages and logarithms of a target that was moved to mean 0 are of nothing.
_OF_OWN_UNITS = ("MeanAbsolutePercentageError", "MeanSquaredLogarithmicError")

_ONE_OUTPUT_OR_ONE_HOT: tuple[TargetForm, ...] = ("zero or one", "one-hot", "labels")
_ONE_HOT: tuple[TargetForm, ...] = ("one-hot",)
_ZERO_OR_ONE: tuple[TargetForm, ...] = ("zero or one", "labels")
_CLASS_NUMBERS: tuple[TargetForm, ...] = ("class numbers",)
_DIFFERENCES: tuple[TargetForm, ...] = ("zero or one", "one-hot", "numbers", "counts", "labels")
METRICS: Mapping[str, tuple[TargetForm, ...]] = {
    "AUC": _ONE_OUTPUT_OR_ONE_HOT,
    "BinaryAccuracy": _ZERO_OR_ONE,
    "BinaryCrossentropy": _ZERO_OR_ONE,
    "BinaryIoU": _ZERO_OR_ONE,
    "CategoricalAccuracy": _ONE_HOT,
    "CategoricalCrossentropy": _ONE_HOT,
    "CategoricalHinge": _ONE_HOT,
    "ConcordanceCorrelation": _DIFFERENCES,
    "CosineSimilarity": _ONE_HOT,
    "F1Score": _ONE_OUTPUT_OR_ONE_HOT,
    "FBetaScore": _ONE_OUTPUT_OR_ONE_HOT,
    "FalseNegatives": _ONE_OUTPUT_OR_ONE_HOT,
    "FalsePositives": _ONE_OUTPUT_OR_ONE_HOT,
    "Hinge": _ZERO_OR_ONE,
    "IoU": ("one-hot", "class numbers"),
    "KLDivergence": _ONE_HOT,
    "LogCoshError": _DIFFERENCES,
    "MeanAbsoluteError": _DIFFERENCES,
    "MeanAbsolutePercentageError": ("numbers",),
    "MeanIoU": ("one-hot", "class numbers"),
    "MeanSquaredError": _DIFFERENCES,
    "MeanSquaredLogarithmicError": _DIFFERENCES,
    "OneHotIoU": _ONE_HOT,
    "OneHotMeanIoU": _ONE_HOT,
    "PearsonCorrelation": _DIFFERENCES,
    "Poisson": (*_ONE_OUTPUT_OR_ONE_HOT, "counts"),
    "Precision": _ONE_OUTPUT_OR_ONE_HOT,
    "PrecisionAtRecall": _ONE_OUTPUT_OR_ONE_HOT,
    "R2Score": _DIFFERENCES,
    "Recall": _ONE_OUTPUT_OR_ONE_HOT,
    "RecallAtPrecision": _ONE_OUTPUT_OR_ONE_HOT,
    "RootMeanSquaredError": _DIFFERENCES,
    "SensitivityAtSpecificity": _ONE_OUTPUT_OR_ONE_HOT,
    "SparseCategoricalAccuracy": _CLASS_NUMBERS,
    "SparseCategoricalCrossentropy": _CLASS_NUMBERS,
    "SparseTopKCategoricalAccuracy": _CLASS_NUMBERS,
    "SpecificityAtSensitivity": _ONE_OUTPUT_OR_ONE_HOT,
    "SquaredHinge": _ZERO_OR_ONE,
    "TopKCategoricalAccuracy": _ONE_HOT,
    "TrueNegatives": _ONE_OUTPUT_OR_ONE_HOT,
    "TruePositives": _ONE_OUTPUT_OR_ONE_HOT,
    "accuracy": ("zero or one", "one-hot", "class numbers"),
    "crossentropy": ("zero or one", "one-hot", "class numbers"),
}
# These look for the largest output, which is the same of logits and of probabilities, or are compiled for either.
_OF_BOTH = {
    *("CategoricalAccuracy", "SparseCategoricalAccuracy", "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy"),
    *("IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"),
    *("accuracy", "crossentropy"),
}


def loss_misfit(loss: KerasComponent, task: Task | Literal["auto"], scaled: bool) -> str | None:
    """Return why `loss` does not fit, and what does, or None.

    Args:
        loss: of Keras.
        task: "auto" where it is not known yet.
        scaled: whether the target is scaled for training.
    """
    if loss.own is not None:  # only its author knows
        return None
    if loss.type in _FITS_NO_TASK:
        return f"{loss.type} fits no task: {_FITS_NO_TASK[loss.type]}"
    if task == "auto":
        return None
    if task not in LOSSES[loss.type]:
        fitting = ", ".join(name for name, tasks in LOSSES.items() if task in tasks)
        return f"{loss.type} is a loss for {in_words(LOSSES[loss.type])}, the task is {task} (expected: {fitting})"
    return _units_misfit(loss, scaled)


def needs_own_units(component: KerasComponent) -> bool:
    """Return whether a loss or metric means nothing for a target that is moved to mean 0."""
    return component.type in _OF_OWN_UNITS


def weight_misfit(loss: KerasComponent, what: str, key: str) -> str | None:
    """Return why `what`, classes or rows, cannot be weighted in `loss`, and what to do, or None; `key` weights them.

    Keras' Dice and Tversky sum over the rows of a batch by default, so there is one loss for all of them: the weights
    of the rows would only scale it, by their mean over the batch.
    """
    if loss.type not in OF_WHOLE_BATCHES:
        return None
    axis = dict(loss.arguments)["axis"]
    axes = axis if isinstance(axis, (list, tuple)) else (axis,)
    if axes and not {None, 0, -2} & set(axes):
        return None
    return (
        f"{loss.type} gives one loss for all rows of a batch, so {what} cannot be weighted: remove {key}, or set "
        "axis: -1 in the loss, for one loss per row"
    )


def metric_misfit(
    metric: KerasComponent, task: Task, loss: KerasComponent, scaled: bool, outputs: int | None = None
) -> str | None:
    """Return why `metric` does not fit, and what to do, or None.

    Args:
        metric: of Keras.
        task: what is learned.
        loss: decides the form of the targets, and whether the model ends in logits.
        scaled: whether the target is scaled for training.
        outputs: of the model, where that is known.
    """
    form = KINDS[task].target_form(loss.type)
    if form not in METRICS[metric.type]:
        return _form_misfit(metric, task, loss)
    return (
        _units_misfit(metric, scaled) or _argument_misfit(metric, form, outputs) or _logits_misfit(metric, form, loss)
    )


def _units_misfit(component: KerasComponent, scaled: bool) -> str | None:
    if scaled and needs_own_units(component):
        return f"{component.type} needs the target in its own units: set data.target.scale to none or auto"
    return None


def _form_misfit(metric: KerasComponent, task: Task, loss: KerasComponent) -> str:
    fitting = [kind.name for kind in KINDS.values() if set(kind.forms) & set(METRICS[metric.type])]
    if task not in fitting:
        return f"{metric.type} is a metric for {in_words(fitting)}, the task is {task}"
    other = "SparseCategoricalCrossentropy" if "class numbers" in METRICS[metric.type] else "CategoricalCrossentropy"
    (wanted,) = METRICS[metric.type] if len(METRICS[metric.type]) == 1 else ("one-hot",)
    compared = _in_words(KINDS[task].target_form(loss.type))
    return (
        f"{metric.type} compares with {_in_words(wanted)}, and the loss {loss.type} with "
        f"{compared}: choose another metric (those of evaluation.metrics always fit), or state training.loss: {other}"
    )


def _in_words(form: TargetForm) -> str:
    return "one-hot classes" if form == "one-hot" else form


def _argument_misfit(metric: KerasComponent, form: TargetForm, outputs: int | None) -> str | None:
    given = dict(metric.arguments)
    one_output = form in ("zero or one", "numbers", "counts")
    if metric.type in ("F1Score", "FBetaScore") and form == "labels" and given["threshold"] is None:
        return f"{metric.type} of labels needs a threshold, such as 0.5: without one each row has one label"
    if metric.type in ("F1Score", "FBetaScore") and one_output and given["threshold"] is None:
        return f"{metric.type} of one output needs a threshold, such as 0.5: without one every row is positive"
    if metric.type in ("ConcordanceCorrelation", "PearsonCorrelation") and one_output and given["axis"] != 0:
        return f"{metric.type} of one output needs axis: 0, along the rows"
    if given.get("sparse_y_pred"):
        return f"{metric.type} needs sparse_y_pred: false, as the model predicts probabilities"
    if "sparse_y_true" in given and given["sparse_y_true"] != (form == "class numbers"):
        return f"{metric.type} needs sparse_y_true: {str(form == 'class numbers').lower()}, as the loss does"
    if outputs is not None:
        for name, limit in (("class_id", outputs - 1), ("k", outputs), ("top_k", outputs)):
            if given.get(name) is not None and given[name] > limit:
                return f"{name}: expected at most {limit}, as there are {outputs} outputs, received {given[name]}"
        if given.get("num_classes") is not None and given["num_classes"] != outputs:
            return f"num_classes: expected {outputs}, the number of outputs, received {given['num_classes']}"
    return None


def _logits_misfit(metric: KerasComponent, form: TargetForm, loss: KerasComponent) -> str | None:
    logits = loss.takes_logits
    if metric.takes_logits and not logits:
        return f"{metric.type} expects logits, and the model ends in probabilities: remove from_logits"
    if not logits or metric.takes_logits or metric.type in _OF_BOTH:
        return None
    given = dict(metric.arguments)
    if "from_logits" in given:
        return f"{metric.type} needs from_logits: true, as the loss does"
    if metric.type == "BinaryAccuracy":
        return None if given["threshold"] == 0 else "BinaryAccuracy of logits needs threshold: 0"
    if metric.type in ("F1Score", "FBetaScore") and form == "one-hot" and given["threshold"] is None:
        return None
    return (
        f"{metric.type} needs probabilities, and the model ends in logits: give it its activation, without from_logits"
    )
