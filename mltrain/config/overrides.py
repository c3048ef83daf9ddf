"""`--set training.optimizer.learning_rate=1e-3` and `--gate 'test.f1 >= 0.8'`: values from the command line, put into
the tree of the YAML."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_origin

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from mltrain.config.expected import expected_at, is_spec, opened, specs_of
from mltrain.config.yaml_document import DEEPEST, Document, parse, split_lines
from mltrain.config.yaml_node import Node
from mltrain.problems import InvalidConfigError, KeyPath, Place, Problem, Source, path_text, shortened
from mltrain.spec import OneOf, Spec, as_plain, keys_of

# A name, a quoted name such as "a.b" (a double quote in it is written twice), or the number of an item.
_PART = re.compile(r"\.?(?:\"((?:[^\"]|\"\")+)\"|([^.\[\]=\"]+))(?=[.\[]|$)|\[(\d+)\]")
# The key ends at the first "=" outside quotes.
_KEY = re.compile(r"(?:[^=\"]|\"(?:[^\"]|\"\")*\")*")
# These marks alone are YAML, of an empty text or of nothing.
_SILENT = ("#", "|", ">")
_EXAMPLES = "expected KEY=VALUE, such as training.epochs=3"


def apply_override(root: Node, text: str, number: int, spec: type[Spec]) -> tuple[Node, tuple[Problem, ...]]:
    """Return the tree with one value set, and what is wrong with the value's YAML.

    Args:
        root: the whole YAML.
        text: such as `a.b[0].c=value` or `a.b.0.c=value`; the value is YAML. A name with a dot, a bracket or an equals
            sign is quoted: `data.features."a.b"=ignore`. Mappings that are missing on the way are made, and a component
            that is written as its bare name is opened.
        number: of the `--set`, from 1.
        spec: the class of the whole; it tells what a bare name stands for.

    Raises:
        InvalidConfigError: the path cannot be followed, or the value is not YAML.
    """
    key = place_of_override(text, number)
    source = key.source
    name, equals, value = _divided(text)
    parts = _parts(name)
    if not equals or not parts:
        quotes = '; quote a name with a dot: data.features."a.b"=ignore' if '"' in name else ""
        message = f"{_EXAMPLES}, received '{shortened(text)}'{quotes}"
        raise InvalidConfigError([Problem((), key, message)])
    if len(parts) > DEEPEST:
        raise InvalidConfigError([Problem((), key, f"nested more than {DEEPEST} deep")])
    document = _parsed(name, value, source)
    path: KeyPath = ()
    _refuse_unquoted(tuple(parts), root, key, spec)
    for part in parts:
        root, path = _opened(root, path, part, key, spec)
    problems = tuple(replace(problem, path=(*path, *problem.path)) for problem in document.problems)
    return root.changed(path, document.root, key), problems


def place_of_override(text: str, number: int) -> Place:
    """Return the place of the key of a `--set`; arguments as for `apply_override`."""
    return Place(Source(f"--set #{number}", split_lines(text), number), 1, 1, max(1, len(_divided(text)[0])))


def with_gates(root: Node, gates: Sequence[str]) -> Node:
    """Return the tree with `gates` at the end of `evaluation.gates`.

    Where something else than a list of gates stands there, the tree is as before: that is an error of its own.

    Args:
        root: the whole YAML.
        gates: as they were given; they are not looked at.
    """
    for number, gate in enumerate(gates, start=1):
        place = Place(Source(f"--gate #{number}", split_lines(gate), number), 1, 1, max(1, len(gate)))
        section = root.child("evaluation")
        if section is None or section.value is None:
            section = Node.collection({}, place)
        if not isinstance(section.value, Mapping):
            return root
        stated = section.child("gates")
        stated = Node.collection((), place) if stated is None or stated.value is None else stated
        if not isinstance(stated.value, tuple):
            return root
        gates_node = Node.collection((*stated.value, Node(gate, place)), stated.place)
        root = root.changed(("evaluation",), section.changed(("gates",), gates_node, place), place)
    return root


def _parsed(name: str, value: str, source: Source) -> Document:
    """Return the value as YAML. A mark that means something else in YAML, such as a comma, needs quotes."""
    mark = value.strip()
    needs_quotes = f"{mark} has another meaning in YAML: write {shlex.quote(f'{name}={json.dumps(mark)}')}"
    place = Place(source, 1, len(name) + 2)
    if mark in _SILENT:
        raise InvalidConfigError([Problem((), place, needs_quotes)])
    try:
        return parse(value, source, shift=len(name) + 1)
    except InvalidConfigError:
        if len(mark) != 1 or not mark.isascii() or not mark.isprintable():
            raise
        raise InvalidConfigError([Problem((), place, needs_quotes)]) from None


def _refuse_unquoted(path: KeyPath, root: Node, key: Place, spec: type[Spec]) -> None:
    """Refuse `data.features.a.b`, where `a` may be any name and `b` is not a key below it: the name is `a.b`."""
    for place in range(1, len(path) - 1):
        annotations = expected_at(spec, path[:place], root.plain())
        if not any(get_origin(each) is dict for annotation in annotations for each in opened(annotation)):
            continue
        known = {
            name
            for each in specs_of(expected_at(spec, path[: place + 1], root.plain()), None)
            for name in keys_of(each)
        }
        if known and path[place + 1] not in known:
            meant = path_text((*path[:place], ".".join(map(str, path[place:]))))
            raise InvalidConfigError([Problem((), key, f"a name with a dot needs quotes: write {meant}=…")])
        return


def _divided(text: str) -> tuple[str, str, str]:
    """Return the key, the equals sign and the value, as `str.partition` does."""
    match = _KEY.match(text)
    end = match.end() if match is not None else 0
    if text[end : end + 1] != "=":  # a quotation mark that is never closed
        return text.partition("=")
    return text[:end], "=", text[end + 1 :]


def _parts(name: str) -> list[str | int]:
    """Return the parts of a path, or an empty list for text that is not a path."""
    parts: list[str | int] = []
    position = 0
    while position < len(name):
        match = _PART.match(name, position)
        if match is None or (position == 0) != (match[0][0] not in ".["):
            return []
        quoted, plain, number = match.groups()
        parts.append(int(number) if number is not None else quoted.replace('""', '"') if quoted is not None else plain)
        position = match.end()
    return parts


def _opened(root: Node, path: KeyPath, part: str | int, key: Place, spec: type[Spec]) -> tuple[Node, KeyPath]:
    """Return the tree with a mapping or list at `path`, and the path of `part` in it."""
    node = root.at(path) if root.existing(path) == path else Node(None, key)
    if isinstance(node.value, tuple):
        if not str(part).isascii() or not str(part).isdigit():
            raise _cannot(path, key, f"it is a list; write {path_text((*path, 0))} for its first item")
        if int(part) >= len(node.value):
            raise _cannot(path, key, f"there is no item {part}: the list has {len(node.value)} (counted from 0)")
        return root, (*path, int(part))
    if node.is_scalar:
        meant = _default(spec, path) if node.value is None else _bare(root, path, node.value, spec)
        if meant is None:
            raise _cannot(path, key, "it is a single value without keys; set the whole value")
        inner = {name: Node(value, node.place) for name, value in meant.items()}
        node = Node.collection(inner, node.place, dict.fromkeys(inner, node.place))
        root = root.changed(path, node, key)
    if isinstance(part, int):
        raise _cannot(path, key, "it is a mapping, not a list")
    return root, (*path, part)


def _default(spec: Any, path: KeyPath) -> dict[str, Any]:
    """Return what stands where the YAML says nothing: the type of the default component, as `{type: random}`."""
    value: Any = spec
    for part in path:
        if not is_spec(value) or part not in keys_of(value):
            return {}
        field = keys_of(value)[str(part)]
        opened_as = value.opened_as.get(str(part))
        value = field.get_default(call_default_factory=True)
        if value is None and opened_as is not None:
            return {"type": opened_as}
        value = type(value) if is_spec(type(value)) and "type" not in type(value).model_fields else value
        if value is PydanticUndefined:
            value = next((each for each in opened(field) if is_spec(each)), None)
    kind = getattr(value, "type", None)
    return {"type": kind} if isinstance(kind, str) else {}


def _bare(root: Node, path: KeyPath, value: Any, spec: type[Spec]) -> dict[str, Any] | None:
    """Return the mapping that a bare value stands for, as `{type: adam}` for `adam`."""
    for each in (each for annotation in expected_at(spec, path, root.plain()) for each in opened(annotation)):
        if isinstance(each, OneOf) and isinstance(value, str):
            return {"type": value}
        if is_spec(each):
            try:
                made = each.model_validate(value)
            except ValidationError:
                continue
            return {name: as_plain(getattr(made, name)) for name in made.model_fields_set}
    return None


def _cannot(path: KeyPath, key: Place, why: str) -> InvalidConfigError:
    # Not a problem at `path`: the value there may be valid, or have a problem of its own.
    return InvalidConfigError([Problem((), key, f"cannot set this below {path_text(path)}: {why}")])
