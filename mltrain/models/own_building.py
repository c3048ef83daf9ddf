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
from mltrain.keras_api.own_build import arguments_of, own_of, refuse_unsavable
from mltrain.keras_api.own_parts import OwnPart
from mltrain.models.branches import network
from mltrain.outputs import KINDS
from mltrain.own_function import OwnFunction
from mltrain.task import DataInfo


def own_network(component: KerasComponent, info: DataInfo, *, own_step: bool) -> keras.Model:
    """Return the network that a function or a class of the user's makes of the inputs.

    Args:
        component: the model, with its arguments.
        info: what is known of the data.
        own_step: whether it has a `train_step`.

    Raises:
        MisfitError: it cannot be made, or is given what it does not take.
    """
    part, ends = own_of(component), _makes_head(component)
    if ends and info.output.parts:
        message = f"{component.type} makes one head, and targets of different kinds have one each"
        raise MisfitError(("model", "type"), f"{message}: leave head_units out")
    _refuse_own_metrics(part)
    inner: list[keras.Model] = []

    def body(tensors: list[Any]) -> Any:
        given = tensors[0] if len(tensors) == 1 else _by_name(tensors, info)
        made, arguments = part.given(), _arguments(component, info)
        if isinstance(made, OwnFunction):
            outputs = made(given, **arguments)
        else:
            inner.append(made(**arguments))
            refuse_unsavable(inner[0], part, arguments)
            outputs = inner[0](given)
        return _behind_own_head(outputs, info) if ends else outputs

    with _said(component):
        model = network(info, body, not ends)
        return StepOfModel(model, inner[0]) if inner and own_step else model


def own_step_of(component: KerasComponent, model: keras.Model) -> keras.Model:
    """Return a network as an object of a class of the user's, which trains it.

    Raises:
        MisfitError: the class does not take it.
    """
    part = own_of(component)
    _refuse_own_metrics(part)
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    with _said(component):
        found = part.given()(inputs=inputs, outputs=model.outputs[0], **arguments_of(component, value_of))
        if not hasattr(found, "inputs") or not hasattr(found, "outputs"):
            message = (
                f"{component.type} does not hand its inputs and outputs on: call super().__init__(inputs, outputs)"
            )
            raise MisfitError(("model", "type"), message)
        return found


def _makes_head(component: KerasComponent) -> bool:
    return "head_units" in own_of(component).signature.takes


def _behind_own_head(outputs: Any, info: DataInfo) -> Any:
    """Return outputs behind the last layer of the network: where that is not our own, nobody knows the logits behind
    its probabilities, and they are found from these, as for a mean of probabilities (models/scores.py)."""
    name = f"mean_of_{KINDS[info.task].activation}"
    return keras.layers.Activation("linear", dtype="float32", name=name)(outputs)


def _by_name(tensors: list[Any], info: DataInfo) -> dict[str, Any]:
    return {each.name: tensor for each, tensor in zip(info.inputs, tensors, strict=True)}


def _arguments(component: KerasComponent, info: DataInfo) -> dict[str, Any]:
    head = {"head_units": info.output.units, "head_activation": KINDS[info.task].activation}
    takes = own_of(component).signature.takes
    return {**arguments_of(component, value_of), **{name: head[name] for name in takes}}


@contextlib.contextmanager
def _said(component: KerasComponent) -> Any:
    """Say of what is raised inside that it is of this model; what its code prints goes to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except MisfitError:
        raise
    except (*REFUSALS, ConfigError) as error:
        raise MisfitError(("model",), f"{component.type} cannot be built: {reason(error)}") from error


def _refuse_own_metrics(part: OwnPart) -> None:
    """Refuse a class with `metrics` of its own, which the loss and the metrics of the config would not be among."""
    made = part.given()
    classes = made.__mro__ if isinstance(made, type) else ()
    own = [each for each in classes if "metrics" in vars(each) and each.__module__.partition(".")[0] != "keras"]
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
        object.__setattr__(self, "_inner", inner)  # a layer of the graph already, which is not to be found twice
        inputs = network.inputs[0] if len(network.inputs) == 1 else network.inputs
        super().__init__(inputs, network.outputs[0], name=network.name)

    def compile(self, *given: Any, **arguments: Any) -> None:
        """Compile both with the same optimizer, loss and metrics, so that what one changes the other has."""
        self._inner.compile(*given, **arguments)
        del self._inner._compile_config  # what it was compiled with is no part of model.keras
        super().compile(*given, **arguments)
        for name in ("_loss_tracker", "_compile_loss", "_compile_metrics"):
            setattr(self, name, getattr(self._inner, name))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The loss and the metrics of both, with those that only the model of the user's knows."""
        found: list[keras.metrics.Metric] = self._inner.metrics
        return found

    def train_step(self, data: Any) -> Any:
        """Update the weights as the model of the user's does."""
        return self._inner.train_step(data)

    def compute_loss(self, *given: Any, **arguments: Any) -> Any:
        """Return its loss."""
        return self._inner.compute_loss(*given, **arguments)
