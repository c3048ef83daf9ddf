"""Columns that become numbers: numbers, booleans, dates and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mltrain.data.column_settings import Part, Scale
from mltrain.data.features.feature_spec import FeatureSpec
from mltrain.spec import Many

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn


class NumberFeature(FeatureSpec):
    """Numbers: missing values are filled, then all values are scaled, with statistics of the training rows."""

    type: Literal["number"] = "number"
    scale: Scale | None = None
    """`standard`: mean 0 and standard deviation 1; `minmax`: 0 to 1; `none`: as they are. null takes `data.scale`."""
    missing: Literal["mean", "median", "zero", "error"] = "mean"
    """The value that replaces a missing one. If training rows have missing values, a second column is 1 for them."""

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on a column of the training rows; `scale` is `data.scale`."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.number import fit_number

        return fit_number(column, self.scale or scale, self.missing)


class BooleanFeature(FeatureSpec):
    """Booleans, encoded as the numbers 0 and 1, not scaled."""

    type: Literal["boolean"] = "boolean"
    missing: Literal["most_frequent", "error"] = "most_frequent"
    """The value that replaces a missing one. If training rows have missing values, a second column is 1 for them."""

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on a column of the training rows; `scale` does not touch booleans."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.number import fit_boolean

        return fit_boolean(column, self.missing)


class DatetimeFeature(FeatureSpec):
    """Dates or times, as one number column per part: `sold.year`, `sold.month`. Times with a zone are read in UTC."""

    type: Literal["datetime"] = "datetime"
    parts: Annotated[Many[Part], Field(min_length=1)] | None = None
    """Which parts to use. null uses the parts that differ between training rows: year, month, day, weekday (Monday is
    0), hour, minute, second."""
    scale: Scale | None = None
    """How the parts are scaled; null uses `data.scale`."""
    missing: Literal["mean", "median", "error"] = "mean"
    """What replaces each part of a missing value. If a value is missing in a training row, one more column is 1 where
    the value is missing."""

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on a column of the training rows; `scale` is `data.scale`."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.datetime import fit_datetime

        return fit_datetime(column, self.parts, self.scale or scale, self.missing)
