"""Image files in blocks, converted to the form that a model was trained on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from mltrain.data.files.bad_images import BadImage, BadImagesError, named_lines
from mltrain.data.files.image_files import FoundImages, images_below
from mltrain.data.files.image_folder import FilesOrigin
from mltrain.data.files.image_form import Conversions, ImageForm
from mltrain.data.files.images import readable_images
from mltrain.data.files.opening import refuse_folder_of_parts
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
        raise DataError(f"{name}: these are images, but the model of the run takes the columns of a table")
    of_files = isinstance(source, ImageFolderSource) or encoder.column in preprocessing.image_rules
    gray = len(encoder.shape) == 2 and encoder.channel
    one_channel, colors = (len(encoder.shape) == 3 and encoder.shape[2] == channels for channels in (1, 3))
    if not (gray or one_channel or colors):
        raise DataError(f"{name}: these are images, but the model of the run takes arrays of shape {encoder.shape}")
    if not of_files and (encoder.center, encoder.width) != ((0.0,), (255.0,)):
        raise DataError(
            f"{name}: these are images with values from 0 to 255, but the run was trained on arrays that may have "
            "other values; give arrays like those (npz)"
        )
    height, width = encoder.shape[:2]
    return ImageInput(encoder.column, ImageForm(height, width, not colors), one_channel, not of_files)


class ImagesStream:
    """Image files.

    Args:
        found: the files.
        name: of all of them, for messages.
        how: they become the input of a model.
        rows: of a block; None lets their size decide.
        skip_bad: whether files that cannot be used are left out and counted, instead of refused.
    """

    left_out_of_text: tuple[str, ...] = ()
    names: tuple[str, ...] = (FILE,)
    reserved: frozenset[str] = frozenset()

    def __init__(
        self, found: FoundImages, name: str, how: ImageInput, rows: int | None = None, skip_bad: bool = False
    ) -> None:
        self._found, self.name, self.how = found, name, how
        self._rows = rows or max(_FEWEST_IMAGES, min(_MOST_IMAGES, _BLOCK_BYTES // math.prod(how.form.shape)))
        self._skip_bad = skip_bad
        self._read = 0
        self._bad = [*found.bad]
        self.conversions = Conversions()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was left out, and done to images so far."""
        done = self.conversions.decisions(self.how.form, self._read)
        hidden = (self._found.hidden_sentence,) if self._found.hidden else ()
        return (*self._skipped_sentences(), *hidden, *(decision.reason for decision in done))

    def _skipped_sentences(self) -> tuple[str, ...]:
        if not self._bad:
            return ()
        return (
            f"skipped {len(self._bad):,} of {self._looked_at:,} files, which cannot be used:",
            *named_lines(self.bad),
        )

    @property
    def bad(self) -> tuple[BadImage, ...]:
        """Files that were found to be of no use so far, by their names."""
        return tuple(sorted(self._bad, key=lambda each: each.name))

    @property
    def _looked_at(self) -> int:
        return len(self._found.files) + len(self._found.bad)

    def as_json(self) -> dict[str, Any]:
        """Return the same for JSON."""
        form = self.how.form
        return {
            "size": [form.height, form.width],
            "channels": "grayscale" if form.gray else "rgb",
            **asdict(self.conversions),
            "left_out": [*self._found.hidden],
            **(
                {"skipped": len(self._bad), "skipped_files": [each.as_json() for each in self.bad]} if self._bad else {}
            ),
        }

    def surprises(self) -> list[str]:
        """Return the conversions that no image of the training needed."""
        if not self.how.exact:
            return []
        return [decision.reason for decision in self.conversions.decisions(self.how.form, self._read)]

    def blocks(self) -> Iterator[Block]:
        """Yield the images in their order; see `RowStream`.

        Raises:
            BadImagesError: files cannot be used, all of them named: of all files, also those of later blocks. Where
                they are to be skipped: not one file is left.
        """
        if self._found.bad and not self._skip_bad:
            raise self._refused(0)
        for first in range(0, len(self._found.files), self._rows):
            files = self._found.files[first : first + self._rows]
            images = readable_images(files, self.how.form)
            self._bad += images.bad
            if images.bad and not self._skip_bad:
                raise self._refused(first + self._rows)
            if not images.good:
                continue
            self.conversions += images.conversions
            self._read += len(images.good)
            pixels = images.pixels[..., None] if self.how.channel else images.pixels
            names = tuple(files[place].name for place in images.good)
            table = Table({self.how.column: pixels}, FilesOrigin("", names), "")
            yield Block(table, pa.table({FILE: pa.array(names, pa.string())}))
        if not self._read:
            raise BadImagesError(self._bad, self._looked_at)

    def _refused(self, first: int) -> BadImagesError:
        """Return the error that names all bad files; those from `first` on are still to be looked at."""
        for start in range(first, len(self._found.files), self._rows):
            self._bad += readable_images(self._found.files[start : start + self._rows], self.how.form).bad
        return BadImagesError(self._bad, self._looked_at, "; --skip-bad predicts the others")


def images_stream(
    paths: Sequence[Path], preprocessing: Preprocessing, source: Source, skip_bad: bool = False
) -> ImagesStream:
    """Return the images at paths as the model of a run takes them.

    Args:
        paths: of image files, and of folders that hold image files at any depth.
        preprocessing: of the run.
        source: of its training data.
        skip_bad: as of `ImagesStream`.

    Raises:
        DataError: there are none; or the model does not take images, or other values than 0 to 255.
    """
    name = printable(paths[0].name) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    if preprocessing.array is None:
        for path in paths:
            refuse_folder_of_parts(path)
    how = _image_input(preprocessing, source, name)
    return ImagesStream(images_below(paths), name, how, skip_bad=skip_bad)
