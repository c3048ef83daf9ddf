"""Which components of the user's an experiment names, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.components import KerasComponent
from mltrain.problems import KeyPath


def named_parts(spec: ExperimentSpec) -> Iterator[tuple[KeyPath, KerasComponent]]:
    """Yield every component of the user's in an experiment, also inside of Keras' components, each with the path that
    leads to it in the YAML."""
    yield from _parts(spec.model, ("model",))
    yield from _parts(spec.training, ("training",))


def _parts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, KerasComponent]]:
    if isinstance(value, KerasComponent):
        if value.own is not None:
            yield path, value
        for name, inner in value.arguments:
            yield from _parts(inner, (*path, name))
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            inner = getattr(value, name)
            is_itself = isinstance(inner, KerasComponent) and inner.kind == "model"
            yield from _parts(inner, path if is_itself else (*path, name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _parts(inner, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _parts(inner, (*path, number))
    elif is_dataclass(value) and not isinstance(value, type):  # a node of a graph, whose layer is written in its place
        for each in fields(value):
            inner = getattr(value, each.name)
            yield from _parts(inner, path if isinstance(inner, KerasComponent) else (*path, each.name))
