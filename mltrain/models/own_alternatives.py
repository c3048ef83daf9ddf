"""The models of the user's as alternatives of `MODELS`. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from mltrain.keras_api.catalogue import component_schema
from mltrain.keras_api.components import KerasComponent, check_arguments
from mltrain.keras_api.own_parts import OwnPart, OwnParts
from mltrain.models.own_model import OwnModel
from mltrain.spec import fail, problem

NETWORK = "network"


class OwnModels:
    """The models that plugins define.

    Args:
        parts: all that they define.
        check_model: validates the model whose training step another is, in a validation context.
    """

    def __init__(self, parts: OwnParts, check_model: Callable[[Any, Any], Any]) -> None:
        self._parts = parts
        self._check_model = check_model

    def names(self) -> list[str]:
        """Return the name of each."""
        return self._parts.names("model")

    def find(self, name: str) -> str | None:
        """Return the name that `name` means in any spelling, or None."""
        found = self._parts.find("model", name)
        return None if found is None else found.entry.name

    def check(self, name: str, arguments: Mapping[str, Any], context: Any) -> OwnModel:
        """Return the model with all its arguments.

        Raises:
            pydantic.ValidationError: with every problem in `arguments`.
        """
        part = self._parts.find("model", name)
        if part is None:
            raise TypeError(f"{name} is not a model of a plugin")
        problems: list[InitErrorDetails] = []
        given = dict(arguments)
        network = None
        if of_network(part):
            stated = given.pop(NETWORK, None)
            network = self._network(name, stated, context, problems)
        elif NETWORK in given:
            message = (
                "it is a network itself: only a class that takes inputs and outputs is the training step of another"
            )
            problems.append(problem("unknown_key", message, (NETWORK,), given.pop(NETWORK)))
        found = check_arguments(part.entry, given, (), problems, self._parts, part.signature.left_out)
        if problems:
            raise fail("model", problems)
        component = KerasComponent("model", part.entry.name, tuple(found.items()), part)
        return OwnModel(type=part.entry.name, part=component, network=network)

    def _network(self, name: str, stated: Any, context: Any, problems: list[InitErrorDetails]) -> Any:
        if stated is None:
            message = (
                f"{name} is a training step: it needs '{NETWORK}', the model that it trains, such as {{type: mlp}}"
            )
            problems.append(problem("missing", message, (NETWORK,)))
            return None
        try:
            return self._check_model(stated, SimpleNamespace(context=context))
        except ValidationError as error:
            problems += [_below(each) for each in error.errors(include_url=False)]
            return None

    def is_component(self, value: Any) -> bool:
        """Return whether `value` is such a model."""
        return isinstance(value, OwnModel)

    def json_schema(self) -> dict[str, Any] | None:
        """Return the JSON Schema of all that could be named; None where there is none."""
        registered = self._parts.registered("model")
        known = {each.entry.name: each for each in registered}
        if not (names := self.names()):
            return None
        schemas = [_schema(each) for each in registered]
        bare = [each for each in names if each not in known or not known[each].entry.required]
        others = [each for each in names if each not in known]  # of packages, whose arguments nobody has read yet
        if others:
            schemas.append({"type": "object", "properties": {"type": {"enum": others}}, "required": ["type"]})
        return {"anyOf": [*([{"enum": bare}] if bare else []), *schemas]}


def of_network(part: OwnPart) -> bool:
    """Return whether a model is the training step of another, and no network itself."""
    return "outputs" in part.signature.takes


def _schema(part: OwnPart) -> dict[str, Any]:
    schema = component_schema(part.entry)
    if of_network(part):
        text = {"type": "string", "description": "The name of the model whose training step it is."}
        mapping = {"type": "object", "description": "The model whose training step it is.", "required": ["type"]}
        schema["properties"][NETWORK] = {"anyOf": [text, mapping]}
        schema["required"].append(NETWORK)
    return schema


def _below(error: Mapping[str, Any]) -> InitErrorDetails:
    """Return an error of the network where it stands."""
    loc = (NETWORK, *error["loc"])
    context = error.get("ctx", {})
    if "message" in context:
        return problem(error["type"], context["message"], loc, error["input"])
    if error["type"] in ("value_error", "assertion_error"):
        return problem("value", str(context["error"]), loc, error["input"])
    if error["type"] == "custom":
        return problem("value", error["msg"], loc, error["input"])
    return InitErrorDetails(type=error["type"], loc=loc, input=error["input"], ctx=dict(context))
