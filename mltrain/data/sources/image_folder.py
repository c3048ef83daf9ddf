"""Image files, in one folder a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mltrain.spec import InputPath, Many, Spec

if TYPE_CHECKING:
    from mltrain.data.images import ImageForm
    from mltrain.data.table import Table


class ImageFolderSource(Spec):
    """A folder with one folder of images a class: PNG, JPEG, BMP, and of GIF the first frame. The columns are `image`,
    8-bit arrays, and `class`, which is the target."""

    type: Literal["image_folder"] = "image_folder"

    path: InputPath
    """The folder that holds the folders of the classes."""

    size: Annotated[Many[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=2, max_length=2)]
    """Height and width in pixels. Images of another size are stretched to it (bilinear; shrinking averages)."""

    channels: Literal["rgb", "grayscale"] = "rgb"
    """What a pixel is: red, green and blue, or one gray value. Images of the other kind are converted."""

    @property
    def form(self) -> ImageForm:
        """What every image is made to be."""
        from mltrain.data.images import ImageForm  # NumPy costs 0.1 s at import

        height, width = self.size
        return ImageForm(height, width, self.channels == "grayscale")

    def read(self, seed: int, declared: Mapping[str, str] | None = None) -> Table:
        """Return the table of the images; the arguments are those of `CsvSource.read`, and not used.

        Raises:
            DataError: the folder is not there or has another form, or a file is no image, damaged, or too large.
        """
        from mltrain.data.image_folder import read_image_folder  # pyarrow costs 50 ms at import

        return read_image_folder(self.path, self.form)
