"""A column of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mltrain.data.column_settings import Scale
from mltrain.spec import Spec

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn


class NumberFeature(Spec):
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
