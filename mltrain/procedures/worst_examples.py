"""The inputs of the rows that a model predicts worst, as people see them. No TensorFlow."""

from __future__ import annotations

import math
import struct
import zlib
from base64 import b64encode
from collections.abc import Collection

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.data.table import Table
from mltrain.problems import shortened
from mltrain.report.text import number
from mltrain.report.worst import EXAMPLES, worst
from mltrain.run.examples import Example, WorstExamples
from mltrain.task import SplitName

# More columns make the table wider than the page, and larger images make the page larger than its charts do.
_MOST_COLUMNS, _LARGEST_IMAGE = 8, 128 * 128
_LONGEST_VALUE, _LONGEST_TEXT = 60, 200


def worst_examples(prepared: Prepared, split: SplitName, predictions: np.ndarray) -> WorstExamples | None:
    """Return the inputs of the worst rows of a split: the first columns, the beginnings of texts, and the images of the
    first input of images, large ones made smaller. None where nothing of them can be shown, or was kept."""
    examples = prepared.examples[split]
    places = worst(examples.truth, predictions, EXAMPLES)
    ids = examples.rows[places]
    columns: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    values: list[tuple[str, ...]] = [()] * len(ids)
    if prepared.table is not None:
        texts = tuple(prepared.preprocessing.token_rules)[:_MOST_COLUMNS]
        others = (name for name in prepared.table.columns if name not in texts)
        # Texts first: they tell most to people.
        columns = (*texts, *others)[:_MOST_COLUMNS]
        values = _shown(prepared.table.take(ids), columns, texts)
    images = next((each.name for each in prepared.info.inputs if _have_colors(examples.inputs[each.name])), None)
    files = [prepared.origin.file(row) for row in ids.tolist()]
    if not columns and images is None and not any(files):
        return None
    pictures = [""] * len(ids) if images is None else pictures_of(_shrunk(examples.inputs[images][places]))
    found = (
        Example(row=row, file=file, values=shown, picture=picture)
        for row, file, shown, picture in zip(ids.tolist(), files, values, pictures, strict=True)
    )
    return WorstExamples(columns=columns, texts=len(texts), image=images or "", examples=tuple(found))


def are_images(x: np.ndarray) -> bool:
    """Return whether encoded examples `(rows, …)` are images that are small enough to be shown as they are."""
    return _have_colors(x) and x.shape[1] * x.shape[2] <= _LARGEST_IMAGE


def _have_colors(x: np.ndarray) -> bool:
    return x.ndim == 4 and x.shape[3] in (1, 3)


def _shrunk(images: np.ndarray) -> np.ndarray:
    """Return images `(n, height, width, channels)` with as many pixels as are shown at most: each is the mean of those
    that it stands for. Smaller images stay as they are."""
    scale = math.sqrt(_LARGEST_IMAGE / (images.shape[1] * images.shape[2]))
    if scale >= 1:
        return images
    for axis in (1, 2):
        size = images.shape[axis]
        starts = np.arange(parts := max(1, int(size * scale))) * size // parts
        shape = (-1 if place == axis else 1 for place in range(images.ndim))
        widths = np.diff(starts, append=size).reshape(*shape)
        images = np.add.reduceat(images, starts, axis=axis, dtype=np.float32) / widths
    return images


def pictures_of(images: np.ndarray, ends: tuple[float, float] | None = None) -> list[str]:
    """Return each of the images `(n, height, width, channels)` as PNG in base64.

    Args:
        images: of any values.
        ends: the values that are black and white; None takes the smallest and the largest value of all images.
    """
    low, high = ends or (float(images.min()), float(images.max()))
    bytes_of = np.round((np.clip(images, low, high) - low) * (255.0 / (high - low or 1.0))).astype(np.uint8)
    return [b64encode(_png(each)).decode() for each in bytes_of]


def _png(image: np.ndarray) -> bytes:
    """Return a PNG (RFC 2083) of bytes `(height, width, 1 or 3)`; matplotlib would take a hundred times as long."""
    height, width, channels = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    # Each line begins with its filter: none.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, -1)], axis=1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _shown(table: Table, columns: tuple[str, ...], texts: Collection[str]) -> list[tuple[str, ...]]:
    """Return the values of each row as text, more of those of the columns in `texts`."""
    longest = {name: _LONGEST_TEXT if name in texts else _LONGEST_VALUE for name in columns}
    values = [[_text(value, longest[name]) for value in table.column(name).tolist()] for name in columns]
    return list(zip(*values, strict=True)) if values else [()] * len(table)


def _text(value: object, longest: int) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return number(value)
    return shortened(str(value), longest)
