"""A model layer by layer, be it a stack or a graph with several inputs and outputs. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from mltrain.errors import MisfitError
from mltrain.keras_api.build import REFUSALS
from mltrain.task import DataInfo

Shape = tuple[int | None, ...]


def shape_text(shape: Shape) -> str:
    """Return the shape of an example with its batch, as messages have it."""
    return "(" + ", ".join("?" if size is None else str(size) for size in ("batch", *shape)) + ")"


def refuse_other_outputs(shape: Shape, info: DataInfo) -> None:
    """Refuse outputs of another shape for an example than the task needs.

    Raises:
        MisfitError: says both.
    """
    needed = (info.output.units,)
    if shape != needed:
        message = f"it ends in shape {shape_text(shape)}, and {info.task} needs {shape_text(needed)}"
        raise MisfitError(("model",), f"{message}; add Flatten or a pooling layer before the head")


def layers_of(model: keras.Model) -> list[keras.Layer]:
    """Return the layers but for the inputs, each behind those whose outputs it takes."""
    return [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


def sources_of(layer: keras.Layer, inputs: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names of the layers and inputs that a layer takes, also through operations that are no layers.

    Args:
        layer: of a graph.
        inputs: the name of each input of the graph, by the `id` of its tensor.
    """
    found: dict[str, None] = {}
    waiting = [tensor for node in layer._inbound_nodes for tensor in node.input_tensors]
    while waiting:
        tensor = waiting.pop(0)
        before = tensor._keras_history.operation
        if id(tensor) in inputs:
            found[inputs[id(tensor)]] = None
        elif isinstance(before, keras.Layer):
            found[before.name] = None
        else:
            waiting += before._inbound_nodes[0].input_tensors
    return tuple(found)


def inputs_behind(model: keras.Model, inputs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the inputs of the data that each layer follows from, by the name of the layer.

    Args:
        model: of several inputs.
        inputs: their names, in their order.
    """
    named = {id(tensor): name for tensor, name in zip(model.inputs, inputs, strict=True)}
    found: dict[str, tuple[str, ...]] = {}
    for layer in layers_of(model):
        sources = [found.get(source, (source,)) for source in sources_of(layer, named)]
        found[layer.name] = tuple(dict.fromkeys(name for source in sources for name in source if name in inputs))
    return found


def head_of(model: keras.Model, output: str | None = None) -> keras.Layer:
    """Return the layer that makes an output: that of this name, or the only one.

    Raises:
        ValueError: no name is given, and the model has several outputs.
    """
    (made,) = model.outputs if output is None else (model.output[output],)
    return made._keras_history.operation


def walk(model: keras.Model, x: Any, call: Callable[..., Any], training: bool = False) -> None:
    """Compute a model layer by layer.

    Args:
        model: built.
        x: what it takes: a tensor `(batch, …)`, or one for each input by its name.
        call: is given each layer and its arguments, and returns its outputs.
        training: whether layers do what they do while training.
    """

    def in_mode(layer: keras.Layer, *given: Any, **more: Any) -> Any:
        if not isinstance(layer, keras.Layer):  # an operation, as of a mean
            return layer(*given, **more)
        return call(layer, *given, **{**more, "training": training})

    graph = model._functional if isinstance(model, keras.Sequential) else model
    graph._run_through_graph(x, call_fn=in_mode)


@dataclass(frozen=True)
class Trace:
    """One way through a model.

    Attributes:
        shapes: of what each layer gives for one example, by its name, in the order of the calls.
        error: of the layer that could not be called; None where each could.
    """

    shapes: dict[str, Shape]
    error: Exception | None


def traced(model: keras.Model, training: bool) -> Trace:
    """Return what becomes of the shapes, from a trace of the layers that runs nothing."""
    shapes: dict[str, Shape] = {}

    def call(layer: keras.Layer, *given: Any, **more: Any) -> Any:
        outputs = layer(*given, **more)
        shapes[layer.name] = tuple(outputs.shape[1:])
        return outputs

    inputs = [tf.TensorSpec(each.shape, each.dtype) for each in model.inputs]
    try:
        tf.function(lambda *x: walk(model, x, call, training), autograph=False).get_concrete_function(*inputs)
    except REFUSALS as error:
        return Trace(shapes, error)
    return Trace(shapes, None)
