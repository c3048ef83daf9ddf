"""From an annotation in Python to the type of an argument, as `argument_types` writes it. No TensorFlow."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_WORDS = {int: "integer", float: "number", bool: "boolean", str: "text", type(None): "null"}
# What an argument can be that is itself a component.
_COMPONENTS = {
    "layer": "layers.Layer",
    "initializer": "initializers.Initializer",
    "regularizer": "regularizers.Regularizer",
    "constraint": "constraints.Constraint",
    "schedule": "optimizers.schedules.LearningRateSchedule",
    "loss": "losses.Loss",
}
EXPECTED = "int, float, bool, str, Literal of texts, list or tuple of these, or one of them | None"


def type_text(annotation: Any) -> str | None:
    """Return the type that an annotation means; None where YAML has no values of it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is None or annotation in _WORDS:
        return _WORDS[type(None) if annotation is None else annotation]
    if origin is Annotated:
        return type_text(inner[0])
    if origin is Literal:
        plain = all(isinstance(each, str) and "'" not in each for each in inner)
        return " | ".join(f"'{each}'" for each in inner) if plain else None
    if origin in (Union, types.UnionType):
        return _joined([type_text(each) for each in inner])
    if origin in (list, Sequence):
        return _list(type_text(inner[0]))
    if origin is tuple:
        return _list(type_text(inner[0])) if inner[1:] == (...,) else _tuple([type_text(each) for each in inner])
    return _component(annotation)


def wants_list(annotation: Any) -> bool:
    """Return whether an annotation asks for a list, and not for a tuple."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType, Annotated):
        return any(wants_list(each) for each in inner)
    return origin is list


def type_of_value(value: Any) -> str | None:
    """Return the type that a default value shows; None where it shows none."""
    if value is None:
        return None
    if type(value) in _WORDS:
        return _WORDS[type(value)]
    if isinstance(value, list | tuple) and value:
        items = list(dict.fromkeys(type_of_value(each) for each in value))
        return _list(items[0] if len(items) == 1 else "number" if set(items) == {"integer", "number"} else None)
    return None


def _component(annotation: Any) -> str | None:
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(annotation, type):
        return None
    for kind, name in _COMPONENTS.items():
        module, base = name.rsplit(".", 1)
        found: Any = keras
        for part in module.split("."):
            found = getattr(found, part)
        if annotation is getattr(found, base):
            return kind
    return None


def _joined(parts: list[str | None]) -> str | None:
    known = [each for each in parts if each is not None]
    # null last, as everywhere.
    return " | ".join(sorted(known, key=lambda each: each == "null")) if len(known) == len(parts) else None


def _list(items: str | None) -> str | None:
    return None if items is None else f"[{items}]"


def _tuple(items: list[str | None]) -> str | None:
    """Return a list of a length; YAML has none whose items have several types."""
    return f"[{items[0]}; {len(items)}]" if items and items[0] is not None and len(set(items)) == 1 else None
