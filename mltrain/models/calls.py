"""The calls of a model, those of models inside it too: what each takes and gives, and how to run some of them. Imports
TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops
from keras.src.models.functional import Functional


@dataclass(frozen=True)
class Call:
    """One call in the graph of a model.

    Attributes:
        operation: a layer, or an operation that is not one.
        node: of Keras' graph.
        takes: the tensors, by number.
        gives: the tensors, by number.
        inside: the names of the models that it is in, from the outermost; empty at the top.
    """

    operation: Any
    node: Any
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    inside: tuple[str, ...]

    def run(self, values: Mapping[int, Any], training: bool | None) -> list[Any]:
        """Return what it gives for the values of what it takes."""
        known = {
            # A model inside casts what it is given.
            id(tensor): value if value.dtype == tensor.dtype else ops.cast(value, tensor.dtype)
            for tensor, value in zip(self.node.input_tensors, (values[each] for each in self.takes), strict=True)
        }
        args, kwargs = self.node.arguments.fill_in(known)
        if training is not None and "training" in getattr(self.operation, "_call_context_args", {}):
            kwargs["training"] = training
        return keras.tree.flatten(self.operation(*args, **kwargs))


@dataclass(frozen=True)
class Calls:
    """The calls of a model, in an order in which they can be run.

    Attributes:
        calls: each behind those whose tensors it takes.
        inputs: the tensors that the model takes, by number.
        outputs: those that it gives.
        tensors: each tensor, by number.
    """

    calls: tuple[Call, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    tensors: Mapping[int, keras.KerasTensor]

    def run(self, known: Mapping[int, Any], wanted: Sequence[int], training: bool | None = None) -> list[Any]:
        """Return the values of tensors; only the calls that they need are run.

        Args:
            known: values of tensors, by number.
            wanted: tensors.
            training: what layers are told; None tells them nothing.
        """
        needed = {each for each in wanted if each not in known}
        chosen = []
        for call in reversed(self.calls):
            if needed.intersection(call.gives):
                chosen.append(call)
                needed.difference_update(call.gives)
                needed.update(each for each in call.takes if each not in known)
        values = dict(known)
        for call in reversed(chosen):
            values.update(zip(call.gives, call.run(values, training), strict=True))
        return [values[each] for each in wanted]


def calls_of(model: keras.Model) -> Calls | None:
    """Return the calls of a model; None where it is not a graph, as a class of the user's with a `call` of its own."""
    graph = _graph_of(model)
    if graph is None:
        return None
    found, same = [], _Same()
    for node, inside in _nodes(graph, (), same, set()):
        takes = tuple(same.of(tensor) for tensor in node.input_tensors)
        found.append(Call(node.operation, node, takes, tuple(same.of(each) for each in node.outputs), inside))
    inputs, outputs = (tuple(map(same.of, each)) for each in (graph.inputs, graph.outputs))
    return Calls(tuple(found), inputs, outputs, same.tensors)


class _Same:
    """The number of each tensor; the input of a model inside has that of the tensor which it is given."""

    def __init__(self) -> None:
        self._other: dict[int, int] = {}
        # A number is an `id`, which another object gets once this one is gone.
        self.tensors: dict[int, keras.KerasTensor] = {}

    def of(self, tensor: Any) -> int:
        self.tensors[id(tensor)] = tensor
        number = id(tensor)
        while number in self._other:
            number = self._other[number]
        return number

    def put(self, tensor: Any, other: Any) -> None:
        self.tensors[id(tensor)] = tensor
        self._other[id(tensor)] = self.of(other)


def _nodes(graph: Any, inside: tuple[str, ...], same: _Same, opened: set[int]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if not node.operation or node.is_input:
                continue
            inner = _graph_of(node.operation)
            # A model that is called twice has one graph for both calls: it stays one call each.
            if inner is None or len(node.operation._inbound_nodes) != 1 or id(inner) in opened:
                yield node, inside
                continue
            opened.add(id(inner))
            for tensor, given in zip(inner.inputs, node.input_tensors, strict=True):
                same.put(tensor, given)
            yield from _nodes(inner, (*inside, node.operation.name), same, opened)
            for given, tensor in zip(node.outputs, inner.outputs, strict=True):
                same.put(given, tensor)


def _graph_of(operation: Any) -> Any:
    """Return the graph of a model; None for anything else."""
    if isinstance(operation, keras.Sequential):
        return operation._functional
    # A subclass may do more in its `call` than its graph says.
    return operation if isinstance(operation, Functional) and type(operation).call is Functional.call else None
