"""A model layer by layer, be it a stack or a graph with several inputs and outputs. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from mltrain.keras_api.build import REFUSALS

Shape = tuple[int | None, ...]


def layers_of(model: keras.Model) -> list[keras.Layer]:
    """Return the layers but for the inputs, each behind those whose outputs it takes."""
    return [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


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
