"""What the predictions of a model depend on: `explanation.json`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mltrain.run.metrics_form import RecordedModel
from mltrain.spec import Many, Spec


class ColumnImportance(Spec):
    """How much worse the metric becomes when the values of one raw column are shuffled among the rows."""

    column: str
    """Its name."""

    value: float | None
    """The mean over the permutations, positive where it becomes worse; None if a prediction is then NaN or infinite."""

    low: float | None = None
    """The lower end of its 95 % interval, over other rows and other permutations; None of too few rows."""

    high: float | None = None
    """The upper end."""

    @property
    def told(self) -> bool:
        """Whether it can be told from zero."""
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
    """In which it is measured."""

    value: float
    """The value of the metric on the original rows."""

    rows: Annotated[int, Field(ge=1)]
    """That were permuted: all of the split, or a draw of them."""

    permutations: Annotated[int, Field(ge=1)]
    """The importance of each column."""

    columns: Annotated[Many[ColumnImportance], Field(min_length=1)]
    """The most important first."""


class Saliency(Spec):
    """How much each pixel of an image moves the score of the predicted class."""

    row: Annotated[int, Field(ge=0)]
    """Its number, as in `splits/`."""

    picture: Annotated[str, Field(pattern="^[A-Za-z0-9+/=]+$")]
    """A PNG in base64."""


class Explanation(Spec):
    """The whole file."""

    format: Literal[1] = 1
    """The version of this file's form."""

    split: str
    """Whose rows were looked at."""

    epoch: int
    """Whose weights the model had."""

    importance: Importances | None = None
    """The importance of the columns of a table."""

    saliency: Many[Saliency] = ()
    """The saliency of the images about which the model is most wrong."""

    def is_of(self, model: RecordedModel) -> bool:
        """Return whether it is of this model: a run that was trained for longer may have another by now."""
        return self.epoch == model.epoch
