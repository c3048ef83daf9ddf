"""Keras' components in a spec: checked against the catalogue and completed with Keras' defaults, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import InitErrorDetails

from mltrain.keras_api import catalogue, rules
from mltrain.keras_api.argument_types import ArgumentType, Choice, ComponentOf, ListOf, Scalar
from mltrain.keras_api.catalogue import Argument, Entry
from mltrain.keras_api.mismatch import mismatch
from mltrain.keras_api.own_parts import NONE, OwnPart, OwnParts, parts_in
from mltrain.keras_api.pretrained import not_pretrained
from mltrain.plugins import GROUPS
from mltrain.spec import OneOf, Spec, fail, problem, suggest

__all__ = ["KerasAlternatives", "KerasComponent", "check_component", "keras_component", "make"]

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class KerasComponent:
    """A layer, optimizer, loss … of Keras, or of the user's, with a value for every argument.

    Attributes:
        kind: "layer", "optimizer" …
        type: Keras' name.
        arguments: `(name, value)` of all arguments in Keras' order. A value is null, a bool, a number, a text, a tuple
            of values or a KerasComponent.
        own: what it is made of, where it is the user's; None for Keras' own.
    """

    kind: str
    type: str
    arguments: tuple[tuple[str, Any], ...]
    # Not compared: that the code is another one than before is said by its sha256.
    own: OwnPart | None = field(default=None, compare=False, repr=False)

    @property
    def entry(self) -> Entry:
        """What the catalogue says of this component."""
        return catalogue.entry(self.kind, self.type) if self.own is None else self.own.entry

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
    """All components of one kind, Keras' and the user's, as alternatives of a `OneOf`."""

    def __init__(self, kind: str, parts: OwnParts = NONE) -> None:
        self.kind = kind
        self._parts = parts

    def names(self) -> list[str]:
        """Return the name of every component, the user's own first."""
        return _names(self.kind, self._parts)

    def find(self, name: str) -> str | None:
        """Return the canonical name that `name` means. What is left out is found too, so that `check` can say why."""
        theirs = catalogue.find(self.kind, name) or (name if catalogue.reason_left_out(self.kind, name) else None)
        if theirs is not None:
            return theirs
        own = self._parts.find(self.kind, name)
        return None if own is None else own.entry.name

    def check(self, name: str, arguments: Mapping[str, Any], context: Any = None) -> KerasComponent:
        """Return the component with all its arguments.

        Raises:
            pydantic.ValidationError: with every problem in `arguments`.
        """
        problems: list[InitErrorDetails] = []
        component = check_component(self.kind, {**arguments, "type": name}, (), problems, self._parts)
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
    """Return the annotation for one component of a kind, Keras' or the user's, or one of our `own` specs, which win
    over Keras' own."""

    def more(context: Any) -> KerasAlternatives:
        return KerasAlternatives(kind, parts_in(context))

    hint = "one of your own comes with --plugin FILE.py" if kind in GROUPS else ""
    why_not = not_pretrained if kind == "layer" else (lambda normal_form: "")
    return OneOf(kind, *own, more=more, hint=hint, why_not=why_not)


def make(kind: str, component: str, /, **arguments: Any) -> KerasComponent:
    """Return a component of Keras, as code writes it: `make("layer", "Dense", units=1, activation="sigmoid")`."""
    return KerasAlternatives(kind).check(component, arguments)


def check_component(
    kind: str, value: Any, loc: Loc, problems: list[InitErrorDetails], parts: OwnParts
) -> KerasComponent | None:
    """Return the component that `value` describes, or None after adding what is wrong to `problems`.

    Args:
        kind: of the component.
        value: a name, a mapping with a `type`, or a component that is made already.
        loc: where it stands, below what is being checked.
        problems: get what is wrong.
        parts: those of the user's that it may be, or have in it.
    """
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
    own = (
        parts.find(kind, value["type"]) if name is None and not catalogue.reason_left_out(kind, value["type"]) else None
    )
    if name is None and own is None:
        problems.append(problem("unknown_type", _unknown(kind, value["type"], parts), place, value["type"]))
        return None
    found: list[InitErrorDetails] = []
    given = {key: item for key, item in value.items() if key != "type"}
    entry = own.entry if own is not None else catalogue.entry(kind, str(name))
    arguments = check_arguments(entry, given, loc, found, parts, {} if own is None else own.signature.left_out)
    if not found and own is None:  # rules between arguments take each one as valid by itself
        for argument, message in rules.broken(kind, entry.name, arguments):
            found.append(problem("value", message, (*loc, argument), given.get(argument)))
    problems.extend(found)
    return None if found else KerasComponent(kind, entry.name, tuple(arguments.items()), own)


def check_arguments(
    entry: Entry,
    given: Mapping[str, Any],
    loc: Loc,
    problems: list[InitErrorDetails],
    parts: OwnParts,
    left_out: Mapping[str, str],
) -> dict[str, Any]:
    """Return a value for every argument, `given` or by default.

    Args:
        entry: says which there are.
        given: as the YAML has them.
        loc: where they stand.
        problems: get what is wrong.
        parts: as for `check_component`.
        left_out: why an argument is none that YAML can state, by its name.
    """
    known = [each.name for each in entry.arguments]
    mistyped = ""
    for key in (key for key in given if key not in known):
        near = suggest(str(key), known)
        message = f"cannot be stated: {left_out[key]}" if key in left_out else f"unknown key{near}"
        problems.append(problem("unknown_key", message, (*loc, key), given[key]))
        mistyped += near
    arguments: dict[str, Any] = {}
    for each in entry.arguments:
        if each.name in given:
            arguments[each.name] = _check_value(each.type, given[each.name], (*loc, each.name), problems, parts)
        elif not each.required:
            arguments[each.name] = _default(each)
        elif f"'{each.name}'" not in mistyped:  # one typo is one problem
            message = f"{entry.name} needs '{each.name}': {each.type.expected()}"
            problems.append(problem("missing", message, (*loc, each.name)))
    return arguments


def _names(kind: str, parts: OwnParts) -> list[str]:
    theirs = catalogue.names(kind)
    return [*(each for each in parts.names(kind) if each not in theirs), *theirs]


def _unknown(kind: str, name: str, parts: OwnParts) -> str:
    reason = catalogue.reason_left_out(kind, name)
    if reason:
        return f"Keras' {kind} {name!r} is not offered: {reason}"
    near = suggest(name, _names(kind, parts)) or f" (`mltrain list {kind}` shows all)"
    return f"unknown {kind} {name!r}{near}"


def _check_value(
    expected: ArgumentType, value: Any, loc: Loc, problems: list[InitErrorDetails], parts: OwnParts
) -> Any:
    """Return `value` frozen: lists as tuples, components made. What is wrong goes to `problems`."""
    attempts = []
    for alternative in expected.alternatives:
        if not alternative.is_meant(value):
            continue
        found: list[InitErrorDetails] = []
        checked = _check_alternative(alternative, value, loc, found, parts)
        if not found:
            return checked
        attempts.append(found)
    # One alternative was meant: say exactly what is wrong with it. Otherwise say all that is possible.
    exact = len(attempts) == 1 and not _is_no_name(expected, value, parts)
    problems.extend(attempts[0] if exact else [mismatch(expected, value, loc)])
    return None


def _check_alternative(
    expected: Scalar | Choice | ListOf | ComponentOf,
    value: Any,
    loc: Loc,
    problems: list[InitErrorDetails],
    parts: OwnParts,
) -> Any:
    match expected:
        case ComponentOf(kind):
            return check_component(kind, value, loc, problems, parts)
        case ListOf():
            return _check_list(expected, value, loc, problems, parts)
    if not expected.accepts(value):
        near = suggest(value, expected.values) if isinstance(expected, Choice) else ""
        problems.append(mismatch(expected, value, loc, near))
    elif isinstance(expected, Scalar) and expected.word == "number":
        return float(value)  # Keras refuses an integer here and there, as for SGD's momentum
    return value


def _is_no_name(expected: ArgumentType, value: Any, parts: OwnParts) -> bool:
    """Return whether a text such as '0,001' was hardly meant as a component's name, where a number would do too."""
    kinds = [each.kind for each in expected.alternatives if isinstance(each, ComponentOf)]
    others = [each for each in expected.alternatives if isinstance(each, Scalar) and each.word != "null"]
    return bool(kinds and others) and isinstance(value, str) and not suggest(value, _names(kinds[0], parts))


def _check_list(
    expected: ListOf, value: Sequence[Any], loc: Loc, problems: list[InitErrorDetails], parts: OwnParts
) -> Any:
    if expected.length is not None and len(value) != expected.length:
        message = f"expected {expected.expected()}, received {len(value)} item{'' if len(value) == 1 else 's'}"
        problems.append(problem("type", message, loc, value))
        return None
    return tuple(_check_value(expected.items, item, (*loc, place), problems, parts) for place, item in enumerate(value))


def _default(argument: Argument) -> Any:
    problems: list[InitErrorDetails] = []
    return _check_value(argument.type, argument.default, (), problems, NONE)


def _plain(value: Any, argument: Argument | None = None) -> Any:
    if isinstance(value, KerasComponent):
        # By its name where that says all: without arguments (activations), or as Keras' default.
        is_default = argument is not None and not argument.required and value == _default(argument)
        return value.type if is_default or not value.arguments else value.plain()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
