"""The inputs of the rows that a model predicts worst, as people see them. No TensorFlow."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode

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
_LONGEST_VALUE = 60


def worst_examples(prepared: Prepared, split: SplitName, predictions: np.ndarray) -> WorstExamples | None:
    """Return the inputs of the worst rows of a split; None where they are neither images nor a table that was kept."""
    examples = prepared.examples[split]
    places = worst(examples.truth, predictions, EXAMPLES)
    ids = examples.rows[places]
    if not prepared.preprocessing.of_table:
        if len(examples.inputs) > 1 or not are_images(examples.x):
            return None
        pictures = zip(ids.tolist(), pictures_of(examples.x[places]), strict=True)
        found = (Example(row=row, file=prepared.origin.file(row), picture=each) for row, each in pictures)
        return WorstExamples(columns=(), examples=tuple(found))
    if prepared.table is None:
        return None
    columns = tuple(encoder.column for encoder in prepared.preprocessing.of_table)[:_MOST_COLUMNS]
    shown = _shown(prepared.table.take(ids), columns)
    rows = zip(ids.tolist(), shown, strict=True)
    return WorstExamples(columns=columns, examples=tuple(Example(row=row, values=values) for row, values in rows))


def are_images(x: np.ndarray) -> bool:
    """Return whether encoded examples `(rows, …)` are images that are small enough to be shown."""
    shape = x.shape[1:]
    return len(shape) == 3 and shape[2] in (1, 3) and shape[0] * shape[1] <= _LARGEST_IMAGE


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


def _shown(table: Table, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the values of each row as text."""
    values = [[_text(value) for value in table.column(name).tolist()] for name in columns]
    return list(zip(*values, strict=True)) if values else [()] * len(table)


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return number(value)
    return shortened(str(value), _LONGEST_VALUE)
