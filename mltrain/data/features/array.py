"""Columns whose every value is an array: images, and sequences, vectors or matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mltrain.data.column_settings import Scale
from mltrain.data.features.feature_spec import FeatureSpec
from mltrain.spec import Many

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn


class ImageFeature(FeatureSpec):
    """Images: arrays (rows, height, width, channels), where gray ones may be (rows, height, width) and get one channel;
    or image files, which the texts of a column name; or their bytes in a column of Parquet."""

    type: Literal["image"] = "image"
    scale: Literal["unit", "standard", "none"] = "unit"
    """`unit`: to 0…1, by 255 for 8-bit images and 65535 for 16-bit ones; others by the highest value of the training
    rows, unless they are within 0…1 already. `standard`: mean 0 and standard deviation 1 of each channel."""
    size: Annotated[Many[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=2, max_length=2)] | None = None
    """Image files only: height and width in pixels, to which others are stretched. null takes the size that the images
    have, if it is one and at most 128 x 128, and else 64 x 64."""
    channels: Literal["auto", "rgb", "grayscale"] = "auto"
    """Image files only: what a pixel is made to be. `auto` is `grayscale` where the images that are looked at are gray,
    and else `rgb`."""
    missing: Literal["error", "blank"] = "error"
    """Image files only: what a row without an image is. `blank` makes it a black image, and counts it as missing."""

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on the images of the training rows; images have their own default of `scale`."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.array import fit_image

        of_files = {"size", "channels", "missing"} & self.model_fields_set
        if of_files and column.images is None:
            raise column.failure(
                f"{' and '.join(sorted(of_files))} can be set for image files only, but it holds {column.holds()}"
            )
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
