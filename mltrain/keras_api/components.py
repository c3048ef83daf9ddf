"""Keras' components in a spec: checked against the catalogue and completed with Keras' defaults, without TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import InitErrorDetails

from mltrain.keras_api import catalogue, rules
from mltrain.keras_api.argument_types import ArgumentType, Choice, ComponentOf, ListOf, Scalar
from mltrain.keras_api.catalogue import Argument, Entry
from mltrain.keras_api.pretrained import not_pretrained
from mltrain.spec import OneOf, Spec, fail, problem, suggest

__all__ = ["KerasAlternatives", "KerasComponent", "check_component", "keras_component", "make"]

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class KerasComponent:
    """A layer, optimizer, loss … of Keras, with a value for every argument.

    Attributes:
        kind: "layer", "optimizer" …
        type: Keras' name.
        arguments: `(name, value)` of all arguments in Keras' order. A value is null, a bool, a number, a text, a tuple
            of values or a KerasComponent.
    """

    kind: str
    type: str
    arguments: tuple[tuple[str, Any], ...]

    @property
    def entry(self) -> Entry:
        """What the catalogue says of this component."""
        return catalogue.entry(self.kind, self.type)

    def argument(self, name: str) -> Any:
        """Return the value of one argument.

        Raises:
            KeyError: this component has no such argument.
        """
        return dict(self.arguments)[name]

    def with_argument(self, name: str, value: Any) -> KerasComponent:
        """Return this component with another value for one of its arguments."""
        return replace(self, arguments=tuple((each, value if each == name else old) for each, old in self.arguments))

    @property
    def takes_logits(self) -> bool:
        """Whether this is a loss or metric that is told to expect scores before the activation."""
        return bool(dict(self.arguments).get("from_logits", False))

    def changed(self) -> dict[str, Any]:
        """Return the arguments whose value is not Keras' default."""
        return {
            each.name: value
            for each, (_, value) in zip(self.entry.arguments, self.arguments, strict=True)
            if each.required or value != _default(each)
        }

    def plain(self) -> dict[str, Any]:
        """Return what YAML can hold: the type and every argument; loaded again, it makes an equal component."""
        return {"type": self.type} | {
            each.name: _plain(value, each)
            for each, (_, value) in zip(self.entry.arguments, self.arguments, strict=True)
        }


class KerasAlternatives:
    """All components of one kind, as alternatives of a `OneOf`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def names(self) -> list[str]:
        """Return Keras' name of every component."""
        return catalogue.names(self.kind)

    def find(self, name: str) -> str | None:
        """Return the canonical name that `name` means. What is left out is found too, so that `check` can say why."""
        return catalogue.find(self.kind, name) or (name if catalogue.reason_left_out(self.kind, name) else None)

    def check(self, name: str, arguments: Mapping[str, Any], context: Any = None) -> KerasComponent:
        """Return the component with all its arguments.

        Raises:
            pydantic.ValidationError: with every problem in `arguments`.
        """
        problems: list[InitErrorDetails] = []
        component = check_component(self.kind, {**arguments, "type": name}, (), problems)
        if component is None:
            raise fail(self.kind, problems)
        return component

    def is_component(self, value: Any) -> bool:
        """Return whether `value` is a component of this kind."""
        return isinstance(value, KerasComponent) and value.kind == self.kind

    def json_schema(self) -> dict[str, Any]:
        """Return a reference to the definition of this kind; `definitions()` holds it."""
        return {"$ref": f"#/definitions/keras_{self.kind}"}


def keras_component(kind: str, *own: type[Spec]) -> OneOf:
    """Return the annotation for one Keras component of a kind, or one of our `own` specs, which win over Keras' own."""
    more = KerasAlternatives(kind)
    return OneOf(kind, *own, more=more, why_not=not_pretrained) if kind == "layer" else OneOf(kind, *own, more=more)


def make(kind: str, component: str, /, **arguments: Any) -> KerasComponent:
    """Return a component, as code writes it: `make("layer", "Dense", units=1, activation="sigmoid")`."""
    return KerasAlternatives(kind).check(component, arguments)


def check_component(kind: str, value: Any, loc: Loc, problems: list[InitErrorDetails]) -> KerasComponent | None:
    """Return the component that `value` describes, or None after adding what is wrong to `problems`."""
    if isinstance(value, KerasComponent) and value.kind == kind:
        return value
    if isinstance(value, str):
        value, place = {"type": value}, loc
    else:
        place = (*loc, "type")
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        problems.append(
            problem(
                "component", f"expected {ComponentOf(kind).expected()} (a name, or a mapping with a 'type')", loc, value
            )
        )
        return None
    name = catalogue.find(kind, value["type"])
    if name is None:
        problems.append(problem("unknown_type", _unknown(kind, value["type"]), place, value["type"]))
        return None
    found: list[InitErrorDetails] = []
    given = {key: item for key, item in value.items() if key != "type"}
    arguments = _check_arguments(catalogue.entry(kind, name), given, loc, found)
    if not found:  # rules between arguments take each one as valid by itself
        for argument, message in rules.broken(kind, name, arguments):
            found.append(problem("value", message, (*loc, argument), given.get(argument)))
    problems.extend(found)
    return None if found else KerasComponent(kind, name, tuple(arguments.items()))


def _check_arguments(
    entry: Entry, given: Mapping[str, Any], loc: Loc, problems: list[InitErrorDetails]
) -> dict[str, Any]:
    """Return a value for every argument, `given` or by default."""
    known = [each.name for each in entry.arguments]
    mistyped = ""
    for key in (key for key in given if key not in known):
        near = suggest(str(key), known)
        problems.append(problem("unknown_key", f"unknown key{near}", (*loc, key), given[key]))
        mistyped += near
    arguments: dict[str, Any] = {}
    for each in entry.arguments:
        if each.name in given:
            arguments[each.name] = _check_value(each.type, given[each.name], (*loc, each.name), problems)
        elif not each.required:
            arguments[each.name] = _default(each)
        elif f"'{each.name}'" not in mistyped:  # one typo is one problem
            message = f"{entry.name} needs '{each.name}': {each.type.expected()}"
            problems.append(problem("missing", message, (*loc, each.name)))
    return arguments


def _unknown(kind: str, name: str) -> str:
    reason = catalogue.reason_left_out(kind, name)
    if reason:
        return f"Keras' {kind} {name!r} is not offered: {reason}"
    return f"unknown {kind} {name!r}{suggest(name, catalogue.names(kind)) or f' (`mltrain list {kind}` shows all)'}"


def _check_value(expected: ArgumentType, value: Any, loc: Loc, problems: list[InitErrorDetails]) -> Any:
    """Return `value` frozen: lists as tuples, components made. What is wrong goes to `problems`."""
    attempts = []
    for alternative in expected.alternatives:
        if not alternative.is_meant(value):
            continue
        found: list[InitErrorDetails] = []
        checked = _check_alternative(alternative, value, loc, found)
        if not found:
            return checked
        attempts.append(found)
    # One alternative was meant: say exactly what is wrong with it. Otherwise say all that is possible.
    exact = len(attempts) == 1 and not _is_no_name(expected, value)
    problems.extend(attempts[0] if exact else [_mismatch(expected, value, loc)])
    return None


def _check_alternative(
    expected: Scalar | Choice | ListOf | ComponentOf, value: Any, loc: Loc, problems: list[InitErrorDetails]
) -> Any:
    match expected:
        case ComponentOf(kind):
            return check_component(kind, value, loc, problems)
        case ListOf():
            return _check_list(expected, value, loc, problems)
    if not expected.accepts(value):
        near = suggest(value, expected.values) if isinstance(expected, Choice) else ""
        problems.append(_mismatch(expected, value, loc, near))
    elif isinstance(expected, Scalar) and expected.word == "number":
        return float(value)  # Keras refuses an integer here and there, as for SGD's momentum
    return value


def _is_no_name(expected: ArgumentType, value: Any) -> bool:
    """Return whether a text such as '0,001' was hardly meant as a component's name, where a number would do too."""
    kinds = [each.kind for each in expected.alternatives if isinstance(each, ComponentOf)]
    others = [each for each in expected.alternatives if isinstance(each, Scalar) and each.word != "null"]
    return bool(kinds and others) and isinstance(value, str) and not suggest(value, catalogue.names(kinds[0]))


def _check_list(expected: ListOf, value: Sequence[Any], loc: Loc, problems: list[InitErrorDetails]) -> Any:
    if expected.length is not None and len(value) != expected.length:
        message = f"expected {expected.expected()}, received {len(value)} item{'' if len(value) == 1 else 's'}"
        problems.append(problem("type", message, loc, value))
        return None
    return tuple(_check_value(expected.items, item, (*loc, place), problems) for place, item in enumerate(value))


def _mismatch(expected: ArgumentType | Scalar | Choice, value: Any, loc: Loc, near: str = "") -> InitErrorDetails:
    return problem("type", f"expected {expected.expected()}, received {_received(value)}{near}", loc, value)


def _received(value: Any) -> str:
    """Return a value in words, short."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"text {_short(value)}"
        case float() if not math.isfinite(value):
            return str(value)
        case int() | float():
            return str(value) if abs(value) < 1e300 else "a number that is too large"
        case list() | tuple():
            return _short(value)
        case Mapping():
            return "a mapping"
    return f"a {type(value).__name__}"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


def _default(argument: Argument) -> Any:
    problems: list[InitErrorDetails] = []
    return _check_value(argument.type, argument.default, (), problems)


def _plain(value: Any, argument: Argument | None = None) -> Any:
    if isinstance(value, KerasComponent):
        # By its name where that says all: without arguments (activations), or as Keras' default.
        is_default = argument is not None and not argument.required and value == _default(argument)
        return value.type if is_default or not value.arguments else value.plain()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
