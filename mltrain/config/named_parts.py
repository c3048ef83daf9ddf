"""Which components of the user's an experiment names, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from mltrain.keras_api.components import KerasComponent
from mltrain.problems import KeyPath


def named_parts(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, KerasComponent]]:
    """Yield every component of the user's in a spec, and in components of Keras, each with the path that leads to it in
    the YAML."""
    if isinstance(value, KerasComponent):
        if value.own is not None:
            yield path, value
        for name, inner in value.arguments:
            yield from named_parts(inner, (*path, name))
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            inner = getattr(value, name)
            is_itself = isinstance(inner, KerasComponent) and inner.kind == "model"
            yield from named_parts(inner, path if is_itself else (*path, name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from named_parts(inner, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from named_parts(inner, (*path, number))
    elif is_dataclass(value) and not isinstance(value, type):  # a node of a graph, whose layer is written in its place
        for each in fields(value):
            inner = getattr(value, each.name)
            yield from named_parts(inner, path if isinstance(inner, KerasComponent) else (*path, each.name))
