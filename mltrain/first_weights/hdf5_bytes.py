"""The bytes of an HDF5 file, before HDF5 sees them: read once, and refused where they would lead it astray."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from mltrain.data.files.opening import open_regular
from mltrain.errors import DataError
from mltrain.problems import printable

# The largest model of keras.applications, ConvNeXtXLarge, has 1.4 GB of weights.
LARGEST_FILE = 8 * 2**30
_MAGIC = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_SHORTEST = 96
_HEAP, _HEAP_HEAD = b"GCOL\x01", 16


def damaged(name: str) -> DataError:
    """Return the error of a file that is not whole."""
    return DataError(f"{name}: this HDF5 file is cut off or damaged; copy or download it again")


def read_bytes(path: Path) -> tuple[bytes, str]:
    """Return the bytes of an HDF5 file, and their sha256.

    Raises:
        DataError: it is not there, no regular file, too large, or no HDF5 file.
    """
    name = printable(path.name)
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_FILE:
            raise DataError(f"{name}: {size:,} bytes; files of weights may have {LARGEST_FILE:,}")
        data = file.read(size + 1)
        if len(data) != size:
            raise DataError(f"{name}: the file changed while it was read; try again when it is complete")
    if data.startswith(_ZIP):
        raise DataError(
            f"{name}: this is an archive, such as a .keras file; save the weights of its model as an HDF5 file "
            "(model.save_weights('name.weights.h5')) and name that"
        )
    if not data.startswith(_MAGIC):
        raise DataError(f"{name}: not an HDF5 file; expected a .weights.h5 or .h5 file of Keras")
    return data, hashlib.sha256(data).hexdigest()


def longest_text(data: bytes, name: str) -> int:
    """Return the length of the longest text in the file: HDF5 keeps texts of any length in heaps, which are checked.

    HDF5 1.14.6 does not come back from some damaged heaps.

    Raises:
        DataError: a heap is damaged, or addresses have another width than h5py gives them.
    """
    if len(data) < _SHORTEST:
        raise damaged(name)
    widths = data[13:15] if data[8] < 2 else data[9:11]
    if widths != b"\x08\x08":
        raise DataError(f"{name}: an HDF5 file whose addresses have not 8 bytes; expected one that Keras wrote")
    longest, at = 0, data.find(_HEAP)
    while at >= 0:
        end = at + int.from_bytes(data[at + 8 : at + 16], "little")
        if end > len(data):
            raise damaged(name)
        longest = max(longest, *_sizes_in_heap(data, at + _HEAP_HEAD, end, name))
        at = data.find(_HEAP, at + len(_HEAP))
    return longest


def _sizes_in_heap(data: bytes, at: int, end: int, name: str) -> Iterator[int]:
    """Yield the sizes of the texts in a heap, after a 0."""
    yield 0
    while at + _HEAP_HEAD <= end:
        number, size = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 8 : at + 16], "little")
        # The last is what is free, and its size includes its own head.
        step = size if number == 0 else _HEAP_HEAD + size + -size % 8
        if not 0 < step <= end - at:
            raise damaged(name)
        if number:
            yield size
        at += step
