"""Image files → pixels, by the same steps whenever they are read: to train, to evaluate and to predict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from mltrain.data.files.bad_images import BadImage, BadImagesError
from mltrain.data.files.image_decoding import ImageHead, decoded, head_of, start_pillow
from mltrain.data.files.image_form import Conversions, ImageForm
from mltrain.data.files.opening import FileContent, read_file_content
from mltrain.data.memory import available_memory, in_gib
from mltrain.errors import DataError, OutOfMemoryError

# What a file may be named.
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")

# Decoding frees Python's lock, and reading waits for the disk, so that more threads than cores help. Each may hold an
# image of 256 MiB.
_THREADS = 4
# Files that a thread reads before it looks for more.
_AT_ONCE = 16

# A value is one byte as it is read, and four as the model takes it. Both are there at the same time.
_BYTES_PER_VALUE = 5
# Less than this is not worth a look at the memory.
_SMALL = 64 * 2**20


class StoredImage(Protocol):
    """What should hold an image."""

    @property
    def name(self) -> str:
        """The name of it in messages and in what is written."""

    def content(self) -> FileContent:
        """Return its bytes; raises DataError where they cannot be read."""


@dataclass(frozen=True)
class ImageFile:
    """A file that should hold an image.

    Attributes:
        path: where it is.
        name: the name of it in messages and in what is written.
    """

    path: Path
    name: str

    def content(self) -> FileContent:
        """Return its bytes; raises DataError as `read_file_content`."""
        return read_file_content(self.path)


@dataclass(frozen=True)
class Images:
    """What was in image files.

    Attributes:
        good: the places of those that could be read, in their order.
        pixels: of each: uint8 (rows, height, width) for gray ones, else (rows, height, width, 3): red, green, blue.
        sha256: of the bytes of each.
        conversions: how many had to be changed to fit.
        bad: the files that could not be read.
    """

    good: tuple[int, ...]
    pixels: np.ndarray
    sha256: tuple[str, ...]
    conversions: Conversions
    bad: tuple[BadImage, ...]


def read_images(files: Sequence[StoredImage], form: ImageForm, bad: Sequence[BadImage] = ()) -> Images:
    """Return the images in all of the files.

    Args:
        files: as of `readable_images`.
        form: as of `readable_images`.
        bad: files beside them of which it is known already that they cannot be used.

    Raises:
        BadImagesError: files cannot be read, are damaged, or would unpack to more than 256 MiB. It names all of them.
        OutOfMemoryError: as of `readable_images`.
    """
    images = readable_images(files, form)
    if bad or images.bad:
        raise BadImagesError((*bad, *images.bad), len(files) + len(bad))
    return images


def readable_images(files: Sequence[StoredImage | None], form: ImageForm) -> Images:
    """Return the images in files, in their order: the first frame of each, turned as its EXIF data says, on white
    where it is transparent, in the channels of `form`, and then stretched to its size.

    Gray is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). Stretching is Pillow's `BILINEAR`: a triangle as wide
    as one pixel of the smaller grid, so that a reduction averages and does not skip; in whole numbers, so that every
    machine gives the same. An image that has the form already keeps every bit. None becomes a black image.

    Raises:
        OutOfMemoryError: there is not enough memory for all of them.
    """
    _check_memory(len(files), form)
    start_pillow()

    def read(row: int) -> tuple[str, Conversions] | BadImage:
        file = files[row]
        if file is None:
            pixels[row] = 0
            return "", Conversions()
        try:
            content = file.content()
            pixels[row], changed = decoded(content, file.name, form)
        except DataError as error:
            return BadImage(file.name, str(error))
        return content.sha256, changed

    try:
        pixels = np.empty((len(files), *form.shape), np.uint8)
        # Some files for each task: with one each, about a tenth of the time of small photos went into tasks.
        size = max(1, min(_AT_ONCE, len(files) // (4 * _THREADS)))
        parts = [range(first, min(first + size, len(files))) for first in range(0, len(files), size)]
        with ThreadPoolExecutor(_THREADS) as threads:
            outcomes = [each for part in threads.map(lambda rows: [*map(read, rows)], parts) for each in part]
        bad = tuple(each for each in outcomes if isinstance(each, BadImage))
        good = {row: each for row, each in enumerate(outcomes) if not isinstance(each, BadImage)}
        pixels = pixels[list(good)] if bad else pixels
    except MemoryError as error:
        raise OutOfMemoryError(
            f"out of memory while {len(files):,} images of {form.size} were read; use a smaller size in "
            f"{form.setting}, or fewer images"
        ) from error
    digests = tuple(sha256 for sha256, _ in good.values())
    conversions = sum((each for _, each in good.values()), Conversions())
    return Images(tuple(good), pixels, digests, conversions, bad)


def looked_at(files: Sequence[StoredImage | BadImage | None]) -> list[ImageHead]:
    """Return the heads of the images in files, without decoding their pixels; what is no image is left out."""
    start_pillow()
    found = [head_of(file.content) for file in files if file is not None and not isinstance(file, BadImage)]
    return [head for head in found if head is not None]


def _check_memory(images: int, form: ImageForm) -> None:
    """Refuse what cannot fit before it is read."""
    needed = _BYTES_PER_VALUE * images * math.prod(form.shape)
    available = available_memory() if needed > _SMALL else None
    if available is None or needed <= available:
        return
    # Half of the memory is for the model and all else.
    shrunk = math.sqrt(available / 2 / needed)
    fits = [max(1, int(length * shrunk)) for length in (form.height, form.width)]
    raise OutOfMemoryError(
        f"not enough memory: {images:,} images of {form.size} need {in_gib(needed)}, and {in_gib(available)} are "
        f"available; use a smaller size in {form.setting}, such as size: {fits}, or fewer images"
    )
