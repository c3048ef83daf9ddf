"""Columns whose every value is an array: images, and sequences, vectors or matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mltrain.data.column_settings import Scale
from mltrain.data.features.feature_spec import FeatureSpec

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn


class ImageFeature(FeatureSpec):
    """Images (rows, height, width, channels); gray images may be (rows, height, width) and get one channel."""

    type: Literal["image"] = "image"
    scale: Literal["unit", "standard", "none"] = "unit"
    """`unit`: to 0…1, by 255 for 8-bit images and 65535 for 16-bit ones; others by the highest value of the training
    rows, unless they are within 0…1 already. `standard`: mean 0 and standard deviation 1 of each channel."""

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on the images of the training rows; images have their own default of `scale`."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.array import fit_image

        return fit_image(column, self.scale)


class ArrayFeature(FeatureSpec):
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
