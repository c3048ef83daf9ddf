"""A column whose every value is an array: a sequence, a vector, a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mltrain.data.column_settings import Scale
from mltrain.spec import Spec

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn


class ArrayFeature(Spec):
    """Arrays of one shape: sequences (rows, steps, features), vectors (rows, features), or any other rank."""

    type: Literal["array"] = "array"
    scale: Scale | None = None
    """Scaled like numbers, for each position of the last axis; null uses `data.scale`. With `none`, whole numbers stay
    whole (int32), as an Embedding layer needs them."""

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on the arrays of the training rows; `scale` is `data.scale`."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.array import fit_array

        return fit_array(column, self.scale or scale)
