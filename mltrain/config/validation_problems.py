"""Pydantic's errors in words for people, each at its place in the YAML."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from pydantic import AfterValidator, ValidationError
from pydantic_core import ErrorDetails

from mltrain.config.expected import choices, constraints, expected_at, number_text, opened, specs_of
from mltrain.config.yaml_node import Node
from mltrain.config.yaml_scalar import read_scalar
from mltrain.keras_api import catalogue
from mltrain.problems import KeyPath, Problem, shortened
from mltrain.spec import FromText, OneOf, Spec, keys_of, suggest

_EXPECTED = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "none_required": "null",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
# What a key is called elsewhere, and its name here.
_OTHER_NAMES = {"separator": "delimiter"}
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def validation_problems(error: ValidationError, root: Node, spec: type[Spec]) -> list[Problem]:
    """Return one problem for every place that is wrong.

    Args:
        error: of the validation of `root` by `spec`.
        root: the whole YAML.
        spec: its class.
    """
    data = root.plain()
    located: dict[KeyPath, list[tuple[ErrorDetails, bool]]] = defaultdict(list)
    for each in error.errors(include_url=False):
        path, foreign = _path(each, root)
        located[path].append((each, foreign))
    above = {path[:depth] for path in located for depth in range(len(path))}
    problems = []
    for path, found in located.items():
        # Of `float | Schedule`, a mapping is certainly no number: only what is wrong inside the mapping helps. And for
        # pydantic a list whose items are wrong is too short.
        errors = [each for each, foreign in found if not (path in above and (foreign or each["type"] == "too_short"))]
        if errors:
            about_key = errors[0]["type"] == "extra_forbidden" or errors[0]["loc"][-1:] == ("[key]",)
            message = _message(errors, expected_at(spec, path, data), path, spec, data)
            problems.append(Problem(path, root.place_of(path, key=about_key), message))
    return problems


def _path(error: ErrorDetails, root: Node) -> tuple[KeyPath, bool]:
    """Return the path of an error, and whether its `loc` names the branch of a union: that part is not in the YAML."""
    path: KeyPath = ()
    for part in error["loc"]:
        if root.at(path).child(part) is not None:
            path = (*path, part)
    foreign = len(path) < len(error["loc"])
    if error["type"] == "missing" and foreign:
        return (*path, error["loc"][-1]), False
    return path, foreign


def _message(errors: list[ErrorDetails], expected: list[Any], path: KeyPath, spec: type[Spec], data: Any) -> str:
    phrases = list(dict.fromkeys(phrase for error in errors if (phrase := _expectation(error, expected))))
    others = [error for error in errors if not _expectation(error, expected)]
    if others:  # they know more: an unknown name rather than "expected a number or a name"
        return "; ".join(dict.fromkeys(_said(error, path, spec, data, expected) for error in others))
    value = _value_at(data, path)
    hint = ""
    if said := _said_of_text(value, expected):
        return said
    if isinstance(value, str):
        hint = suggest(value, choices(expected)) or _quotes_hint(value, phrases)
    elif isinstance(value, int | float) and "text" in phrases:
        hint = f" (put it in quotes: '{received(value)}')"
    wanted = phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} or {phrases[-1]}"
    return f"expected {wanted}, received {received(value)}{hint}"


def _expectation(error: ErrorDetails, expected: list[Any]) -> str | None:
    """Return what the validator wanted, as "an integer"; None for an error that is not of this kind."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _BOUNDS:
        # Pydantic names the one bound that was passed: say them all.
        whole = error["loc"][-1:] == ("int",) or not any(float in opened(annotation) for annotation in expected)
        bounds = {name: limit for name, limit in context.items() if name in ("ge", "gt", "le", "lt")}
        return number_text(int if whole else float, expected[0] if expected else None, bounds)
    if kind == "literal_error":
        return str(context["expected"])
    if kind == "string_too_short":
        return f"text of at least {context['min_length']} character{'' if context['min_length'] == 1 else 's'}"
    if kind == "string_too_long":
        return f"text of at most {context['max_length']} characters"
    if kind == "string_pattern_mismatch":
        return f"text of the form {context['pattern']}"
    if kind in ("too_short", "too_long"):
        limit = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return f"a list of {limit} item{'' if limit.endswith(' 1') else 's'}"
    if kind == "component":
        return error["msg"].removeprefix("expected ")
    return _EXPECTED.get(kind)


def _said(error: ErrorDetails, path: KeyPath, spec: type[Spec], data: Any, expected: list[Any]) -> str:
    kind = error["type"]
    if "message" in error.get("ctx", {}):
        return error["msg"]  # of `fail`
    if kind == "extra_forbidden":
        return "unknown key" + _key_hint(path, spec, data)
    if kind == "missing":
        return "missing key" + _choices_of_missing(expected)
    if kind in ("value_error", "assertion_error"):
        return str(error["ctx"]["error"])
    return error["msg"]


def _choices_of_missing(expected: list[Any]) -> str:
    """Return what a missing key may be, where some of it has names."""
    named = choices(expected)
    if not named:
        return ""
    keys = [key for spec in specs_of(expected, None) for key in keys_of(spec)]
    others = [f"a mapping with {', '.join(keys)}"] if keys else []
    return f": expected {', '.join(named)}{' or ' if others else ''}{''.join(others)}"


def _key_hint(path: KeyPath, spec: type[Spec], data: Any) -> str:
    parent, wrong = path[:-1], str(path[-1])
    here = data
    for part in parent:
        here = here[part]
    specs = specs_of(expected_at(spec, parent, data), here)
    known = [name for each in specs for name in keys_of(each)]
    if inside := _argument_hint(wrong, here, specs):
        return inside
    if near := suggest(wrong, known):
        return near
    other = next((name for usual, name in _OTHER_NAMES.items() if name in known and suggest(wrong, [usual])), None)
    if other is not None:
        return f" (did you mean '{other}'?)"
    shown = f" (known: {', '.join(dict.fromkeys(known))})" if 0 < len(known) <= 12 else ""
    others = [each for each in specs_of(expected_at(spec, parent, data), {}) if wrong in keys_of(each)]
    if others:
        return f": it is a key of type {_types(others)}, but this is {_types(specs)}{shown}"
    for name, field in ((name, field) for each in specs for name, field in keys_of(each).items()):
        below = here.get(name) if isinstance(here, dict) else None
        if any(wrong in keys_of(section) for section in specs_of([field], below or {})):
            return f" (did you mean '{'.'.join(map(str, (*parent, name, wrong)))}'?)"
    for name, field in keys_of(spec).items():
        for section in specs_of([field], {}) if parent != (name,) else ():
            near = suggest(wrong, keys_of(section))
            if near and (not parent or wrong in keys_of(section)):
                return near.replace("'", f"'{name}.", 1)
    return shown


def _argument_hint(wrong: str, here: Any, specs: list[type[Spec]]) -> str:
    """Return that a key is an argument of a component of Keras beside it, such as the network of a backbone."""
    for name, field in ((name, field) for each in specs for name, field in keys_of(each).items()):
        value = here.get(name) if isinstance(here, dict) else None
        component = value.get("type") if isinstance(value, dict) else value
        for each in opened(field):
            if isinstance(each, OneOf) and isinstance(component, str) and each.kind in catalogue.kinds():
                found = catalogue.find(each.kind, component)
                if found and wrong in (argument.name for argument in catalogue.entry(each.kind, found).arguments):
                    return f": it is an argument of {found}: write `{name}: {{type: {found}, {wrong}: …}}`"
    return ""


def _types(specs: list[type[Spec]]) -> str:
    return " or ".join(str(each.model_fields["type"].default) for each in specs if "type" in each.model_fields)


def _value_at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _said_of_text(value: Any, expected: list[Any]) -> str:
    """Return what is wrong with a number as the text that is expected, as "3" is no cadence: that says more than
    "expected text"."""
    if type(value) not in (int, float):
        return ""
    for read in (each for annotation in expected for each in _readers(annotation)):
        try:
            read(str(value))
        except ValueError as error:
            return str(error)
    return ""


def _readers(annotation: Any) -> Iterator[Callable[[str], Any]]:
    """Yield what reads the text that an annotation expects."""
    for each in constraints(annotation, str):
        if isinstance(each, AfterValidator):
            yield cast(Callable[[str], Any], each.func)
    for each in opened(annotation):
        if isinstance(each, type) and issubclass(each, FromText):
            yield each.parse


def _quotes_hint(value: str, phrases: list[str]) -> str:
    try:
        number = read_scalar(value)
    except ValueError:
        return ""
    wants_number = any("number" in phrase or "integer" in phrase for phrase in phrases)
    return " (remove the quotes)" if wants_number and type(number) in (int, float) else ""


def received(value: Any) -> str:
    """Return a value in words, in one short line."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "true" if value else "false"
        case str():
            return f"text '{shortened(value)}'"
        case float() if not math.isfinite(value):
            return f".{value}".replace(".-", "-.")
        case int() | float():
            return str(value)
        case list() | tuple():
            return f"a list of {len(value)}"
        case Mapping():
            return "a mapping"
    return f"a {type(value).__name__}"
