"""Image files, in one folder per class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from pydantic_core import core_schema

from mltrain.spec import InputPath, Many, Spec

if TYPE_CHECKING:
    from mltrain.data.files.image_form import ImageForm
    from mltrain.data.table import Table


class ImageFolderSource(Spec):
    """A folder with one folder of images per class: PNG, JPEG, BMP, GIF, WebP or TIFF, the first frame or page of
    each. The columns are `image`, 8-bit arrays, and `class`, which is the target."""

    type: Literal["image_folder"] = "image_folder"
    path: InputPath
    """The folder that holds the folders of the classes."""
    size: Annotated[Many[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=2, max_length=2)]
    """Height and width in pixels. Images of another size are stretched to it (bilinear; shrinking averages). The
    folders of a `files` split take it from `data.source` where they do not state it."""
    channels: Literal["rgb", "grayscale"] = "rgb"
    """What a pixel is: red, green and blue, or one gray value. Images of the other kind are converted. The folders of a
    `files` split take it from `data.source`, too."""

    nested: bool = False
    """Whether images in folders inside the folder of a class belong to the class, too. The folders of a `files` split
    take it from `data.source`, too."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        # An editor must accept the folders of a `files` split without a size; mltrain checks that the others have one.
        found: dict[str, Any] = handler.resolve_ref_schema(handler(schema))
        return {**found, "required": [name for name in found["required"] if name != "size"]}

    @property
    def form(self) -> ImageForm:
        """What every image is made to be."""
        from mltrain.data.files.image_form import ImageForm

        height, width = self.size
        return ImageForm(height, width, self.channels == "grayscale")

    def read(self, seed: int, declared: Mapping[str, str] | None = None) -> Table:
        """Return the table of the images; the arguments are those of `CsvSource.read`, and not used.

        Raises:
            DataError: the folder is not there or has another form, or files are not images, damaged, or too large.
            OutOfMemoryError: there is not enough memory for the images.
        """
        from mltrain.data.files.image_folder import read_image_folder  # pyarrow costs 50 ms at import

        return read_image_folder(self.path, self.form, nested=self.nested)
