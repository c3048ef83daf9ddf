"""Writes `catalogue.json` from the installed Keras: `python -m mltrain.keras_api.generate`."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import keras

from mltrain.keras_api.backbones_of_keras import backbones
from mltrain.keras_api.docstrings import documented_arguments, first_sentence
from mltrain.keras_api.documentation import DOCUMENTATION
from mltrain.keras_api.left_out import ARGUMENTS_LEFT_OUT, LEFT_OUT
from mltrain.keras_api.signatures import (
    BY_SHAPE,
    CELLS,
    EXCEPTIONS,
    MANY_INPUTS,
    REQUIRED,
    SHORT_NAMES,
    TYPES,
)

_PATH = Path(__file__).with_name("catalogue.json")
_KINDS: dict[str, tuple[Any, type]] = {
    "callback": (keras.callbacks, keras.callbacks.Callback),
    "cell": (keras.layers, keras.layers.Layer),
    "constraint": (keras.constraints, keras.constraints.Constraint),
    "initializer": (keras.initializers, keras.initializers.Initializer),
    "layer": (keras.layers, keras.layers.Layer),
    "loss": (keras.losses, keras.losses.Loss),
    "metric": (keras.metrics, keras.metrics.Metric),
    "optimizer": (keras.optimizers, keras.optimizers.Optimizer),
    "regularizer": (keras.regularizers, keras.regularizers.Regularizer),
    "schedule": (keras.optimizers.schedules, keras.optimizers.schedules.LearningRateSchedule),
}
# Every layer takes these in **kwargs.
_LAYER_ARGUMENTS = {"activity_regularizer": None, "trainable": True, "dtype": None, "name": None}


def catalogue() -> dict[str, Any]:
    """Return the whole catalogue as JSON can hold it."""
    kinds = {kind: {"left_out": LEFT_OUT.get(kind, {}), "components": _components(kind)} for kind in _KINDS}
    kinds["activation"] = {"left_out": LEFT_OUT["activation"], "components": _activations()}
    kinds["backbone"] = {"left_out": {}, "components": backbones()}
    kinds["metric"]["components"] |= BY_SHAPE
    for kind in kinds.values():
        kind["components"] = dict(sorted(kind["components"].items(), key=lambda item: item[0].lower()))
    return {"keras": keras.__version__, "kinds": dict(sorted(kinds.items()))}


def as_text(content: dict[str, Any]) -> str:
    """Return the catalogue as the text of the file: one line an argument, so that a difference can be read."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    # The innermost mappings and lists onto one line.
    text = re.sub(r'\{\n\s+("type": [^{}]*?)\n\s+\}', lambda match: "{" + _joined(match[1]) + "}", text)
    text = re.sub(r'("aliases": )\[\n\s+([^\[\]]*?)\n\s+\]', lambda match: f"{match[1]}[{_joined(match[2])}]", text)
    return text + "\n"


def _joined(lines: str) -> str:
    return re.sub(r"\n\s+", " ", lines)


def _components(kind: str) -> dict[str, Any]:
    module, base = _KINDS[kind]
    found: dict[type, list[str]] = {}
    for name in dir(module):
        value = getattr(module, name)
        if inspect.isclass(value) and issubclass(value, base):
            found.setdefault(value, []).append(name)
    components = {}
    for made, exported in found.items():
        name = made.__name__ if made.__name__ in exported else exported[0]
        if name in LEFT_OUT.get(kind, {}) or (kind in ("layer", "cell") and (name in CELLS) != (kind == "cell")):
            continue
        components[name] = _component(kind, name, made, [other for other in exported if other != name])
    return components


def _component(kind: str, name: str, made: type, exported: list[str]) -> dict[str, Any]:
    short = [alias for alias, meant in SHORT_NAMES.get(kind, {}).items() if meant == name]
    aliases = sorted({_snake_case(name), *exported, *short} - {name})
    return {
        "doc": first_sentence(inspect.getdoc(made) or ""),
        **({"aliases": aliases} if aliases else {}),
        **({"inputs": "many"} if name in MANY_INPUTS and kind == "layer" else {}),
        "arguments": _arguments(kind, name, made),
    }


def _arguments(kind: str, name: str, made: type) -> dict[str, Any]:
    docstrings = (inspect.getdoc(each) or "" for each in (made, inspect.getattr_static(made, "__init__")))
    documented = {argument: doc for text in docstrings for argument, doc in documented_arguments(text).items()}
    arguments = {}
    for argument, default in _defaults(kind, made).items():
        if {argument, f"{name}.{argument}", f"{kind}:{argument}"} & ARGUMENTS_LEFT_OUT.keys():
            continue
        required = default is inspect.Parameter.empty or f"{name}.{argument}" in REQUIRED
        arguments[argument] = {
            "type": _type(kind, name, argument, "required" if required else default),
            **({} if required else {"default": as_lists(default)}),
            "doc": (
                DOCUMENTATION.get(f"{name}.{argument}")
                or DOCUMENTATION.get(f"{kind}:{argument}")
                or DOCUMENTATION.get(argument)
                or documented[argument]
            ),
        }
    return arguments


def _defaults(kind: str, made: type) -> dict[str, Any]:
    """Return the default of every argument, `Parameter.empty` where there is none."""
    parameters = inspect.signature(made).parameters.values()
    open_ended = any(each.kind == inspect.Parameter.VAR_KEYWORD for each in parameters)
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    defaults = {each.name: each.default for each in parameters if each.kind not in variable}
    if kind in ("layer", "cell"):
        shared = {name: default for name, default in _LAYER_ARGUMENTS.items() if open_ended or name in defaults}
        own = {name: default for name, default in defaults.items() if name not in shared}
        return own | {name: defaults.get(name, default) for name, default in shared.items()}
    return defaults


def as_lists(value: Any) -> Any:
    """Return a default as JSON holds it: tuples as lists."""
    return [as_lists(item) for item in value] if isinstance(value, tuple | list) else value


def _type(kind: str, name: str, argument: str, default: Any) -> str:
    """Return the type of an argument, as text."""
    component = re.search(r"_(initializer|regularizer|constraint)$", argument)
    text = (
        EXCEPTIONS.get(f"{name}.{argument}")
        or EXCEPTIONS.get(f"{kind}:{argument}")
        or TYPES.get(argument)
        or (component[1] if component else None)
    )
    if text is None:
        raise ValueError(f"{name}.{argument}: its type is missing in signatures.py")
    if "RANK" in text:
        rank = re.search(r"([123])D", name)
        if rank is None:
            raise ValueError(f"{name}.{argument}: the rank of {name} is unknown, give its type in signatures.py")
        text = text.replace("RANK", rank[1])
    return f"{text} | null" if default is None else text


def _activations() -> dict[str, Any]:
    components: dict[str, Any] = {}
    for name in dir(keras.activations):
        function = getattr(keras.activations, name)
        offered = name not in {"get", "serialize", "deserialize", *LEFT_OUT["activation"]}
        if not offered or name != getattr(function, "__name__", None):  # another name: an alias
            continue
        aliases = [alias for alias, meant in SHORT_NAMES["activation"].items() if meant == name]
        doc = {"doc": first_sentence(inspect.getdoc(function) or "")}
        components[name] = doc | ({"aliases": aliases} if aliases else {}) | {"arguments": {}}
    return components


def _snake_case(name: str) -> str:
    for irregular, regular in {"ReLU": "Relu", "PRelu": "Prelu", "RMSprop": "Rmsprop", "AdamW": "Adamw"}.items():
        name = name.replace(irregular, regular)
    name = name.replace("IoU", "Iou").replace("NaN", "Nan")
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


if __name__ == "__main__":
    _PATH.write_text(as_text(catalogue()), "utf-8")
