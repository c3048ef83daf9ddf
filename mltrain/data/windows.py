"""Windows of series: the last rows before a target, as one example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mltrain.spec import Many, Spec, fail, problem


class FillGaps(Spec):
    """Gaps are filled with rows at the usual step, as many as fit. They can be in windows; they are never a target that
    is learned or measured."""

    fill: Literal["previous", "linear"]
    """What is in these rows: `previous`: the values of the row before the gap; `linear`: numbers on the line from the
    row before the gap to the row after it, which is later: windows that end inside of such a gap are left out."""


class WindowsSpec(Spec):
    """Forecasts. Each example is the last `length` rows of the number columns, including the target. The model learns
    the target `horizon` rows after the last of these rows. Several targets are forecast together."""

    length: Annotated[int, Field(ge=1)]
    """How many rows a window has."""
    horizon: Annotated[int, Field(ge=1)] = 1
    """How many rows after the window the target is: 1 is the next row."""
    season: Annotated[int, Field(ge=2)] | None = None
    """How many rows a season has, such as 12 months. The baseline `seasonal_naive` and the scale of `mase` use it."""
    gaps: Literal["keep", "drop", "error"] | FillGaps = "keep"
    """What to do with windows over a gap in time. A gap is a step of more than 1.5 times the usual step of the series.
    `keep` uses these windows and reports how many there are, `drop` leaves them out, `error` stops; `{fill: previous}`
    and `{fill: linear}` fill the gap with rows. All but `keep` need `data.split.column`."""
    by: str | None = None
    """The column that says which series a row belongs to, such as a store. A window never mixes series. The column is
    not a feature."""
    known: Many[str] = ()
    """Columns that are known before their row is there, such as a holiday, a price list or a planned promotion. Their
    values after the window, up to the row of the target, are an input of their own, `known`. Only name columns that
    you really know when the forecast is made. The column of the time may be one: its parts are then known."""
    static: Many[str] = ()
    """Columns that have one value in each series, such as the region of a store. They are an input of their own,
    `static`. The column `by` may be one: a model then learns what is special in each series."""

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
            message = f"a season of {self.season} rows needs windows of {least} rows or more; set length to {least}"
            raise fail("windows", [problem("season", message, ("season",), self.season)])
        return self

    @model_validator(mode="after")
    def _columns_beside_the_window_differ(self) -> WindowsSpec:
        problems, seen = [], set[str]()
        for key, names in (("known", self.known), ("static", self.static)):
            for place, name in enumerate(names):
                if name in seen:
                    message = f"'{name}' is listed twice"
                    if key == "static" and name in self.known:
                        message = f"'{name}' is under known, too: remove it from one of them"
                    problems.append(problem("beside", message, (key, place), name))
                elif key == "known" and name == self.by:
                    message = f"'{name}' names the series and never changes in one: list it under static"
                    problems.append(problem("beside", message, (key, place), name))
                seen.add(name)
        if self.static and self.by is None:
            message = "there is one series, so a static column has one value and tells nothing: set by, or remove it"
            problems.append(problem("beside", message, ("static",), list(self.static)))
        if problems:
            raise fail("windows", problems)
        return self
