"""A component of the user's becomes the Keras object. Imports TensorFlow."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras

from mltrain.errors import PluginError
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.own_parts import OwnPart
from mltrain.own_function import OwnFunction


def build_own(component: KerasComponent, value: Callable[[Any], Any]) -> Any:
    """Return the object of a layer, loss, optimizer or schedule of the user's. What its code prints goes to stderr.

    Args:
        component: it.
        value: makes the value of an argument, as of a layer in it.

    Raises:
        PluginError: its plugin is not there; or it could not be saved, and opened again.
    """
    part = own_of(component)
    made = part.given()
    arguments = arguments_of(component, value)
    with contextlib.redirect_stdout(sys.stderr), known_to_keras(component):
        if isinstance(made, OwnFunction):
            return FunctionLoss(made, arguments)
        built = made(**arguments)
        if component.kind == "layer":
            refuse_unsavable(built, part, arguments)
    return built


def own_of(component: KerasComponent) -> OwnPart:
    """Return what a component is made of.

    Raises:
        TypeError: it is Keras' own.
    """
    if component.own is None:
        raise TypeError(f"{component.type} is Keras' own")
    return component.own


def arguments_of(component: KerasComponent, value: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the arguments that are not the defaults, as its code expects them: lists where it asks for lists."""
    lists = own_of(component).signature.lists
    made = {name: value(given) for name, given in component.changed().items()}
    return {name: _as_lists(given) if name in lists else given for name, given in made.items()}


def known_to_keras(component: KerasComponent) -> AbstractContextManager[Any]:
    """Return a context in which Keras can copy the layers of the user's inside of a component, as Bidirectional does:
    it makes them again from their configs."""
    classes = {made.__name__: made for each in _parts_of(component) if isinstance(made := each.made, type)}
    return keras.saving.custom_object_scope(classes) if classes else contextlib.nullcontext()


def _parts_of(value: Any) -> Iterator[OwnPart]:
    if isinstance(value, KerasComponent):
        if value.own is not None:
            yield value.own
        for _, inner in value.arguments:
            yield from _parts_of(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _parts_of(inner)


class FunctionLoss(keras.losses.Loss):
    """The loss of a function of the user's.

    Args:
        made: it.
        arguments: that are not the defaults.
    """

    def __init__(self, made: OwnFunction, arguments: dict[str, Any]) -> None:
        super().__init__(name=made.name)
        self._made, self._arguments = made, arguments

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function returns."""
        return self._made.function(y_true, y_pred, **self._arguments)


def refuse_unsavable(built: keras.layers.Layer, part: OwnPart, arguments: dict[str, Any]) -> None:
    """Refuse a layer or model without a whole config, before it is trained: model.keras holds it.

    Args:
        built: it.
        part: what it was made of.
        arguments: with which it was made.

    Raises:
        PluginError: it has no config, or one that lacks an argument.
    """
    of = (part.entry.kind, part.entry.name)
    said = f"{part.entry.kind} {part.entry.name} ({part.place})"
    try:
        config = built.get_config()
    except NotImplementedError:
        message = "it needs a get_config(), which returns its arguments, so that model.keras can be saved"
        raise PluginError(f"{said}: {message}", of) from None
    missing = [name for name in arguments if name not in config]
    usual = (keras.layers.Layer.from_config.__func__, keras.Model.from_config.__func__)
    if missing and type(built).from_config.__func__ in usual:
        message = f"its get_config() does not return '{missing[0]}': model.keras would be opened without it"
        raise PluginError(f"{said}: {message}", of)


def _as_lists(value: Any) -> Any:
    return [_as_lists(each) for each in value] if isinstance(value, tuple) else value
