"""What a range test of the learning rate has measured: `learning_rate.json`."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mltrain.spec import Many, Spec

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class RateTest(Spec):
    """The points of the test, and what was chosen."""

    format: Literal[1] = 1
    """The version of this file's form."""
    rule: Literal["valley", "steepest"]
    """How it was chosen."""
    chosen: Positive
    """The learning rate of the training."""
    ended: str
    """Why the test ended where it did."""
    learning_rates: Annotated[Many[Positive], Field(min_length=2)]
    """That of each update."""
    losses: Many[Annotated[float, Field(allow_inf_nan=False)]]
    """That of the batch of each update, before it; one that is not a number ends the test, and is left out."""
    smoothed: Many[Annotated[float, Field(allow_inf_nan=False)]]
    """Their running means, by which the learning rate was chosen."""

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if not len(self.learning_rates) == len(self.losses) == len(self.smoothed):
            raise ValueError("the numbers of learning rates and losses differ")
        if any(later <= earlier for earlier, later in pairwise(self.learning_rates)):
            raise ValueError("the learning rates do not grow")
        return self
