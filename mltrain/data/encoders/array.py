"""Images and other arrays: (rows, …) in, (rows, …) out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from mltrain.aligned import aligned_empty
from mltrain.data.column_settings import IMAGES, Scale
from mltrain.data.encoders.column import (
    Encoded,
    Fitted,
    OwnInputEncoder,
    RawColumn,
    RawInput,
    Watched,
    first_row,
)
from mltrain.data.encoders.scaling import is_constant, is_constant_range
from mltrain.data.encoders.tones import IMAGE_AXES, Tones, tones_of
from mltrain.data.files.image_form import ImageForm
from mltrain.data.files.row_images import ImageRule
from mltrain.spec import Many
from mltrain.task import Decision, Pixels

INT32 = np.iinfo(np.int32)
# So many values are looked at together: a float64 copy of a whole set of 8-bit images would be eight times its size.
BLOCK = 1 << 22


class ArrayEncoder(OwnInputEncoder):
    """One array per row: (value - center) / width in float32 along the last axis, or whole numbers as they are."""

    type: Literal["array"] = "array"
    column: str
    """Name of the raw column."""
    shape: Many[int]
    """The shape of one raw array, without the rows."""
    dtype: Literal["float32", "int32"]
    """The type of the encoded arrays."""
    channel: bool
    """Whether a last axis of size 1 is added, for gray images."""
    center: Many[float]
    """Subtracted first: one number, or one for each position of the last axis."""
    width: Many[float]
    """Divided by: one number, or one for each position of the last axis."""
    tones: Tones | None = None
    """What is black and white among raw values of the shape of images; null for others, and where it is not known."""

    @property
    def pixels(self) -> Pixels | None:
        """How encoded images become pixels from 0 to 255."""
        return None if self.tones is None else self.tones.pixels(self.center, self.width)

    @property
    def holds_arrays(self) -> bool:
        """Yes."""
        return True

    @property
    def expects_missing(self) -> bool:
        """No: arrays are whole."""
        return False

    @property
    def watched_as(self) -> tuple[tuple[str, Literal["number", "text"]], ...]:
        """The mean of each row."""
        return ((f"mean of {self.column}", "number"),)

    def watched(self, column: RawColumn) -> Iterator[Watched]:
        """Yield the mean of each row."""
        raw = array_of(column)
        yield raw.reshape(len(raw), -1).mean(axis=1, dtype=np.float64)

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return the column: a file says itself that it has arrays."""
        return {self.column: None}

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """Shape of one encoded array."""
        return (*self.shape, 1) if self.channel else self.shape

    @property
    def encoded_dtype(self) -> Literal["float32", "int32"]:
        """That of the arrays."""
        return self.dtype

    @property
    def raw_inputs(self) -> tuple[RawInput, ...]:
        """One array."""
        return (RawInput(self.column, self.dtype, self.shape),)

    def raw(self, column: RawColumn) -> tuple[np.ndarray, ...]:
        """Return the arrays (rows, …) as they came, in the dtype of the input."""
        return (array_of(column).astype(self.dtype),)

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 or int32 (rows, …).

        Raises:
            DataError: the arrays have another shape, or hold NaN, Inf or a number out of range.
        """
        raw = array_of(column)
        if raw.shape[1:] != self.shape:
            raise column.failure(f"expected arrays of shape {self.shape}, found {raw.shape[1:]}")
        values = _whole(column, raw) if self.dtype == "int32" else self._scaled(column, raw)
        return Encoded(values[..., None] if self.channel else values, {}, {})

    def _scaled(self, column: RawColumn, raw: np.ndarray) -> np.ndarray:
        values = aligned_empty(raw.shape, np.float32)
        with np.errstate(over="ignore"):  # what float32 cannot hold is found below
            values[...] = raw
        if any(self.center):
            values -= np.asarray(self.center, np.float32)
        if any(width != 1 for width in self.width):
            values /= np.asarray(self.width, np.float32)
        refuse_not_finite(column, values if raw.dtype.kind == "f" else raw)
        return values


class ImageFileEncoder(ArrayEncoder):
    """One image per row, which the rows name as files or hold: the pixels are as those of arrays."""

    type: Literal["image_file"] = "image_file"  # type: ignore[assignment]
    missing: Literal["error", "blank"]
    """What is done with a row without an image: `blank` makes it a black one."""
    blanks: bool
    """Whether there were such rows in the training."""

    @property
    def expects_missing(self) -> bool:
        """Whether training rows had no image."""
        return self.blanks

    @property
    def rule(self) -> ImageRule:
        """How the images are read."""
        height, width = self.shape[:2]
        return ImageRule(ImageForm(height, width, self.channel, "the config of the run"), self.missing)

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return the column, whose texts stay as they are."""
        return {self.column: IMAGES}

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 (rows, height, width, channels), and how many rows had no image; raises as arrays do."""
        encoded = super().encode(column)
        blank = 0 if column.images is None else int(column.images.blank.sum())
        return replace(encoded, missing={column.name: blank} if blank else {})


def fit_image(column: RawColumn, scale: Literal["unit", "standard", "none"]) -> Fitted:
    """Return the encoder of the images of the training rows, (rows, height, width) or (rows, height, width, channels).

    Raises:
        DataError: these are no images, or `unit` meets negative values.
    """
    raw = array_of(column)
    if raw.ndim not in (3, 4):
        raise column.failure(
            f"expected images (rows, height, width) or (rows, height, width, channels), found shape {raw.shape}"
        )
    gray = raw.ndim == 3
    decisions: tuple[Decision, ...] = ()
    center: tuple[float, ...] = (0.0,)
    width: tuple[float, ...] = (1.0,)
    if scale == "standard":
        center, width = moments(column, raw[..., None] if gray else raw)
    elif scale == "unit":
        highest = _highest(column, raw)
        width = (highest,)
        if raw.dtype not in (np.uint8, np.uint16) and highest != 1.0:
            decisions = (
                Decision(f"features.{column.name}", f"divided by {highest:g}", "highest value of the training rows"),
            )
    encoder = ArrayEncoder(
        column=column.name,
        shape=raw.shape[1:],
        dtype="float32",
        channel=gray,
        center=center,
        width=width,
        tones=tones_of(raw),
    )
    if column.images is not None:
        of_files = {"missing": column.images.missing, "blanks": bool(column.images.blank.any())}
        encoder = ImageFileEncoder(**{**dict(encoder), "type": "image_file", **of_files})
    return Fitted(encoder, decisions)


def _highest(column: RawColumn, raw: np.ndarray) -> float:
    """Return what images are divided by to be within 0…1."""
    if raw.dtype in (np.uint8, np.uint16):
        return float(np.iinfo(raw.dtype).max)
    refuse_not_finite(column, raw)
    if raw.min() < 0:
        row = first_row(raw.reshape(len(raw), -1).min(axis=1) < 0)
        advice = f"set scale: none in data.features.{column.name}"
        raise column.error(row, f"a negative value cannot be scaled to 0…1 ({advice})")
    highest = float(raw.max())
    return highest if highest > 1 else 1.0


def fit_array(column: RawColumn, scale: Scale) -> Fitted:
    """Return the encoder of the arrays of the training rows."""
    raw = array_of(column)
    center: tuple[float, ...] = (0.0,)
    width: tuple[float, ...] = (1.0,)
    dtype: Literal["float32", "int32"] = "float32"
    if scale == "none":
        dtype = "int32" if raw.dtype.kind in "iu" else "float32"
    elif scale == "minmax":
        refuse_not_finite(column, raw)
        flat = raw.reshape(-1, raw.shape[-1])
        low, high = flat.min(axis=0).astype(np.float64), flat.max(axis=0).astype(np.float64)
        dtype_of_range = np.float32 if raw.dtype == np.float32 else np.float64  # others become float64 in scikit-learn
        constant = is_constant_range(high - low, dtype_of_range)
        center, width = _pair(column, low, np.where(constant, 1.0, high - low))
    else:
        center, width = moments(column, raw)
    encoder = ArrayEncoder(
        column=column.name,
        shape=raw.shape[1:],
        dtype=dtype,
        channel=False,
        center=center,
        width=width,
        tones=tones_of(raw) if raw.ndim == IMAGE_AXES + 1 and dtype == "float32" else None,
    )
    return Fitted(encoder)


def moments(column: RawColumn, raw: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and population standard deviation of (…, features) for each feature; that of a constant one is 1.

    Raises:
        DataError: a number is not finite.
    """
    refuse_not_finite(column, raw)
    flat = raw.reshape(-1, raw.shape[-1])
    with np.errstate(over="ignore", invalid="ignore"):  # what comes out is checked below
        mean = sum(block.sum(axis=0) for block in _blocks(flat)) / len(flat)
        variance = sum(((block - mean) ** 2).sum(axis=0) for block in _blocks(flat)) / len(flat)
        constant = is_constant(np.asarray(mean), np.sqrt(variance), len(flat)) | (flat.min(axis=0) == flat.max(axis=0))
    return _pair(column, np.asarray(mean), np.where(constant, 1.0, np.sqrt(variance)))


def _pair(column: RawColumn, center: np.ndarray, width: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return center and width as tuples; raises DataError where float32 cannot hold them."""
    with np.errstate(over="ignore", under="ignore"):
        held = np.isfinite(center.astype(np.float32)) & np.isfinite(width.astype(np.float32))
        held &= width.astype(np.float32) != 0
    if not held.all():
        raise column.failure("the range of its values is too large or too small for float32 (use other units)")
    return tuple(center.tolist()), tuple(width.tolist())


def _blocks(flat: np.ndarray) -> Iterator[np.ndarray]:
    size = max(1, BLOCK // flat.shape[1])
    for start in range(0, len(flat), size):
        yield flat[start : start + size].astype(np.float64)


def array_of(column: RawColumn) -> np.ndarray:
    """Return a column of arrays, (rows, …) of rank 2 or more.

    Raises:
        DataError: it is a column of single values.
    """
    if not isinstance(column.values, np.ndarray):
        raise column.failure(f"expected an array in every row, but it holds {column.holds()}")
    return column.values


def refuse_not_finite(column: RawColumn, values: np.ndarray) -> None:
    """Raise DataError for the first row with NaN, Inf or more than float32 holds."""
    if values.dtype.kind != "f":
        return
    rows = max(1, BLOCK // max(values[:1].size, 1))
    for start in range(0, len(values), rows):
        finite = np.isfinite(values[start : start + rows])
        if not finite.all():
            row = start + first_row(~finite.reshape(len(finite), -1).all(axis=1))
            raise column.error(
                row, "the array holds NaN, Inf, or a number too large for float32 (correct or leave out the row)"
            )


def _whole(column: RawColumn, raw: np.ndarray) -> np.ndarray:
    """Return arrays of whole numbers as int32; raises DataError where they are none, or too large."""
    if raw.dtype.kind not in "iu":
        raise column.failure(f"expected whole numbers, found {raw.dtype}")
    if raw.size and (int(raw.min()) < INT32.min or int(raw.max()) > INT32.max):
        outside = ((raw < INT32.min) | (raw > INT32.max)).reshape(len(raw), -1).any(axis=1)
        raise column.error(first_row(outside), f"expected whole numbers from {INT32.min} to {INT32.max}")
    values = aligned_empty(raw.shape, np.int32)
    values[...] = raw
    return values
