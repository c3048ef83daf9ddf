"""A learning rate that is looked for before the training, as the config states it. No TensorFlow here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mltrain.spec import Spec, fail, problem


class RangeTest(Spec):
    """A range test of the learning rate: some updates with a learning rate that grows from one to the next (Smith,
    Cyclical learning rates, 2015). What the weights learn in it is forgotten."""

    from_: Annotated[float, Field(gt=0, alias="from")] = 1e-7
    """The learning rate of the first update."""
    to: Annotated[float, Field(gt=0)] = 1.0
    """That of the last one; each grows by the same factor. The test ends earlier where the loss has become four times
    its smallest value."""
    steps: Annotated[int, Field(ge=20, le=1000)] = 100
    """The number of updates."""
    choose: Literal["valley", "steepest"] = "valley"
    """The rule, both of fastai. `valley`: at half of the longest fall of the loss. `steepest`: where the loss falls
    fastest over the logarithm of the learning rate."""

    @property
    def words(self) -> str:
        """It in a decision."""
        return f"the {self.choose} of a range test of {self.steps} steps from {self.from_:g} to {self.to:g}"

    @model_validator(mode="after")
    def _grows(self) -> RangeTest:
        if self.to < 10 * self.from_:
            message = f"expected at least ten times `from`, which is {self.from_:g}"
            raise fail("find", [problem("range", message, ("to",), self.to)])
        return self


class RateSearch(Spec):
    """A learning rate that is found before the first step, on the training rows alone."""

    find: RangeTest
    """The range test that finds it, such as `{from: 1e-7, to: 1}`."""
