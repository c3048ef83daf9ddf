"""What a spec class offers, field by field, read from its source: for `mltrain list`, the JSON Schema and the docs."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mltrain.config.expected import is_spec, number_text, opened
from mltrain.config.yaml_text import value_text
from mltrain.keras_api.components import KerasComponent
from mltrain.spec import FromText, OneOf, Spec, as_plain, with_article


@dataclass(frozen=True)
class FieldRow:
    """One field of a spec.

    Attributes:
        name: its key in the YAML.
        type: what it accepts, in words: "an integer of at least 1 or 'full'".
        default: as YAML would write it; None for a field that is required.
        doc: the sentences under it.
    """

    name: str
    type: str
    default: str | None
    doc: str


def describe(spec: type[Spec]) -> tuple[FieldRow, ...]:
    """Return every field of a spec but `type`, in the order of its source."""
    documentation = field_documentation(spec)
    return tuple(
        FieldRow(field.alias or name, type_text(field), _default_text(field), documentation.get(name, ""))
        for name, field in spec.model_fields.items()
        if name != "type"
    )


def field_documentation(spec: type[Spec]) -> dict[str, str]:
    """Return the string under each field, by the field's name; inherited fields have the words of their own class."""
    found: dict[str, str] = {}
    for cls in reversed(spec.__mro__):
        if is_spec(cls) and cls is not Spec:
            found |= _documentation_of(cls.__module__, cls.__qualname__)
    return found


def type_text(annotation: Any) -> str:
    """Return what may stand at an annotation, in words."""
    words = dict.fromkeys(word for each in opened(annotation) for word in _words(each, annotation))
    # null last: "a number or null"
    return " or ".join(sorted(words, key=lambda word: word == "null"))


def _words(each: Any, annotation: Any) -> Iterator[str]:
    arguments = get_args(each)
    if isinstance(each, OneOf):
        yield with_article(each.kind)
    elif is_spec(each):
        yield "a mapping"
    elif get_origin(each) is Literal:
        yield from (f"'{choice}'" if isinstance(choice, str) else value_text(choice) for choice in arguments)
    elif get_origin(each) in (tuple, list):
        yield f"a list (each {type_text(arguments[0])})"
    elif get_origin(each) is dict:
        yield f"a mapping (each value {type_text(arguments[1])})"
    elif each in (int, float):
        yield number_text(each, annotation)
    elif isinstance(each, type) and issubclass(each, FromText):
        yield "text"
    else:
        names = {str: "text", bool: "true or false", type(None): "null"}
        yield names.get(each, "a path" if getattr(each, "__name__", "") == "Path" else "any value")


def _default_text(field: FieldInfo) -> str | None:
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return None
    if isinstance(default, KerasComponent):  # Adam has 15 arguments: only those that are not Keras' own
        return value_text(as_plain({"type": default.type, **default.changed()} if default.changed() else default.type))
    return value_text(as_plain(default))


@functools.cache
def _documentation_of(module: str, qualname: str) -> dict[str, str]:
    tree: ast.AST | None = _parsed(module)
    for name in qualname.split("."):
        tree = next((each for each in getattr(tree, "body", ()) if getattr(each, "name", "") == name), None)
    found: dict[str, str] = {}
    body = getattr(tree, "body", [])
    for field, below in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = getattr(below.value, "value", None)
            if isinstance(text, str):
                found[field.target.id] = " ".join(inspect.cleandoc(text).split())
    return found


@functools.cache
def _parsed(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))
