"""Windows of series: the last rows before a target, as one example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mltrain.spec import Spec, fail, problem


class WindowsSpec(Spec):
    """Forecasts: each example is the last `length` rows of the number columns, the target among them, and what is
    learned is the target `horizon` rows after the last of them."""

    length: Annotated[int, Field(ge=1)]
    """Rows in a window."""
    horizon: Annotated[int, Field(ge=1)] = 1
    """How many rows ahead the target is: 1 is the row after the window."""
    season: Annotated[int, Field(ge=2)] | None = None
    """Rows after which things come again, as 12 months: for the baseline `seasonal_naive` and the scale of `mase`."""
    gaps: Literal["keep", "drop", "error"] = "keep"
    """Windows over a gap in time, which is a step of more than 1.5 times the usual step of the series: `keep` uses them
    and says how many there are, `drop` leaves them out, `error` stops. It needs `data.split.column`."""
    by: str | None = None
    """A column that says which series a row belongs to, as a store; no window holds rows of two. It is no feature."""

    @property
    def seasonal_lag(self) -> int | None:
        """How many rows before the target the newest known value of the same season is."""
        return None if self.season is None else self.season * -(-self.horizon // self.season)

    @model_validator(mode="after")
    def _the_season_is_in_the_window(self) -> WindowsSpec:
        # Else the baseline would know what the model cannot see, and the first rows would have none.
        lag = self.seasonal_lag
        if lag is not None and lag > self.length + self.horizon - 1:
            least = lag - self.horizon + 1
            message = f"a season of {self.season} rows needs windows of {least} rows or more: set length"
            raise fail("windows", [problem("season", message, ("season",), self.season)])
        return self
