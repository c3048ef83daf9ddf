"""What was expected of an argument, and what was received, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import InitErrorDetails

from mltrain.keras_api.argument_types import ArgumentType, Choice, Scalar
from mltrain.spec import problem


def mismatch(
    expected: ArgumentType | Scalar | Choice, value: Any, loc: tuple[str | int, ...], near: str = ""
) -> InitErrorDetails:
    """Return the problem of a value that is another than is expected; `near` is a suggestion."""
    return problem("type", f"expected {expected.expected()}, received {_received(value)}{near}", loc, value)


def _received(value: Any) -> str:
    """Return a value in words, short."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"text {_short(value)}"
        case float() if not math.isfinite(value):
            return str(value)
        case int() | float():
            return str(value) if abs(value) < 1e300 else "a number that is too large"
        case list() | tuple():
            return _short(value)
        case Mapping():
            return "a mapping"
    return f"a {type(value).__name__}"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
