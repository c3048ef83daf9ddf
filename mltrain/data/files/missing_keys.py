"""Which texts mean "no value", as a YAML file states it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

# The texts that pandas reads as "no value", so that a file means the same here.
USUAL = (
    *("", "NA", "N/A", "n/a", "<NA>", "#NA", "#N/A", "#N/A N/A", "null", "NULL", "None", "nan", "NaN", "-nan", "-NaN"),
    *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)


def _as_text(value: Any) -> Any:
    """Return the text of a number, -999 as "-999", and of null, which is the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        raise PydanticCustomError("text", f"expected a text or a number (put {str(value).lower()} in quotes)")
    return repr(value) if isinstance(value, int | float) else value


# A text, or a number that stands for every spelling of it.
MissingText: TypeAlias = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int | float | None)]
UsualMissing: TypeAlias = bool | Literal["numbers"]
