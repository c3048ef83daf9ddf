"""Image files in blocks, made to be as those that a model was trained on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from mltrain.data.image_files import FoundImages, images_below
from mltrain.data.image_folder import FilesOrigin
from mltrain.data.images import Conversions, ImageForm, read_images
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.sources import Source
from mltrain.data.sources.image_folder import ImageFolderSource
from mltrain.data.streams.block import Block
from mltrain.data.table import Table
from mltrain.errors import DataError
from mltrain.problems import printable

FILE = "file"

_BLOCK_BYTES, _FEWEST_IMAGES, _MOST_IMAGES = 16 * 2**20, 16, 4096


@dataclass(frozen=True)
class ImageInput:
    """How image files become the input of a model.

    Attributes:
        column: the name of the raw column.
        form: what they are made to be.
        channel: whether gray ones have an axis of one channel.
        exact: whether all images of the training had this form already, as arrays have.
    """

    column: str
    form: ImageForm
    channel: bool
    exact: bool


def _image_input(preprocessing: Preprocessing, source: Source, name: str) -> ImageInput:
    """Return how image files become the input of the model of a run; arguments and errors as of `images_stream`."""
    encoder = preprocessing.array
    if encoder is None:
        raise DataError(f"{name}: these are images, and the model of the run takes the columns of a table")
    of_files = isinstance(source, ImageFolderSource)
    gray = len(encoder.shape) == 2 and encoder.channel
    one_channel, colors = (len(encoder.shape) == 3 and encoder.shape[2] == channels for channels in (1, 3))
    if not (gray or one_channel or colors):
        raise DataError(f"{name}: these are images, and the model of the run takes arrays of shape {encoder.shape}")
    if not of_files and (encoder.center, encoder.width) != ((0.0,), (255.0,)):
        raise DataError(
            f"{name}: these are images, with values from 0 to 255, and the run does not say that the arrays it was "
            "trained on had such; give arrays like those (npz)"
        )
    height, width = encoder.shape[:2]
    return ImageInput(encoder.column, ImageForm(height, width, not colors), one_channel, not of_files)


class ImagesStream:
    """Image files.

    Args:
        found: the files.
        name: of all of them, for messages.
        how: they become the input of a model.
        rows: of a block; None for as many as their size suggests.
    """

    left_out_of_text: tuple[str, ...] = ()
    names: tuple[str, ...] = (FILE,)
    reserved: frozenset[str] = frozenset()

    def __init__(self, found: FoundImages, name: str, how: ImageInput, rows: int | None = None) -> None:
        self._found, self.name, self.how = found, name, how
        self._rows = rows or max(_FEWEST_IMAGES, min(_MOST_IMAGES, _BLOCK_BYTES // math.prod(how.form.shape)))
        self.conversions = Conversions()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was left out, and done to images so far."""
        done = self.conversions.decisions(self.how.form, len(self._found.files))
        hidden = (self._found.hidden_sentence,) if self._found.hidden else ()
        return (*hidden, *(decision.reason for decision in done))

    def as_json(self) -> dict[str, Any]:
        """Return the same for JSON."""
        form = self.how.form
        return {
            "size": [form.height, form.width],
            "channels": "grayscale" if form.gray else "rgb",
            **asdict(self.conversions),
            "left_out": [*self._found.hidden],
        }

    def surprises(self) -> list[str]:
        """Return what images had to be made that none of the training had to."""
        if not self.how.exact:
            return []
        return [decision.reason for decision in self.conversions.decisions(self.how.form, len(self._found.files))]

    def blocks(self) -> Iterator[Block]:
        """Yield the images in their order; see `RowStream`."""
        for first in range(0, len(self._found.files), self._rows):
            files = self._found.files[first : first + self._rows]
            images = read_images(files, self.how.form)
            self.conversions += images.conversions
            pixels = images.pixels[..., None] if self.how.channel else images.pixels
            names = tuple(file.name for file in files)
            table = Table({self.how.column: pixels}, FilesOrigin("", names), "")
            yield Block(table, pa.table({FILE: pa.array(names, pa.string())}))


def images_stream(paths: Sequence[Path], preprocessing: Preprocessing, source: Source) -> ImagesStream:
    """Return the images at paths as the model of a run takes them.

    Args:
        paths: of image files, and of folders that hold such at any depth.
        preprocessing: of the run.
        source: of its training data.

    Raises:
        DataError: there are none, or other files; or the model does not take images, or other values than 0 to 255.
    """
    name = printable(paths[0].name) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    how = _image_input(preprocessing, source, name)
    return ImagesStream(images_below(paths), name, how)
