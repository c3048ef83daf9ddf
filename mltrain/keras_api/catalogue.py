"""The catalogue of Keras' components, read from the packaged JSON: names, arguments, types, defaults. No TensorFlow.

`python -m mltrain.keras_api.generate` writes the JSON from the installed Keras; a test holds the two together.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from mltrain.keras_api.argument_types import ArgumentType, parse
from mltrain.spec import normalise


@dataclass(frozen=True)
class Argument:
    """One argument of a component.

    Attributes:
        name: as Keras has it.
        type_text: what it may hold, in the notation of `argument_types`.
        default: as in JSON; meaningless when `required`.
        required: whether it has no default.
        doc: one line.
    """

    name: str
    type_text: str
    default: Any
    required: bool
    doc: str

    @property
    def type(self) -> ArgumentType:
        """What the argument may hold."""
        return parse(self.type_text)


@dataclass(frozen=True)
class Entry:
    """One component of Keras.

    Attributes:
        kind: "layer", "optimizer" …
        name: Keras' name.
        doc: one line.
        aliases: other spellings that are shown, as `mse`; letter case, dashes and underscores never matter.
        inputs: "many" for a layer that is called on several tensors (Add, MultiHeadAttention), else "one"; "any" where
            that is not known, as of a layer of the user's.
        arguments: in Keras' order.
        smallest: the least height and width of an image, for a backbone; else None.
        preprocessing: what a backbone wants done to pixels from 0 to 255: `caffe`, `tf` or `torch`, as Keras calls
            them, or `inside` where the network does it itself; for others None.
    """

    kind: str
    name: str
    doc: str
    aliases: tuple[str, ...]
    inputs: str
    arguments: tuple[Argument, ...]
    smallest: int | None = None
    preprocessing: str | None = None

    @property
    def required(self) -> tuple[Argument, ...]:
        """The arguments without a default."""
        return tuple(argument for argument in self.arguments if argument.required)


@dataclass(frozen=True)
class Row:
    """One line of `mltrain list`: a component, or one of its arguments.

    Attributes:
        name: of the component.
        doc: one line.
        aliases: other spellings.
        arguments: each as `(name, type, default as JSON or "required", doc)`.
    """

    name: str
    doc: str
    aliases: tuple[str, ...]
    arguments: tuple[tuple[str, str, str, str], ...]


def kinds() -> list[str]:
    """Return every kind of component."""
    return list(_catalogue())


def names(kind: str) -> list[str]:
    """Return the canonical names of a kind, sorted."""
    return list(_catalogue()[kind]["components"])


@functools.cache
def entry(kind: str, name: str) -> Entry:
    """Return the component that has the canonical `name`.

    Raises:
        KeyError: there is no such component.
    """
    raw = _catalogue()[kind]["components"][name]
    return Entry(
        kind=kind,
        name=name,
        doc=raw["doc"],
        aliases=tuple(raw.get("aliases", ())),
        inputs=raw.get("inputs", "one"),
        arguments=tuple(
            Argument(argument, given["type"], given.get("default"), "default" not in given, given["doc"])
            for argument, given in raw["arguments"].items()
        ),
        smallest=raw.get("smallest"),
        preprocessing=raw.get("preprocessing"),
    )


def entries(kind: str) -> Iterator[Entry]:
    """Yield every component of a kind, sorted by name."""
    return (entry(kind, name) for name in names(kind))


def find(kind: str, name: str) -> str | None:
    """Return the canonical name that `name` means in any spelling, or None."""
    return _spellings(kind).get(normalise(name))


def reason_left_out(kind: str, name: str) -> str | None:
    """Return why Keras' component `name` is not offered, or None when it is, or is unknown."""
    return _left_out(kind).get(normalise(name))


def describe(kind: str) -> list[Row]:
    """Return what `mltrain list` shows of a kind."""
    return [row(component) for component in entries(kind)]


def row(component: Entry) -> Row:
    """Return what `mltrain list` shows of a component."""
    return Row(
        name=component.name,
        doc=component.doc,
        aliases=component.aliases,
        arguments=tuple(
            (each.name, each.type_text, "required" if each.required else json.dumps(each.default), each.doc)
            for each in component.arguments
        ),
    )


@functools.cache
def _catalogue() -> Mapping[str, Any]:
    return json.loads(resources.files("mltrain.keras_api").joinpath("catalogue.json").read_text("utf-8"))["kinds"]


@functools.cache
def _spellings(kind: str) -> Mapping[str, str]:
    components = _catalogue()[kind]["components"]
    aliases = {normalise(alias): name for name, raw in components.items() for alias in raw.get("aliases", ())}
    return aliases | {normalise(name): name for name in components}


@functools.cache
def _left_out(kind: str) -> Mapping[str, str]:
    return {normalise(name): reason for name, reason in _catalogue()[kind]["left_out"].items()}


def definitions(more: Callable[[str], Sequence[Entry]] = lambda kind: ()) -> dict[str, Any]:
    """Return the definition of every kind, by the name that references to it have: `keras_layer`.

    Args:
        more: returns the components of a kind that are not Keras'.
    """
    return {f"keras_{kind}": _kind_schema([*more(kind), *entries(kind)]) for kind in kinds()}


def _kind_schema(known: Sequence[Entry]) -> dict[str, Any]:
    bare = [name for entry in known if not entry.required for name in (entry.name, *entry.aliases)]
    components = [component_schema(entry) for entry in known]
    return {"anyOf": [{"enum": bare}, *components] if bare else components}


def component_schema(entry: Entry) -> dict[str, Any]:
    """Return the definition of one component."""
    properties: dict[str, Any] = {"type": {"enum": [entry.name, *entry.aliases], "description": entry.doc}}
    for argument in entry.arguments:
        schema = argument.type.schema()
        # Beside a $ref, draft-07 ignores everything.
        properties[argument.name] = {"allOf": [schema]} if "$ref" in schema else dict(schema)
        properties[argument.name]["description"] = argument.doc
        if not argument.required:
            properties[argument.name]["default"] = argument.default
    return {
        "type": "object",
        "description": entry.doc,
        "properties": properties,
        "required": ["type", *(argument.name for argument in entry.required)],
        "additionalProperties": False,
    }
