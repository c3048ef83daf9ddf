"""The arguments of a component of the user's, from its signature: names, types, defaults, a line on each.

The type of an argument is that of its annotation; without one, that of the argument of the same name of the class of
Keras that it extends; else that of its default.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any, get_type_hints

from mltrain.errors import PluginError
from mltrain.keras_api import catalogue
from mltrain.keras_api.annotations import EXPECTED, type_of_value, type_text, wants_list
from mltrain.keras_api.argument_types import ArgumentType, ComponentOf, ListOf, parse
from mltrain.keras_api.catalogue import Argument, Entry
from mltrain.keras_api.docstrings import documented_arguments, first_sentence
from mltrain.keras_api.own_entry import Signature
from mltrain.own_function import OwnFunction
from mltrain.plugins import Kind, Offered

# What a `**kwargs` takes that is handed on to Keras' base class: the arguments of one that adds none of its own.
_OPEN_ENDED = {
    "layer": ("Identity", ("activity_regularizer", "trainable", "dtype", "name")),
    "loss": ("MeanSquaredError", ("reduction", "dtype")),
    "optimizer": (
        "SGD",
        (
            *("learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum"),
            *("ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "name"),
        ),
    ),
}
# What mltrain gives to a model that ends in the head for the task itself: numbers and texts, which a config can hold.
HEAD = ("head_units", "head_activation")
_VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
_BY_NAME = re.compile(r"(?:^|_)(initializer|regularizer|constraint|activation)$")


def signature_of(offered: Offered) -> Signature:
    """Return the arguments of a component.

    Raises:
        PluginError: YAML has no values for one of them; says which.
    """
    made, kind = offered.made, offered.kind
    function: Any = made.function if isinstance(made, OwnFunction) else inspect.getattr_static(made, "__init__")
    said = f"{offered.origin.plugin}: {kind} {offered.name}" + (f" ({offered.place})" if offered.place else "")
    # self comes first; in a function the tensors, whatever their names are.
    first = 2 if kind == "loss" and isinstance(made, OwnFunction) else 1
    parameters = list(inspect.signature(function).parameters.values())[first:]
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:  # noqa: BLE001 (an annotation can raise anything)
        reason = " ".join(str(error).split())
        raise PluginError(f"{said}: its annotations cannot be read: {type(error).__name__}: {reason}") from None
    given = _given(kind, made)
    inherited = _inherited(kind, made)
    if getattr(function, "__module__", "").partition(".")[0] == "keras":  # it has none of its own
        entry = Entry(kind, offered.name, _doc(made, offered), (), "any", tuple(inherited.values()))
        return Signature(entry, takes=given[:2] if "outputs" in given else ())
    documented = _documented(made)
    arguments, lists, left_out = [], [], {}
    for each in parameters:
        if each.kind in _VARIABLE or each.name in given:
            continue
        argument = _argument(each, hints.get(each.name, inspect.Parameter.empty), inherited, documented, said)
        if isinstance(argument, str):
            left_out[each.name] = argument
            continue
        arguments.append(argument)
        if wants_list(hints.get(each.name)):
            lists.append(each.name)
    if any(each.kind == inspect.Parameter.VAR_KEYWORD for each in parameters):
        stated = {each.name for each in parameters}
        arguments += [each for name, each in inherited.items() if name not in stated]
    if kind == "optimizer" and all(each.name != "learning_rate" for each in arguments):
        raise PluginError(f"{said}: its __init__ has no 'learning_rate', which every optimizer here has: add it")
    entry = Entry(kind, offered.name, _doc(made, offered), (), "any", tuple(arguments))
    takes = given if "outputs" in given else tuple(each.name for each in parameters if each.name in given)
    return Signature(entry, frozenset(lists), left_out, takes)


def _given(kind: Kind, made: Any) -> tuple[str, ...]:
    """Return the parameters that mltrain gives, and no config: the size of the last layer; or, to a class of
    `keras.Model` that has no `call`, the ends of another network, whose training step it is."""
    if kind != "model":
        return ()
    own = [each for each in getattr(made, "__mro__", ()) if each.__module__.partition(".")[0] != "keras"]
    is_step = isinstance(made, type) and not any("call" in vars(each) for each in own)
    return ("inputs", "outputs") if is_step else HEAD


def _argument(
    parameter: inspect.Parameter, hint: Any, inherited: Mapping[str, Argument], documented: Mapping[str, str], said: str
) -> Argument | str:
    """Return an argument, or why it cannot be stated in YAML, where it works without."""
    name, required = parameter.name, parameter.default is inspect.Parameter.empty
    default = None if required else _as_lists(parameter.default)
    doc = documented.get(name, "")
    text: str | None
    if name == "learning_rate" and name in inherited:  # a number, or a schedule, whatever it is annotated with
        text, wrong = inherited[name].type_text, ""
        doc = doc or inherited[name].doc
    elif hint is not inspect.Parameter.empty:
        text = type_text(hint)
        wrong = f"has the type {getattr(hint, '__name__', hint)}"
    elif name in inherited:
        text, doc = inherited[name].type_text, doc or inherited[name].doc
        wrong = ""
    else:
        by_name = _BY_NAME.search(name)
        text = by_name[1] if by_name else type_of_value(default)
        wrong = "has no type"
    if text is None:
        if not required and default is not None:
            return f"it {wrong}, and its default is a {type(parameter.default).__name__}, which YAML cannot hold"
        raise PluginError(f"{said}: argument {name} {wrong}; expected {EXPECTED}, as in `{name}: int`")
    if not required and default is None and "null" not in text.split(" | "):
        text = f"{text} | null"
    if not required and not _holds(default):
        return f"its default is a {type(parameter.default).__name__}, which YAML cannot hold"
    if not required and not fits(parse(text), default):
        raise PluginError(f"{said}: argument {name}: its default is {default!r}; expected {parse(text).expected()}")
    return Argument(name, text, default, required, doc)


def _inherited(kind: Kind, made: Any) -> dict[str, Argument]:
    """Return the arguments of the nearest class of Keras that a class extends, by name."""
    if isinstance(made, OwnFunction):
        return {}
    for base in made.__mro__[1:]:
        theirs = base.__module__.partition(".")[0] == "keras" and kind in catalogue.kinds()
        if theirs and base.__name__ in catalogue.names(kind):
            return {each.name: each for each in catalogue.entry(kind, base.__name__).arguments}
    name, shared = _OPEN_ENDED.get(kind, ("", ()))
    return {each.name: each for each in (catalogue.entry(kind, name).arguments if name else ()) if each.name in shared}


def _as_lists(value: Any) -> Any:
    return [_as_lists(each) for each in value] if isinstance(value, tuple | list) else value


def _holds(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_holds, value))
    return value is None or type(value) in (bool, int, float, str)


def fits(expected: ArgumentType, value: Any) -> bool:
    """Return whether a default is one of its type; of a component its name is enough."""
    for each in expected.alternatives:
        if not each.is_meant(value):
            continue
        if isinstance(each, ListOf):
            if each.length in (None, len(value)) and all(fits(each.items, item) for item in value):
                return True
        elif isinstance(each, ComponentOf) or each.accepts(value):
            return True
    return False


def _documented(made: Any) -> dict[str, str]:
    texts = [made.function.__doc__] if isinstance(made, OwnFunction) else [made.__doc__, vars(made).get("__init__")]
    found: dict[str, str] = {}
    for each in texts:
        text = each if isinstance(each, str) else getattr(each, "__doc__", None)
        found |= documented_arguments(inspect.cleandoc(text)) if text else {}
    return found


def _doc(made: Any, offered: Offered) -> str:
    text = made.function.__doc__ if isinstance(made, OwnFunction) else made.__doc__
    return first_sentence(inspect.cleandoc(text)) if text else f"A {offered.kind} of {offered.origin.plugin}."
