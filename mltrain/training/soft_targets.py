"""Where targets can be mixed and smoothed: what does not fit, and why. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mltrain.keras_api.components import KerasComponent
from mltrain.outputs import KINDS
from mltrain.task import Input, Task
from mltrain.training.mix import Mix
from mltrain.wording import in_words

_OF_CLASSES = [kind.name for kind in KINDS.values() if {"zero or one", "class numbers", "labels"} & set(kind.forms)]
# Their value is a sum over classes, each by its target: a share of a class means that share of its loss.
_SMOOTHED = (
    *("BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy"),
    "SparseCategoricalCrossentropy",
)


def mix_misfit(mix: Mix, task: Task | Literal["auto"], inputs: Sequence[Input] = ()) -> str | None:
    """Return why rows cannot be mixed, and what to do, or None.

    Args:
        mix: as it is stated.
        task: "auto" where it is not known yet.
        inputs: of the network; empty where they are not known yet.
    """
    if task != "auto" and task not in _OF_CLASSES:
        return f"{mix.type} mixes classes ({in_words(_OF_CLASSES)}), and the task is {task}: remove it"
    index = next((each.name for each in inputs if each.dtype != "float32"), None)
    if index is not None:
        return f"{mix.type} needs numbers, and the input {index!r} holds index numbers, such as of words: remove it"
    if mix.type == "cutmix" and inputs and (len(inputs) > 1 or len(inputs[0].shape) != 3):
        return "cutmix is for models with one image as their only input: use mixup, or remove it"
    return None


def smoothing_misfit(loss: KerasComponent, task: Task | Literal["auto"]) -> str | None:
    """Return why the targets of a loss cannot be smoothed, and what to do, or None; arguments as for `mix_misfit`."""
    if task != "auto" and task not in _OF_CLASSES:
        return f"only classes are smoothed ({in_words(_OF_CLASSES)}), and the task is {task}: remove it"
    if loss.type not in _SMOOTHED:
        return f"{loss.type} has no smoothed targets: use one of {', '.join(_SMOOTHED)}, or remove it"
    if dict(loss.arguments).get("label_smoothing"):
        return f"{loss.type} already has a label_smoothing: remove one of the two"
    if dict(loss.arguments).get("ignore_class") is not None:
        return "a class that is ignored cannot be smoothed: remove ignore_class, or this key"
    return None
