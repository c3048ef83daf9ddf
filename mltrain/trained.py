"""Which layers a stage of a training trains, as the config says it. No TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import InitErrorDetails, core_schema

from mltrain.spec import fail, problem, suggest

_LAYERS = r"\s*([1-9]\d{0,5})\s*(?:layers?)?\s*"
_EXPECTED = "expected head, all, {last: 30 layers} or {from: NAME OF A LAYER}"


@dataclass(frozen=True)
class Trained:
    """Which layers a stage trains. One of the three says it.

    Attributes:
        part: "head" or "all"; None where one of the others says which.
        last: so many layers from the end, and the head.
        first: the name of the layer with which they begin, and the head.
    """

    part: Literal["head", "all"] | None = None
    last: int | None = None
    first: str | None = None

    def __str__(self) -> str:
        if self.part is not None:
            return {"head": "the head", "all": "all layers"}[self.part]
        if self.first is not None:
            return f"the layers from {self.first} on"
        return "the last layer" if self.last == 1 else f"the last {self.last} layers"

    def plain(self) -> Any:
        """Return what YAML can hold; loaded again, it makes an equal choice."""
        if self.part is not None:
            return self.part
        return {"last": self.last} if self.last is not None else {"from": self.first}


class TrainedType:
    """The pydantic annotation for the layers that a stage trains."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _checked, serialization=core_schema.plain_serializer_function_ser_schema(Trained.plain)
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        number = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": f"^{_LAYERS}$"}]}
        last = {**number, "description": "How many layers at the end of the backbone are trained, besides the head."}
        first = {"type": "string", "minLength": 1, "description": "The first layer of the backbone that is trained."}
        upper: list[dict[str, Any]] = [{"last": last}, {"from": first}]
        closed = {"type": "object", "additionalProperties": False}
        mappings = [{**closed, "properties": each, "required": sorted(each)} for each in upper]
        return {"anyOf": [{"enum": ["head", "all"]}, *mappings]}


def _checked(value: Any) -> Trained:
    if isinstance(value, Trained):
        return value
    if value in ("head", "all"):
        return Trained(part=value)
    if not isinstance(value, Mapping):
        hint = suggest(value, ("head", "all")) if isinstance(value, str) else ""
        raise fail("train", [problem("trained", _EXPECTED + hint, (), value)])
    problems: list[InitErrorDetails] = [
        problem("extra", f"unknown key{suggest(str(key), ('last', 'from'))}: {_EXPECTED}", (str(key),), each)
        for key, each in value.items()
        if key not in ("last", "from")
    ]
    if not problems and len(value) != 1:
        problems.append(problem("trained", _EXPECTED, (), dict(value)))
    if "last" in value and _layers(value["last"]) is None:
        message = "expected a number of layers, such as `30 layers`"
        problems.append(problem("layers", message, ("last",), value["last"]))
    if "from" in value and not (isinstance(value["from"], str) and value["from"]):
        problems.append(problem("layer", "expected the name of a layer", ("from",), value["from"]))
    if problems:
        raise fail("train", problems)
    return Trained(last=_layers(value["last"])) if "last" in value else Trained(first=value["from"])


def _layers(value: Any) -> int | None:
    if type(value) is int:
        return value if value >= 1 else None
    match = re.fullmatch(_LAYERS, value) if isinstance(value, str) else None
    return int(match[1]) if match else None
