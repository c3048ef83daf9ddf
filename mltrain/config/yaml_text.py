"""Values as YAML text: quoted whenever a YAML reader would take them for something else."""

from __future__ import annotations

import re
from typing import Any

from mltrain.config.yaml_scalar import read_scalar

# Words that need no quotes anywhere in YAML, unless they are truth values or null. Those of YAML 1.1 are quoted too,
# for programs that still read it.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*")
_TRUTH_VALUES_OF_1_1 = {"y", "n", "yes", "no", "on", "off"}


def value_text(value: Any) -> str:
    """Return a value as YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar_text(key)}: {value_text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    return scalar_text(value)


def scalar_text(value: Any) -> str:
    """Return a scalar as YAML that is read as the same value again, in a block and between brackets."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(repr(value), repr(value))
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} cannot be written to YAML")
    if _PLAIN.fullmatch(value) and isinstance(read_scalar(value), str) and value.lower() not in _TRUTH_VALUES_OF_1_1:
        return str(value)
    return '"' + "".join(_escaped(character) for character in value) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
