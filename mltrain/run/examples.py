"""The inputs of the rows about which a model is most wrong: `examples.json`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mltrain.spec import Many, Spec


class Example(Spec):
    """One row."""

    row: Annotated[int, Field(ge=0)]
    """Its number, as in `splits/`."""

    file: str = ""
    """The name of its file, where each row is one; else empty."""

    values: Many[str] = ()
    """As they are shown, one a column."""

    picture: Annotated[str, Field(pattern="^[A-Za-z0-9+/=]*$")] = ""
    """A PNG in base64, where the row is an image; else empty."""


class WorstExamples(Spec):
    """The rows about which a model is most wrong."""

    format: Literal[1] = 1
    """The version of this file's form."""

    columns: Many[str]
    """The first of the columns, where the rows have such."""

    examples: Many[Example]
    """The worst first."""
