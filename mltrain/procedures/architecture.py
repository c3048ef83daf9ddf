"""The layers of a model, as a run records them. Imports TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import keras

from mltrain.models.model import Backbone
from mltrain.models.parts import parts_of
from mltrain.models.walk import inputs_behind, layers_of, sources_of
from mltrain.run.architecture import Architecture, RecordedLayer, RecordedPart
from mltrain.task import DataInfo


def architecture_of(model: keras.Model, info: DataInfo, backbones: Sequence[Backbone]) -> Architecture:
    """Return the layers of a model.

    Args:
        model: built.
        info: what it knows of the data.
        backbones: the networks that are nested in it.
    """
    named = {id(tensor): each.name for tensor, each in zip(model.inputs, info.inputs, strict=True)}
    is_stack = isinstance(model, keras.Sequential)
    names = [each.name for each in info.inputs]
    behind = inputs_behind(model, names) if len(names) > 1 else {}
    networks = {each.name: each.network for each in backbones}
    layers = tuple(
        RecordedLayer(
            name=layer.name,
            kind=networks.get(layer.name, type(layer).__name__),
            output=layer._inbound_nodes[0].outputs[0].shape[1:],
            parameters=layer.count_params(),
            trainable=_trained([layer]),
            **({} if is_stack else {"after": sources_of(layer, named)}),
            inputs=behind.get(layer.name, ()),
            parts=tuple(part for network in _networks_in(layer, networks) for part in _parts(network)),
        )
        for layer in layers_of(model)
    )
    if len(info.inputs) == 1:
        return Architecture(input=info.input.shape, layers=layers)
    return Architecture(input=(), inputs={each.name: each.shape for each in info.inputs}, layers=layers)


def _networks_in(layer: keras.Layer, names: Collection[str]) -> tuple[keras.Model, ...]:
    """Return the backbones in a layer: itself, or those of a member of an ensemble."""
    if layer.name in names:
        return (layer,)
    return tuple(each for each in layer.layers if each.name in names) if isinstance(layer, keras.Model) else ()


def _parts(network: keras.Model) -> tuple[RecordedPart, ...]:
    layers = layers_of(network)
    parts: dict[str, list[keras.Layer]] = {}
    for part, layer in zip(parts_of([each.name for each in layers]), layers, strict=True):
        parts.setdefault(part, []).append(layer)
    return tuple(
        RecordedPart(
            name=name,
            first=members[0].name,
            layers=len(members),
            parameters=sum(each.count_params() for each in members),
            trainable=_trained(members),
        )
        for name, members in parts.items()
        if any(each.weights for each in members)
    )


def _trained(layers: Sequence[keras.Layer]) -> int:
    return sum(math.prod(variable.shape) for layer in layers for variable in layer.trainable_variables)
