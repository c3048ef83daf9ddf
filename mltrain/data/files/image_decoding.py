"""The bytes of an image file → its pixels. Pillow is imported here only."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mltrain.data.files.image_form import Conversions, ImageForm
from mltrain.data.files.opening import FileContent
from mltrain.errors import DataError
from mltrain.problems import printable

if TYPE_CHECKING:
    from PIL.Image import Image

# What may be in a file. Pillow knows forty more formats: many have few readers, and bugs.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
# Those of which people expect one image; a GIF is expected to move.
_OF_PAGES = ("WEBP", "TIFF")

_GRAY_MODES = {"1", "L", "LA"}
_GRAY_OF_16_BITS = {"I;16", "I;16B", "I;16L"}

# A PNG begins with a signature and the chunk IHDR: its width, its height, and its bits per channel.
_PNG, _PNG_HEADER, _PNG_BITS = b"\x89PNG\r\n\x1a\n", slice(12, 16), 24
# The tags of a TIFF with the bits of each channel; with what its colours are, 0 if white is 0; and with what its
# numbers are, 1 for whole ones from 0 on, or 4 where that is not said.
_TIFF_BITS, _TIFF_COLORS, _TIFF_NUMBERS = 258, 262, 339
# The EXIF tag of how an image is to be turned, and its values for a quarter turn.
_ORIENTATION, _ON_ITS_SIDE = 0x0112, {5, 6, 7, 8}

# What Pillow raises for content that is not an image, or only the beginning of one.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, AttributeError),
    *(RuntimeError, AssertionError, struct.error, zlib.error),
)


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


def head_of(content: Callable[[], FileContent]) -> ImageHead | None:
    """Return what the head of an image says, without decoding its pixels; None where it cannot be read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content().data), "r", formats=_FORMATS) as image:
            turned = image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
            width, height = image.size[::-1] if turned else image.size
            return ImageHead(height, width, image.mode in _GRAY_MODES | _GRAY_OF_16_BITS)
    except (DataError, *_DAMAGE):
        return None


def start_pillow() -> None:
    """Load the readers of the formats, and turn its warnings into errors or silence."""
    from PIL import Image, TiffImagePlugin, WebPImagePlugin  # noqa: F401 (importing one registers it)

    Image.preinit()
    # What it only warns of has the size of a bomb, and damaged EXIF data is no damage to the pixels.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def decoded(content: FileContent, name: str, form: ImageForm) -> tuple[np.ndarray, Conversions]:
    """Return the pixels of an image in a form, and what had to be changed.

    Args:
        content: the bytes of its file.
        name: of it, for messages.
        form: what it is made to be, by the steps that `readable_images` describes.

    Raises:
        DataError: these are not the bytes of an image, or they are damaged, or its pixels are too many or no whole
            numbers of up to 16 bits.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    shown = printable(name)
    if not content.data:
        raise DataError(f"{shown}: the file is empty; copy it again, or remove it")
    _check_header(content.data, shown)
    try:
        with Image.open(io.BytesIO(content.data), "r", formats=_FORMATS) as opened:
            bits = _bits(opened, content.data, shown)
            paged = opened.format in _OF_PAGES and bool(getattr(opened, "is_animated", False))
            inverted = getattr(opened, "tag_v2", {}).get(_TIFF_COLORS) == 0
            opened.load()  # the EXIF data of a PNG may be behind its pixels
            # Without a turn it would be a copy, which costs a fifth of the time of a photo.
            turned = opened.getexif().get(_ORIENTATION, 1) != 1
            shown_image = ImageOps.exif_transpose(opened) if turned else opened
            if shown_image.mode in _GRAY_OF_16_BITS:
                shown_image = _of_8_bits(shown_image, bits, inverted=inverted)
            pixels, changed = _fitted(shown_image, form)
            return pixels, replace(changed, cut=int(bits > 8), paged=int(paged))
    except UnidentifiedImageError as error:
        raise DataError(
            f"{shown}: not a PNG, JPEG, BMP, GIF, WebP or TIFF file, whatever its name says, or damaged at its "
            "beginning; replace it, or remove it"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{shown}: too many pixels to unpack; make the image smaller ({error})") from error
    except _DAMAGE as error:
        raise DataError(
            f"{shown}: the image is damaged ({printable(str(error))}); copy it again, or remove it"
        ) from error


def _check_header(data: bytes, shown: str) -> None:
    """Raise DataError for a PNG whose header is not where it must be: Pillow takes it, but its bits cannot be seen."""
    if data.startswith(_PNG) and (data[_PNG_HEADER] != b"IHDR" or len(data) <= _PNG_BITS):
        raise DataError(f"{shown}: the image is damaged (a PNG without its header); copy it again, or remove it")


def _bits(image: Image, data: bytes, shown: str) -> int:
    """Return how many bits each value of an image has, by its header: of those in colour Pillow drops the lower ones.

    Raises:
        DataError: its values are no whole numbers of up to 16 bits, so that no rule says what is black and white.
    """
    tags = getattr(image, "tag_v2", {})
    bits = max(tags.get(_TIFF_BITS, (8,)))
    whole = {*tags.get(_TIFF_NUMBERS, (1,))} <= {1, 4}
    if image.mode in ("I", "F") or bits > 16 or not whole:
        raise DataError(
            f"{shown}: its values are not whole numbers from 0 to 65535 (mode {image.mode}); convert it to 8 or 16 "
            "bits, or give the images as arrays (npz)"
        )
    return data[_PNG_BITS] if data.startswith(_PNG) else bits


def _of_8_bits(image: Image, bits: int, *, inverted: bool) -> Image:
    """Return a gray image with the upper 8 of so many bits, as Pillow and TensorFlow read those in colour; Pillow would
    make all that is above 255 white. `inverted` says that white is 0."""
    from PIL import Image as PillowImage

    values = (np.asarray(image) >> (bits - 8)).astype(np.uint8)
    return PillowImage.fromarray(255 - values if inverted else values)


def _fitted(image: Image, form: ImageForm) -> tuple[np.ndarray, Conversions]:
    """Return the pixels of an image in the form, and what had to be changed."""
    from PIL.Image import Resampling

    size = (form.width, form.height)
    recolored = (image.mode in _GRAY_MODES) != form.gray
    flat = _on_white(image) if image.has_transparency_data else None
    fitted, mode = flat or image, "L" if form.gray else "RGB"
    fitted = fitted if fitted.mode == mode else fitted.convert(mode)
    conversions = Conversions(int(fitted.size != size), int(recolored), int(flat is not None))
    return np.asarray(fitted.resize(size, Resampling.BILINEAR)), conversions


def _on_white(image: Image) -> Image | None:
    """Return the image on a white background; None where no part of it is transparent."""
    from PIL import Image as PillowImage

    whole = image.convert("RGBA")
    if whole.getchannel("A").getextrema() == (255, 255):
        return None
    return PillowImage.alpha_composite(PillowImage.new("RGBA", whole.size, "white"), whole)
