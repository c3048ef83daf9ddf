"""Image files → pixels, by the same steps whenever they are read: to train, to evaluate and to predict."""

from __future__ import annotations

import io
import math
import os
import struct
import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mltrain.data.files.bad_images import BadImage, BadImagesError
from mltrain.data.files.opening import FileContent, read_file_content
from mltrain.data.memory import available_memory, in_gib
from mltrain.errors import DataError, OutOfMemoryError
from mltrain.problems import printable
from mltrain.task import Decision
from mltrain.wording import counted

if TYPE_CHECKING:
    from PIL.Image import Image

# What a file may be named, and what may be in it. Pillow knows forty more formats: many have few readers, and bugs.
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
_FORMATS = ("PNG", "JPEG", "BMP", "GIF")

# Decoding frees Python's lock. Each thread may hold an image of 256 MiB.
_MOST_THREADS = 4

_GRAY_MODES = {"1", "L", "LA"}

# A PNG begins with a signature and the chunk IHDR: its width, its height, and its bits per channel.
_PNG, _PNG_HEADER, _PNG_BITS = b"\x89PNG\r\n\x1a\n", slice(12, 16), 24

# A value is one byte as it is read, and four as the model takes it. Both are there at the same time.
_BYTES_PER_VALUE = 5
# Less than this is not worth a look at the memory.
_SMALL = 64 * 2**20

# The EXIF tag of how an image is to be turned, and its values for a quarter turn.
_ORIENTATION, _ON_ITS_SIDE = 0x0112, {5, 6, 7, 8}

# What Pillow raises for content that is not an image, or only the beginning of one.
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
        setting: the part of a config that has the size, for messages.
    """

    height: int
    width: int
    gray: bool
    setting: str = "data.source"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image: (height, width), or (height, width, 3)."""
        return (self.height, self.width) if self.gray else (self.height, self.width, 3)

    @property
    def size(self) -> str:
        """In words."""
        return f"{self.height} x {self.width}"


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
class Conversions:
    """How many images had to be changed to fit.

    Attributes:
        resized: had another size.
        recolored: were gray where colours are needed, or the reverse.
        flattened: had transparent parts.
    """

    resized: int = 0
    recolored: int = 0
    flattened: int = 0

    def __add__(self, other: Conversions) -> Conversions:
        return Conversions(
            self.resized + other.resized, self.recolored + other.recolored, self.flattened + other.flattened
        )

    def decisions(self, form: ImageForm, images: int, of: str = "source") -> tuple[Decision, ...]:
        """Return what was done to how many of `images`; `of` is what was decided on."""
        color = ("in colour", "gray") if form.gray else ("gray", "colour")
        made = (
            ("size", form.size, self.resized, "had another size and {were} stretched to " + f"{form.size} (bilinear)"),
            (
                "channels",
                "grayscale" if form.gray else "rgb",
                self.recolored,
                f"{{were}} {color[0]} and {{were}} converted to {color[1]}",
            ),
            ("transparency", "on white", self.flattened, "had transparent parts, which became white"),
        )
        return tuple(
            Decision(f"{of}.{what}", value, f"{_of(count, images)} {done.format(were='was' if count == 1 else 'were')}")
            for what, value, count, done in made
            if count
        )


def _of(count: int, images: int) -> str:
    return counted(count, "image") if count == images else f"{count:,} of {counted(images, 'image')}"


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
    _start_pillow()

    def read(row: int) -> tuple[str, Conversions] | BadImage:
        file = files[row]
        if file is None:
            pixels[row] = 0
            return "", Conversions()
        try:
            content = file.content()
            pixels[row], changed = _decoded(content, file.name, form)
        except DataError as error:
            return BadImage(file.name, str(error))
        return content.sha256, changed

    try:
        pixels = np.empty((len(files), *form.shape), np.uint8)
        with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
            outcomes = list(threads.map(read, range(len(files))))
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


@dataclass(frozen=True)
class ImageHead:
    """What the head of an image file says.

    Attributes:
        height, width: in pixels, turned as its EXIF data says.
        gray: whether it has no colours.
    """

    height: int
    width: int
    gray: bool


def looked_at(files: Sequence[StoredImage | BadImage | None]) -> list[ImageHead]:
    """Return the heads of the images in files, without decoding their pixels; what is no image is left out."""
    from PIL import Image

    _start_pillow()
    heads = []
    for file in files:
        if file is None or isinstance(file, BadImage):
            continue
        try:
            with Image.open(io.BytesIO(file.content().data), "r", formats=_FORMATS) as image:
                turned = image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
                width, height = image.size[::-1] if turned else image.size
                heads.append(ImageHead(height, width, image.mode in _GRAY_MODES))
        except (DataError, *_DAMAGE):
            continue
    return heads


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
        raise DataError(f"{shown}: the file is empty; copy it again, or remove it")
    _refuse_16_bits(content.data, shown)
    try:
        with Image.open(io.BytesIO(content.data), "r", formats=_FORMATS) as opened:
            if opened.mode.startswith(("I", "F")):
                raise _too_many_bits(shown, opened.mode)
            return _fitted(ImageOps.exif_transpose(opened), form)
    except UnidentifiedImageError as error:
        raise DataError(
            f"{shown}: not a PNG, JPEG, BMP or GIF file, whatever its name says, or damaged at its beginning; "
            "replace it, or remove it"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{shown}: too many pixels to unpack; make the image smaller ({error})") from error
    except _DAMAGE as error:
        raise DataError(
            f"{shown}: the image is damaged ({printable(str(error))}); copy it again, or remove it"
        ) from error


def _refuse_16_bits(data: bytes, shown: str) -> None:
    """Refuse a PNG with 16 bits per channel by its header: of those in colour Pillow drops the lower 8 bits in silence.

    Raises:
        DataError: it has 16 bits, or its header is not where it must be.
    """
    if not data.startswith(_PNG):
        return
    if data[_PNG_HEADER] != b"IHDR" or len(data) <= _PNG_BITS:
        raise DataError(f"{shown}: the image is damaged (a PNG without its header); copy it again, or remove it")
    if data[_PNG_BITS] > 8:
        raise _too_many_bits(shown, f"{data[_PNG_BITS]} bits per channel")


def _too_many_bits(shown: str, found: str) -> DataError:
    return DataError(
        f"{shown}: its pixels have more than 8 bits ({found}), and some would be lost; convert it to 8 bits, or give "
        "the images as arrays (npz), which keep all bits"
    )


def _fitted(image: Image, form: ImageForm) -> tuple[np.ndarray, Conversions]:
    """Return the pixels of an image in the form, and what had to be changed."""
    from PIL.Image import Resampling

    size = (form.width, form.height)
    recolored = (image.mode in _GRAY_MODES) != form.gray
    flat = _on_white(image) if image.has_transparency_data else None
    fitted = (flat or image).convert("L" if form.gray else "RGB")
    conversions = Conversions(int(fitted.size != size), int(recolored), int(flat is not None))
    return np.asarray(fitted.resize(size, Resampling.BILINEAR)), conversions


def _on_white(image: Image) -> Image | None:
    """Return the image on a white background; None where no part of it is transparent."""
    from PIL import Image as PillowImage

    whole = image.convert("RGBA")
    if whole.getchannel("A").getextrema() == (255, 255):
        return None
    return PillowImage.alpha_composite(PillowImage.new("RGBA", whole.size, "white"), whole)
