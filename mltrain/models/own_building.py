"""From a model of the user's to the network that is trained. Imports TensorFlow."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import keras

from mltrain.errors import ConfigError, MisfitError
from mltrain.keras_api.build import REFUSALS, value_of
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.messages import reason
from mltrain.keras_api.own_build import arguments_of, refuse_unsavable
from mltrain.models.branches import network
from mltrain.models.own_model import OwnModel, below_network
from mltrain.outputs import KINDS
from mltrain.own_function import OwnFunction
from mltrain.task import DataInfo


def own_network(spec: OwnModel, info: DataInfo) -> keras.Model:
    """Return the network that a function or a class of the user's makes of the inputs.

    Raises:
        MisfitError: it cannot be made, or is given what it does not take.
    """
    if spec.takes_head and info.output.parts:
        message = f"{spec.type} makes one head, and targets of different kinds have one each: leave head_units out"
        raise MisfitError(("model", "type"), message)
    inner: list[keras.Model] = []

    def body(tensors: list[Any]) -> Any:
        given = tensors[0] if len(tensors) == 1 else _by_name(tensors, info)
        made, arguments = spec.own.given(), _arguments(spec, info)
        if isinstance(made, OwnFunction):
            return _ended(made(given, **arguments), spec, info)
        inner.append(made(**arguments))
        refuse_unsavable(inner[0], spec.own, arguments)
        return _ended(inner[0](given), spec, info)

    with _said(spec):
        model = network(info, body, not spec.takes_head)
        return StepOfModel(model, inner[0]) if inner and spec.has_own_step else model


def own_step_of(spec: OwnModel, info: DataInfo, loss: KerasComponent | None) -> keras.Model:
    """Return the network that the config names, as an object of a class of the user's, which trains it.

    Raises:
        MisfitError: the network cannot be built, or the class does not take it.
    """
    try:
        model = spec.network.build(info, loss)
    except MisfitError as error:
        raise MisfitError.of(below_network(error.all)) from (error.__cause__ or error)
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    with _said(spec):
        found = spec.own.given()(inputs=inputs, outputs=model.outputs[0], **_arguments(spec, info))
        if not hasattr(found, "inputs") or not hasattr(found, "outputs"):
            message = f"{spec.type} does not hand its inputs and outputs on: call super().__init__(inputs, outputs)"
            raise MisfitError(("model", "type"), message)
        _refuse_own_metrics(spec)
        return found


def _ended(outputs: Any, spec: OwnModel, info: DataInfo) -> Any:
    """Return outputs behind the last layer of the network: where that is not our own, nobody knows the logits behind
    its probabilities, and they are found from these, as for a mean of probabilities (models/scores.py)."""
    if not spec.takes_head:
        return outputs
    name = f"mean_of_{KINDS[info.task].activation}"
    return keras.layers.Activation("linear", dtype="float32", name=name)(outputs)


def _by_name(tensors: list[Any], info: DataInfo) -> dict[str, Any]:
    return {each.name: tensor for each, tensor in zip(info.inputs, tensors, strict=True)}


def _arguments(spec: OwnModel, info: DataInfo) -> dict[str, Any]:
    head = {"head_units": info.output.units, "head_activation": KINDS[info.task].activation}
    given = {name: value for name, value in head.items() if name in spec.own.signature.takes}
    return {**arguments_of(spec.component, value_of), **given}


@contextlib.contextmanager
def _said(spec: OwnModel) -> Any:
    """Say of what is raised inside that it is of this model; what its code prints goes to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except MisfitError:
        raise
    except (*REFUSALS, ConfigError) as error:
        raise MisfitError(("model",), f"{spec.type} cannot be built: {reason(error)}") from error


def _refuse_own_metrics(spec: OwnModel) -> None:
    """Refuse a class with `metrics` of its own, which the loss and the metrics of the config would not be among."""
    made = spec.own.given()
    own = [each for each in made.__mro__ if "metrics" in vars(each) and each.__module__.partition(".")[0] != "keras"]
    if own:
        message = (
            f"{own[0].__name__} has 'metrics' of its own, without which the loss is not measured: remove it, and name "
            "Keras' metrics in training.metrics, and mltrain's in evaluation.metrics"
        )
        raise MisfitError(("model", "type"), message)


class StepOfModel(keras.Model):
    """A network around a model of the user's, whose own `train_step` and `compute_loss` train it.

    Args:
        network: of which the other is the only layer.
        inner: the model of the user's.
    """

    def __init__(self, network: keras.Model, inner: keras.Model) -> None:
        inputs = network.inputs[0] if len(network.inputs) == 1 else network.inputs
        super().__init__(inputs, network.outputs[0], name=network.name)
        object.__setattr__(self, "_inner", inner)  # a layer of the graph already, which is not to be found twice

    def compile(self, *given: Any, **arguments: Any) -> None:
        """Compile both with the same optimizer, loss and metrics, so that what one changes the other has."""
        self._inner.compile(*given, **arguments)
        del self._inner._compile_config  # what it was compiled with is no part of model.keras
        super().compile(*given, **arguments)
        for name in ("_loss_tracker", "_compile_loss", "_compile_metrics"):
            setattr(self, name, getattr(self._inner, name))

    def train_step(self, data: Any) -> Any:
        """Update the weights as the model of the user's does."""
        return self._inner.train_step(data)

    def compute_loss(self, *given: Any, **arguments: Any) -> Any:
        """Return its loss."""
        return self._inner.compute_loss(*given, **arguments)
