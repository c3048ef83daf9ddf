"""A stretch of a training, as a config states it: a share of it, epochs, or updates of the weights."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

_TEXT = r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(steps?|epochs?)\s*"


def _length(value: Any) -> float | str:
    # One validator, because a union would report every mistake twice.
    if type(value) in (int, float) and 0 <= value <= 1:
        return float(value)
    match = re.fullmatch(_TEXT, value) if isinstance(value, str) else None
    if match is not None:
        number, unit = float(match[1]), match[2].rstrip("s")
        if number > 0 and (unit == "epoch" or number == int(number)):
            return f"{number:.15g} {unit}{'' if number == 1 else 's'}"
    raise PydanticCustomError(
        "length",
        "expected a share of the training from 0 to 1 (0.1), a number of epochs ('3 epochs'), or of updates of the "
        "weights ('500 steps')",
    )


Length = Annotated[
    float | str,
    PlainValidator(
        _length,
        json_schema_input_type=Annotated[float, Field(ge=0, le=1)] | Annotated[str, Field(pattern=f"^{_TEXT}$")],
    ),
]


def amount(length: float | str) -> tuple[float, str]:
    """Return the number of a length, and its unit: "share", "epoch" or "step"."""
    if isinstance(length, float):
        return length, "share"
    number, unit = length.split()
    return float(number), unit.rstrip("s")


def share_of(length: float | str, epochs: int, steps_of_epoch: int | None) -> float | None:
    """Return which share of a training a length is; None for steps where it is not known how many an epoch has."""
    number, unit = amount(length)
    if unit == "step":
        return None if steps_of_epoch is None else number / (epochs * steps_of_epoch)
    return number / epochs if unit == "epoch" else number


def in_steps(length: float | str, steps: int, steps_of_epoch: int) -> float:
    """Return how many updates of the weights a length is, in a training of so many `steps`."""
    number, unit = amount(length)
    return number * {"share": steps, "epoch": steps_of_epoch, "step": 1}[unit]


def in_words(length: float | str) -> str:
    """Return it as it is said."""
    return f"{length:g} of the training" if isinstance(length, float) else length
