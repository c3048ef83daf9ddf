"""What the predictions of a model depend on: `explanation.json`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mltrain.run.results import TrainedModel
from mltrain.spec import Many, Spec

Whole = Literal["", "text", "image", "array"]


class ColumnImportance(Spec):
    """How much worse the metric becomes when the values of one raw column are shuffled among the rows."""

    column: str
    """Its name."""
    whole: Whole = ""
    """What was shuffled as one; empty for a single value."""
    value: float | None
    """The mean over the shuffles, positive where it becomes worse; None where a prediction is then NaN or infinite."""
    low: float | None = None
    """The lower end of its 95 % interval, over other rows and other permutations; None for too few rows."""
    high: float | None = None
    """The upper end."""

    @property
    def told(self) -> bool:
        """Whether it differs from zero by more than chance explains."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        ends = (self.low, self.value, self.high)
        if (self.low is None) != (self.high is None) or (self.low is not None and self.value is None):
            raise ValueError("an interval has a value and two ends")
        if None not in ends and list(ends) != sorted(ends):  # type: ignore[type-var]
            raise ValueError("the value is not in its interval")
        return self


class Importances(Spec):
    """The importance of every raw column."""

    metric: str
    """The metric that is measured."""
    value: float
    """The value of the metric on the rows as they are."""
    rows: Annotated[int, Field(ge=1)]
    """The number of rows that were shuffled: all rows of the split, or a random sample of them."""
    permutations: Annotated[int, Field(ge=1)]
    """How often each column was shuffled."""
    columns: Annotated[Many[ColumnImportance], Field(min_length=1)]
    """The most important first."""


class Saliency(Spec):
    """How much each pixel of an image moves the score of the predicted class."""

    row: Annotated[int, Field(ge=0)]
    """The row number, as in `splits/`."""
    picture: Annotated[str, Field(pattern="^[A-Za-z0-9+/=]+$")]
    """A PNG in base64."""


class Explanation(Spec):
    """The whole file."""

    format: Literal[1] = 1
    """The version of this file's form."""
    split: str
    """The split whose rows were used."""
    epoch: int
    """The epoch whose weights the model had."""
    importance: Importances | None = None
    """The importance of the columns of a table."""
    saliency: Many[Saliency] = ()
    """The saliency of the images that the model predicts worst."""

    def is_of(self, model: TrainedModel) -> bool:
        """Return whether it is about this model: a run that was trained for longer may have another model now."""
        return self.epoch == model.epoch
