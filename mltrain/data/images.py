"""Image files → pixels, by the same steps whenever they are read: for training, for evaluating and for predicting."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mltrain.data.files import FileContent, read_file_content
from mltrain.errors import DataError
from mltrain.problems import printable
from mltrain.task import Decision

if TYPE_CHECKING:
    from PIL.Image import Image

# What a file may be named, and what may be in it. Pillow knows forty more formats: many have few readers, and bugs.
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
_FORMATS = ("PNG", "JPEG", "BMP", "GIF")

# Decoding lets go of Python's lock. Each thread may hold an image of 256 MiB.
_MOST_THREADS = 4

_GRAY_MODES = {"1", "L", "LA"}

# What Pillow raises for content that is no image, or only the beginning of one.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, AttributeError),
    *(RuntimeError, AssertionError, struct.error, zlib.error),
)


@dataclass(frozen=True)
class ImageForm:
    """What every image is made to be.

    Attributes:
        height, width: in pixels.
        gray: whether it has one channel, or red, green and blue.
    """

    height: int
    width: int
    gray: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image: (height, width), or (height, width, 3)."""
        return (self.height, self.width) if self.gray else (self.height, self.width, 3)

    @property
    def size(self) -> str:
        """In words."""
        return f"{self.height} x {self.width}"


@dataclass(frozen=True)
class ImageFile:
    """A file that shall hold an image.

    Attributes:
        path: where it is.
        name: how it is called in messages and in what is written.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Conversions:
    """How many images had to be made to fit.

    Attributes:
        resized: had another size.
        recolored: were gray where colours are wanted, or the reverse.
        flattened: had transparent parts.
    """

    resized: int = 0
    recolored: int = 0
    flattened: int = 0

    def __add__(self, other: Conversions) -> Conversions:
        return Conversions(
            self.resized + other.resized, self.recolored + other.recolored, self.flattened + other.flattened
        )

    def decisions(self, form: ImageForm, images: int) -> tuple[Decision, ...]:
        """Return what was done to how many of `images`."""
        counted = (
            ("size", form.size, self.resized, f"had another size and were stretched to {form.size} (bilinear)"),
            (
                "channels",
                "grayscale" if form.gray else "rgb",
                self.recolored,
                "were in colour and became gray" if form.gray else "were gray and became red, green and blue",
            ),
            ("transparency", "on white", self.flattened, "had transparent parts, which became white"),
        )
        return tuple(
            Decision(f"source.{what}", value, f"{count:,} of {images:,} images {done}")
            for what, value, count, done in counted
            if count
        )


@dataclass(frozen=True)
class Images:
    """What was in image files.

    Attributes:
        pixels: uint8 (rows, height, width) for gray ones, else (rows, height, width, 3): red, green, blue.
        sha256: of the bytes of each file.
        conversions: how many had to be made to fit.
    """

    pixels: np.ndarray
    sha256: tuple[str, ...]
    conversions: Conversions


def read_images(files: Sequence[ImageFile], form: ImageForm) -> Images:
    """Return the images in files, in their order: the first frame of each, turned as its EXIF data says, on white
    where it is transparent, in the channels of `form`, and then stretched to its size.

    Gray is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). Stretching is Pillow's `BILINEAR`: a triangle as wide
    as one pixel of the smaller grid, so that a reduction averages and does not skip; in whole numbers, so that every
    machine gives the same. An image that has the form already keeps every bit.

    Raises:
        DataError: of the first file that cannot be read, is damaged, or would unpack to more than 256 MiB.
    """
    _start_pillow()
    pixels = np.empty((len(files), *form.shape), np.uint8)

    def read(row: int) -> tuple[str, Conversions]:
        content = read_file_content(files[row].path)
        pixels[row], conversions = _decoded(content, files[row].name, form)
        return content.sha256, conversions

    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
        read_rows = list(threads.map(read, range(len(files))))
    digests = tuple(sha256 for sha256, _ in read_rows)
    return Images(pixels, digests, sum((conversions for _, conversions in read_rows), Conversions()))


def _start_pillow() -> None:
    from PIL import Image

    Image.preinit()
    # What it only warns of has the size of a bomb, and damaged EXIF data is no damage to the pixels.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def _decoded(content: FileContent, name: str, form: ImageForm) -> tuple[np.ndarray, Conversions]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    shown = printable(name)
    if not content.data:
        raise DataError(f"{shown}: the file is empty; copy it again, or take it away")
    try:
        with Image.open(io.BytesIO(content.data), "r", formats=_FORMATS) as opened:
            if opened.mode.startswith(("I", "F")):
                raise DataError(
                    f"{shown}: its pixels have more than 8 bits ({opened.mode}), and some would be lost; convert it "
                    "to 8 bits, or give the images as arrays (npz), which keep them"
                )
            return _fitted(ImageOps.exif_transpose(opened), form)
    except UnidentifiedImageError as error:
        raise DataError(
            f"{shown}: neither PNG nor JPEG, BMP or GIF, whatever its name says, or damaged at its beginning; "
            "replace it, or take it away"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{shown}: too many pixels to be unpacked; make it smaller ({error})") from error
    except _DAMAGE as error:
        raise DataError(
            f"{shown}: the image is damaged ({printable(str(error))}); copy it again, or take it away"
        ) from error


def _fitted(image: Image, form: ImageForm) -> tuple[np.ndarray, Conversions]:
    """Return the pixels of an image in the form, and what had to be done."""
    from PIL.Image import Resampling

    size = (form.width, form.height)
    recolored = (image.mode in _GRAY_MODES) != form.gray
    flat = _on_white(image) if image.has_transparency_data else None
    fitted = (flat or image).convert("L" if form.gray else "RGB")
    conversions = Conversions(int(fitted.size != size), int(recolored), int(flat is not None))
    return np.asarray(fitted.resize(size, Resampling.BILINEAR)), conversions


def _on_white(image: Image) -> Image | None:
    """Return the image on a white ground; None where no part of it is transparent."""
    from PIL import Image as PillowImage

    whole = image.convert("RGBA")
    if whole.getchannel("A").getextrema() == (255, 255):
        return None
    return PillowImage.alpha_composite(PillowImage.new("RGBA", whole.size, "white"), whole)
