"""How much a training may take, as the config states it. No TensorFlow here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from mltrain.spec import Spec, fail, problem


class Budget(Spec):
    """What a training may take, instead of a number of epochs. The epochs follow from it, and a schedule fits them."""

    seconds: Annotated[float, Field(gt=0)] | None = None
    """Seconds of training. mltrain trains for a moment, measures how fast it is, and fixes the number of epochs that
    fit; the number is recorded, so that `resume` and `reproduce` train the same epochs on any machine."""
    rows_seen: Annotated[int, Field(ge=1)] | None = None
    """Rows that the training sees, each once in an epoch: rounded to whole epochs, at least one."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Budget:
        if (self.seconds is None) == (self.rows_seen is None):
            message = "expected one of seconds and rows_seen, such as `{seconds: 60}`"
            raise fail("budget", [problem("budget", message, (), self.seconds)])
        return self

    def epochs(self, rows: int) -> int | None:
        """Return the epochs that see these rows, of `rows` each; None where they depend on the machine."""
        return None if self.rows_seen is None else max(1, round(self.rows_seen / rows))

    @property
    def words(self) -> str:
        """It in a decision."""
        return f"{self.seconds:g} seconds" if self.rows_seen is None else f"{self.rows_seen:,} rows seen"
