"""What windows of series are for: rows that have a target, the last rows of windows, or rows that are still to come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mltrain.data.beside_windows import single_values
from mltrain.data.encoders.column import RawColumn
from mltrain.data.series import Series
from mltrain.data.table import Table
from mltrain.wording import counted


@dataclass(frozen=True)
class Use:
    """What the windows of a table are for.

    Attributes:
        lag: how many steps before a row its window ends; None takes the horizon, so that the row has the target; with
            0 it is the last of the window.
        column: the name of the column of windows; None takes one that is free.
        steps: that of the column of known values of several steps, likewise.
        needed: columns in the windows that nobody can ignore.
        ahead: the targets, where the last rows of a series may be still to come, so that they have no target yet.
    """

    lag: int | None = None
    column: str | None = None
    steps: str | None = None
    needed: Collection[str] = ()
    ahead: Collection[str] = ()


FOR_TARGETS = Use()


@dataclass(frozen=True)
class Ahead:
    """The last rows of series, which have no target yet.

    Attributes:
        rows: how many of them have a window.
        too_far: how many of them are so far ahead that their window would hold rows that are still to come.
        target: what they do not have, in words.
        horizon: how many rows ahead a forecast is.
    """

    rows: int
    too_far: int
    target: str
    horizon: int

    @property
    def sentence(self) -> str:
        """Return what there is to say of them."""
        if not self.rows and not self.too_far:
            return (
                f"each forecast is in its own row, and every row has a value of {self.target} already: for what is "
                f"still to come, add rows with an empty {self.target} to the end of each series, with the known columns"
            )
        verb = "has" if self.rows == 1 else "have"
        rows = f"{counted(self.rows, 'row')} with an empty {self.target} {verb} a forecast"
        forecast = f"each forecast is in its own row; {rows}"
        if not self.too_far:
            return forecast
        more = "1 more has" if self.too_far == 1 else f"{self.too_far:,} more have"
        return f"{forecast}, and {more} none: a forecast is at most {counted(self.horizon, 'row')} ahead"


def rows_to_come(table: Table, series: Series, targets: Collection[str]) -> np.ndarray:
    """Return which rows are still to come, (rows,) bool: the last of a series, which have no value of any target."""
    if not targets:
        return np.zeros(len(table), bool)
    absent = np.all([np.asarray(single_values(RawColumn.of(table, name)).is_null()) for name in targets], axis=0)
    return absent & (series.position > series.newest(~absent)[series.number])
