"""How many rows a split takes, and with which seed they are drawn: the fields that several splits have."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from mltrain.spec import fail, problem
from mltrain.task import SplitName


def share(value: Any) -> int | float:
    """Return a fraction below 1 or a number of rows; anything else is a validation error."""
    # One validator, because a union of int and float would report every mistake twice.
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and value >= 0
        and (type(value) is int or value < 1)
    ):
        return value
    raise PydanticCustomError("share", "expected a fraction of the rows below 1 (0.2), or a number of rows (500)")


# A fraction of all rows, or a number of rows.
Share = Annotated[
    int | float,
    PlainValidator(share, json_schema_input_type=Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)]),
]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


def refuse_everything(kind: str, validation: float, test: float) -> None:
    """Refuse fractions that leave nothing for training; called by the validator of the split that is `kind`."""
    if isinstance(validation, float) and isinstance(test, float) and validation + test >= 1:
        message = f"{validation} for validation plus {test} for the test leaves nothing for training"
        raise fail(kind, [problem("share", message, ("validation",), validation)])


def held_out(validation: object, test: object) -> set[SplitName]:
    """Return the splits that have rows where each of these is a share, or a source, or nothing (0 or None)."""
    asked: tuple[tuple[SplitName, object], ...] = (("train", True), ("validation", validation), ("test", test))
    return {name for name, rows in asked if rows}
