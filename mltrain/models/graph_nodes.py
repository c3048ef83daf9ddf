"""The nodes of a graph model, as the config writes them: a layer with a name and with what it takes. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import InitErrorDetails, core_schema

from mltrain.keras_api.catalogue import component_schema, entries
from mltrain.keras_api.components import KerasComponent, check_component
from mltrain.keras_api.own_parts import OwnParts, parts_in
from mltrain.spec import fail, problem

# How a layer inside a repeated block calls what the block is given.
BLOCK_INPUT = "block_input"
# Layers that are called on several tensors of different meaning, and the names of these; the first of them are
# required. Others that take several tensors take them as a list.
CALL_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "MultiHeadAttention": ("query", "value", "key"),
    "GroupQueryAttention": ("query", "value", "key"),
    "Attention": ("query", "value", "key"),
    "AdditiveAttention": ("query", "value", "key"),
}
_Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Node:
    """A node of the graph: a layer, a layer of another node again, or a block of layers that is repeated.

    Attributes:
        name: by which others refer to it; None where none do.
        sources: names of nodes and inputs that it takes; None takes the node above.
        arguments: for each of `sources` the argument of the layer that it is; empty where they are taken in order.
        layer: Keras' own.
        share: the name of the node whose layer is used again, with the same weights.
        repeat: how many times `layers` come one after the other.
        layers: of a block.
    """

    name: str | None = None
    sources: tuple[str, ...] | None = None
    arguments: tuple[str, ...] = ()
    layer: KerasComponent | None = None
    share: str | None = None
    repeat: int = 1
    layers: tuple[Node, ...] = ()

    def plain(self) -> Any:
        """Return what YAML can hold; loaded again, it makes an equal node."""
        found: dict[str, Any] = {}
        if self.arguments:
            found["from"] = dict(zip(self.arguments, self.sources or (), strict=True))
        elif self.sources is not None:
            found["from"] = self.sources[0] if len(self.sources) == 1 else list(self.sources)
        if self.layer is not None:
            return self.layer.plain() | found
        found |= {"name": self.name} if self.name is not None else {}
        if self.share is not None:
            return found | {"share": self.share}
        return found | {"repeat": self.repeat, "layers": [each.plain() for each in self.layers]}


class NodeType:
    """The pydantic annotation for a node."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _checked, serialization=core_schema.plain_serializer_function_ser_schema(Node.plain)
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"$ref": "#/definitions/graph_node"}


def node_definition(parts: OwnParts) -> dict[str, Any]:
    """Return the definition of a node in the JSON Schema, with the layers of the user's."""
    name = {"type": "string", "description": "The name by which other nodes refer to this one."}
    sources = {
        "description": "What it takes: nodes and inputs by their names; without it, the node above.",
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ],
    }
    shared = {"type": "string", "description": "The node whose layer is used again, with the same weights."}
    times = {"type": "integer", "minimum": 1, "description": "How many times the layers come after each other."}
    nodes = {"type": "array", "items": {"$ref": "#/definitions/graph_node"}, "minItems": 1}
    body = {**nodes, "description": "The layers of the block, each a node."}

    def own(more: dict[str, Any], required: str) -> dict[str, Any]:
        properties = {"name": name, "from": sources, **more}
        return {"type": "object", "properties": properties, "required": [required], "additionalProperties": False}

    known = [*(part.entry for part in parts.registered("layer")), *entries("layer")]
    layers = [component_schema(entry) for entry in known]
    for layer in layers:
        layer["properties"]["from"] = sources
    bare = [entry.name for entry in known if not entry.required]
    blocks = [own({"share": shared}, "share"), own({"repeat": times, "layers": body}, "layers")]
    return {"anyOf": [{"enum": bare}, *blocks, *layers]}


def _checked(value: Any, info: core_schema.ValidationInfo) -> Node:
    if isinstance(value, Node):
        return value
    problems: list[InitErrorDetails] = []
    node = _node(value, (), problems, parts_in(info.context))
    if node is None or problems:
        raise fail("node", problems)
    return node


def _node(value: Any, loc: _Loc, problems: list[InitErrorDetails], parts: OwnParts) -> Node | None:
    if isinstance(value, KerasComponent):
        return Node(_name_of(value), layer=value)
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, Mapping):
        message = "expected a node: a layer with a 'type', a 'share', or a block with 'layers'"
        problems.append(problem("node", message, loc, value))
        return None
    sources, arguments = _sources(value.get("from"), (*loc, "from"), problems) if "from" in value else (None, ())
    rest = {key: item for key, item in value.items() if key != "from"}
    kinds = [key for key in ("type", "share", "layers") if key in rest]
    if len(kinds) != 1:
        found = f"found {' and '.join(kinds)}" if kinds else "found none of them"
        message = "expected one of 'type' (a layer), 'share' (the layer of another node) and 'layers' (a block)"
        problems.append(problem("node", f"{message}, {found}", loc, sorted(map(str, rest))))
        return None
    if "type" in rest:
        layer = check_component("layer", rest, loc, problems, parts)
        return None if layer is None else Node(_name_of(layer), sources, arguments, layer)
    return _own_node(rest, (sources, arguments), loc, problems, parts)


def _own_node(
    rest: Mapping[str, Any],
    taken: tuple[tuple[str, ...] | None, tuple[str, ...]],
    loc: _Loc,
    problems: list[InitErrorDetails],
    parts: OwnParts,
) -> Node | None:
    """Return a node that is not a layer: the layer of another one, or a block. What it takes are sources and the
    arguments that they are."""
    sources, arguments = taken
    known = ("name", "share") if "share" in rest else ("name", "layers", "repeat")
    before = len(problems)
    for key in rest:
        if key not in known:
            message = f"unknown key; a node with '{known[1]}' has: from, {', '.join(known)}"
            problems.append(problem("unknown_key", message, (*loc, key), rest[key]))
    name = rest.get("name")
    if name is not None and (not isinstance(name, str) or not name):
        problems.append(problem("name", "expected a name", (*loc, "name"), name))
    if "share" in rest:
        if not isinstance(rest["share"], str):
            problems.append(problem("share", "expected the name of a node", (*loc, "share"), rest["share"]))
        return None if len(problems) > before else Node(name, sources, arguments, share=rest["share"])
    repeat, layers = rest.get("repeat", 1), rest["layers"]
    if type(repeat) is not int or repeat < 1:
        problems.append(problem("repeat", "expected a whole number from 1 on", (*loc, "repeat"), repeat))
    if not isinstance(layers, Sequence) or isinstance(layers, str) or not layers:
        problems.append(problem("layers", "expected a list of nodes", (*loc, "layers"), layers))
        return None
    nodes = [_node(each, (*loc, "layers", place), problems, parts) for place, each in enumerate(layers)]
    if len(problems) > before:
        return None
    return Node(name, sources, arguments, repeat=repeat, layers=tuple(each for each in nodes if each is not None))


def _sources(value: Any, loc: _Loc, problems: list[InitErrorDetails]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if isinstance(value, str) and value:
        return (value,), ()
    if isinstance(value, list | tuple) and value and all(isinstance(each, str) and each for each in value):
        return tuple(value), ()
    if isinstance(value, Mapping) and value and all(isinstance(each, str) and each for each in value.values()):
        return tuple(value.values()), tuple(map(str, value))
    message = "expected the name of a node or input, a list of them, or a mapping such as {query: a, value: b}"
    problems.append(problem("from", message, loc, value))
    return (), ()


def _name_of(layer: KerasComponent) -> str | None:
    name = dict(layer.arguments).get("name")
    return name if isinstance(name, str) else None
