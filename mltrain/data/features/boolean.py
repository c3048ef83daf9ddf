"""A column of yes and no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mltrain.data.column_settings import Scale
from mltrain.spec import Spec

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn


class BooleanFeature(Spec):
    """Booleans, encoded as the numbers 0 and 1, not scaled."""

    type: Literal["boolean"] = "boolean"
    missing: Literal["most_frequent", "error"] = "most_frequent"
    """The value that replaces a missing one. If training rows have missing values, a second column is 1 for them."""

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on a column of the training rows; `scale` does not touch booleans."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.number import fit_boolean

        return fit_boolean(column, self.missing)
