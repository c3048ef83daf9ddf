"""How long a callback waits for an improvement: in epochs, or in updates of the weights."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

_STEPS = r"\s*([1-9]\d{0,8})\s*steps?\s*"


def _patience(value: Any) -> int | str:
    # One validator, because a union would report every mistake twice.
    if type(value) is int and value >= 0:
        return value
    match = re.fullmatch(_STEPS, value) if isinstance(value, str) else None
    if match is not None:
        return f"{match[1]} steps"
    raise PydanticCustomError("patience", "expected a number of epochs (10), or of updates of the weights (500 steps)")


Patience = Annotated[
    int | str,
    PlainValidator(
        _patience, json_schema_input_type=Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=rf"^{_STEPS}$")]
    ),
]


def in_epochs(patience: int | str, steps: int) -> int:
    """Return a patience as a number of epochs of so many `steps`: the first that are no fewer steps than it states."""
    return patience if isinstance(patience, int) else -(-int(patience.split()[0]) // steps)


def resolved(patience: int | str) -> int:
    """Return a patience that is a number of epochs.

    Raises:
        ValueError: it is in steps; `in_epochs` resolves it.
    """
    if not isinstance(patience, int):
        raise ValueError(f"patience is in steps: {patience}")
    return patience
