"""The head: the last layer, which turns what a model has learned into predictions for the task. No TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mltrain.errors import MisfitError
from mltrain.keras_api.components import KerasComponent, make
from mltrain.outputs import KINDS
from mltrain.task import DataInfo, Decision
from mltrain.wording import counted


@dataclass(frozen=True)
class Head:
    """What ends the model.

    Attributes:
        added: whether it is ours; otherwise the model's own last layer is the head.
        logits: whether the model ends in scores before the activation, which the loss and the predictions have to
            apply.
        decision: how that was decided, and why.
    """

    added: bool
    logits: bool
    decision: Decision


def find_head(layers: tuple[KerasComponent, ...], info: DataInfo, loss: KerasComponent | None) -> Head:
    """Return whether `layers` end in a head for the task, or need one.

    A model ends in a head when its last layer is `Dense` with one unit for each output and the activation of the
    task, or a `Softmax` or `Activation` layer behind such a `Dense`; without an activation it is a head of logits if
    the loss says `from_logits`.

    Raises:
        MisfitError: the loss says `from_logits`, and the model does not end in logits.
    """
    if info.output.parts:
        return added_head(info, loss, "")
    activation = KINDS[info.task].activation
    kinds = "1 unit" if info.output.units == 1 else f"{info.output.units} units"
    ends = _last_dense(layers)
    if ends is not None:
        dense, last_activation = ends
        from_logits = loss is not None and loss.takes_logits
        if dense.argument("units") == info.output.units and last_activation in (activation, "linear"):
            if last_activation == activation and not from_logits:
                decision = Decision("head", "the model's own", f"it ends in {kinds} with {activation}")
                return Head(added=False, logits=False, decision=decision)
            if last_activation == "linear" and from_logits and not KINDS[info.task].of_numbers:
                decision = Decision("head", "the model's own", f"it ends in {kinds} of logits, as the loss expects")
                return Head(added=False, logits=True, decision=decision)
    return added_head(info, loss, f"added: {info.task} needs {kinds}")


def added_head(info: DataInfo, loss: KerasComponent | None, why: str) -> Head:
    """Return the head that a model is given, with the activation of the task.

    Raises:
        MisfitError: the loss would apply that activation a second time.
    """
    if info.output.parts:
        each = [f"{part.name}: Dense {part.units} {KINDS[part.task].activation}" for part in info.output.parts]
        decision = Decision("heads", "; ".join(each), "each target has a head of its own kind")
        return Head(added=True, logits=False, decision=decision)
    activation = KINDS[info.task].activation
    layer = f"Dense {info.output.units} {activation}"
    if loss is not None and loss.takes_logits:
        message = (
            f"the model ends in {activation}, which the loss would apply again: remove from_logits, or end "
            f"a sequential model in a Dense layer of {counted(info.output.units, 'unit')} without an activation"
        )
        raise MisfitError(("training", "loss", "from_logits"), message)
    return Head(added=True, logits=False, decision=Decision("head", layer, why))


def head_layer(info: DataInfo, **arguments: Any) -> KerasComponent:
    """Return the `Dense` layer that ends a model for the task, with more `arguments` of that layer."""
    activation = KINDS[info.task].activation
    return make("layer", "Dense", units=info.output.units, activation=activation, **{"name": "head", **arguments})


def _last_dense(layers: tuple[KerasComponent, ...]) -> tuple[KerasComponent, str] | None:
    """Return the Dense layer that the model ends in and the activation behind it, or None when it ends in another
    layer."""
    if not layers:
        return None
    last, activation = layers[-1], None
    if last.type in ("Softmax", "Activation") and len(layers) > 1:
        activation = "softmax" if last.type == "Softmax" else last.argument("activation")
        last = layers[-2]
    if last.type != "Dense":
        return None
    return last, _activation_name(activation if activation is not None else last.argument("activation"))


def _activation_name(activation: Any) -> str:
    if activation is None:
        return "linear"
    return str(activation.type if isinstance(activation, KerasComponent) else activation)
