"""What was learned of one numeric input: `learned.json`, the curve of the model and rows beside it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mltrain.spec import Many, Spec

Number = Annotated[float, Field(allow_inf_nan=False)]


class Points(Spec):
    """Rows of a split, some of them where there are many."""

    split: str
    """Its name."""
    input: Many[Number]
    """The value of each row."""
    target: Many[Number]
    """The target of each row; for binary 0 or 1."""

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.input) != len(self.target):
            raise ValueError("the numbers of inputs and targets differ")
        return self


class LearnedCurve(Spec):
    """The prediction over the range of the input."""

    format: Literal[1] = 1
    """The version of this file's form."""
    input: str
    """The column."""
    target: str
    """The column; for binary, the class whose probability the curve is."""
    formula: str
    """What the curve is, where it is a line; else empty."""
    grid: Many[Number]
    """Inputs, ascending."""
    predictions: Many[Number]
    """At each of them."""
    points: Many[Points]
    """By split."""

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.grid) != len(self.predictions):
            raise ValueError("the numbers of predictions and inputs differ")
        return self
