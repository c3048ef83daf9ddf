"""The classes of the user's that are in a model: what Keras needs to open model.keras. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from mltrain.config.named_parts import named_parts
from mltrain.errors import PluginError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.own_parts import OwnPart
from mltrain.plugins import place_of
from mltrain.task import Decision
from mltrain.wording import in_words


@dataclass(frozen=True)
class OwnLayer:
    """A class that is in a model, and not Keras'.

    Attributes:
        name: its name.
        module: that defines it.
        file: of the plugin that defines it; empty where it is a package.
        origin: the name of that plugin or package.
    """

    name: str
    module: str
    file: str
    origin: str


def own_layers(model: keras.Model, spec: ExperimentSpec) -> tuple[OwnLayer, ...]:
    """Return the classes in `model`, which plain Keras does not have, each once.

    Raises:
        PluginError: an object of one has no config, so that model.keras could not be saved.
    """
    parts = [each.own for _, each in named_parts(spec) if each.own is not None]
    found: dict[str, OwnLayer] = {}
    for layer in model._flatten_layers(include_self=False):
        kind = type(layer)
        if kind.__module__.partition(".")[0] == "keras" or kind.__name__ in found:
            continue
        _refuse_without_config(layer)
        found[kind.__name__] = _of(kind, parts)
    return tuple(found.values())


def export_decision(layers: Sequence[OwnLayer]) -> tuple[Decision, ...]:
    """Return that model.keras opens only with code of the user's, where that is so."""
    if not layers:
        return ()
    names, plugins = [each.name for each in layers], list(dict.fromkeys(each.origin for each in layers))
    objects = ", ".join(f'"{name}": {name}' for name in names)
    reason = f"{in_words(names)} {'is' if len(names) == 1 else 'are'} in it: tell Keras custom_objects={{{objects}}}"
    return (Decision("model.keras", f"needs {in_words(plugins)} to be opened", reason),)


def _of(kind: type, parts: Sequence[OwnPart]) -> OwnLayer:
    for part in parts:
        made = part.made if isinstance(part.made, type) else getattr(part.made, "function", None)
        if getattr(made, "__module__", "") == kind.__module__:
            of_package = part.origin.version is not None
            return OwnLayer(kind.__name__, kind.__module__, "" if of_package else part.file, part.origin.plugin)
    return OwnLayer(kind.__name__, kind.__module__, "", kind.__module__.partition(".")[0])


def _refuse_without_config(layer: Any) -> None:
    try:
        layer.get_config()
    except NotImplementedError:
        message = "needs a get_config(), which returns its arguments, so that model.keras can be saved"
        raise PluginError(f"{type(layer).__name__} ({place_of(type(layer))}) {message}") from None
