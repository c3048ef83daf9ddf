"""The JSON Schema (draft-07) of Keras' components, for editors: one definition a kind, which refer to each other."""

from __future__ import annotations

from typing import Any

from mltrain.keras_api import catalogue
from mltrain.keras_api.catalogue import Entry


def definitions() -> dict[str, Any]:
    """Return the definition of every kind, by the name that references to it have: `keras_layer`."""
    return {f"keras_{kind}": _kind_schema(kind) for kind in catalogue.kinds()}


def _kind_schema(kind: str) -> dict[str, Any]:
    bare = [name for entry in catalogue.entries(kind) if not entry.required for name in (entry.name, *entry.aliases)]
    components = [_component_schema(entry) for entry in catalogue.entries(kind)]
    return {"anyOf": [{"enum": bare}, *components] if bare else components}


def _component_schema(entry: Entry) -> dict[str, Any]:
    properties: dict[str, Any] = {"type": {"enum": [entry.name, *entry.aliases], "description": entry.doc}}
    for argument in entry.arguments:
        schema = argument.type.schema()
        # Beside a $ref, draft-07 ignores everything.
        properties[argument.name] = {"allOf": [schema]} if "$ref" in schema else dict(schema)
        properties[argument.name]["description"] = argument.doc
        if not argument.required:
            properties[argument.name]["default"] = argument.default
    return {
        "type": "object",
        "description": entry.doc,
        "properties": properties,
        "required": ["type", *(argument.name for argument in entry.required)],
        "additionalProperties": False,
    }
