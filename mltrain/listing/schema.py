"""The JSON Schema of the YAML, for editors: draft-07, which the YAML language server reads."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import DefsRef, GenerateJsonSchema, JsonRef, JsonSchemaValue
from pydantic_core import core_schema

from mltrain.config.plugins import Plugins
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.catalogue import definitions
from mltrain.keras_api.own_parts import OwnParts
from mltrain.listing.reference import field_documentation
from mltrain.models.graph_nodes import node_definition
from mltrain.spec import Spec, as_plain

_EDITORS_KEY = {"type": "string", "description": "Where an editor finds this schema; nothing else reads it."}


def json_schema(spec: type[Spec] = ExperimentSpec, plugins: Plugins | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a spec, with the strings under its fields as descriptions.

    Args:
        spec: of the whole.
        plugins: whose components may be named; None takes those of installed packages alone.
    """
    generator = type("_Draft7OfPlugins", (_Draft7,), {"plugins": plugins})
    schema = spec.model_json_schema(ref_template="#/definitions/{model}", schema_generator=generator)
    schema["properties"] = {"$schema": _EDITORS_KEY} | schema["properties"]
    if "$defs" in schema:
        schema["definitions"] = schema.pop("$defs")
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_draft7(schema)}


class _Draft7(GenerateJsonSchema):
    plugins: Plugins | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Keras' components have no classes: without this pydantic does not know what the references to them refer to.
        parts = OwnParts() if self.plugins is None else self.plugins.parts
        own = definitions(lambda kind: [part.entry for part in parts.registered(kind)])
        for name, schema in {**own, "graph_node": node_definition(parts)}.items():
            self.definitions[DefsRef(name)] = schema
            self.json_to_defs_refs[JsonRef(self.ref_template.format(model=name))] = DefsRef(name)
            self._prioritized_defsref_choices[DefsRef(name)] = [DefsRef(name)]

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().model_schema(schema)
        for name, text in field_documentation(schema["cls"]).items():
            key = schema["cls"].model_fields[name].alias or name if name in schema["cls"].model_fields else name
            if key in made.get("properties", {}):
                made["properties"][key]["description"] = text
        if "const" in (tag := made.get("properties", {}).get("type", {})):
            # The default is for code that makes the component; in the YAML it is the type that says which one is meant.
            tag.pop("default", None)
            tag["description"] = made.get("description", "")
            made["required"] = ["type", *made.get("required", [])]
        return made

    def any_schema(self, schema: core_schema.AnySchema) -> JsonSchemaValue:
        alternatives = schema.get("metadata", {}).get("alternatives")  # of a OneOf
        if alternatives is None:
            return super().any_schema(schema)
        return alternatives({"plugins": self.plugins}).json_schema() or {}

    def encode_default(self, dft: Any) -> Any:
        return as_plain(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _draft7(schema: Any) -> Any:
    """Return a schema of pydantic's (2020-12) as draft-07 has it."""
    if isinstance(schema, list):
        return [_draft7(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _draft7(value) for key, value in schema.items()}
    if isinstance(made.get("title"), str):  # of a class; a property of that name would be a mapping
        del made["title"]
    if "prefixItems" in made:
        made["items"] = made.pop("prefixItems")
    if "$ref" in made and len(made) > 1:  # beside a $ref, draft-07 ignores everything
        made["allOf"] = [{"$ref": made.pop("$ref")}]
    return made
