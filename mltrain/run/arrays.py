"""Arrays as bytes: `.npy` for one, `.npz` for several, never with pickle, the same bytes for the same arrays.

Types that NumPy's format does not know (bfloat16, float8) are stored as the unsigned words that hold them; their names
are handed out to be kept beside the file.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping

import numpy as np

# Types of ml_dtypes that Keras variables can have, and the words that hold them.
_FOREIGN = {"bfloat16": "<u2", "float8_e4m3fn": "|u1", "float8_e5m2": "|u1"}


def to_npy(array: np.ndarray) -> bytes:
    """Return `array` as the content of a `.npy` file."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
    return buffer.getvalue()


def from_npy(data: bytes) -> np.ndarray:
    """Return the array in the content of a `.npy` file; it shares the memory of `data` and is read-only.

    Raises:
        ValueError: not a `.npy` file, an array of objects, or not as long as its header says.
    """
    buffer = io.BytesIO(data)
    if np.lib.format.read_magic(buffer) != (1, 0):
        raise ValueError("a version of the npy format that mltrain does not write")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(buffer)
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    # The header is the file's word only: numpy.load would allocate what it says, be it petabytes.
    needed = math.prod(shape) * dtype.itemsize
    if needed != len(data) - buffer.tell():
        raise ValueError(f"the header says {needed} bytes, the file holds {len(data) - buffer.tell()}")
    flat = np.frombuffer(data, dtype, offset=buffer.tell())
    return flat.reshape(shape, order="F" if fortran_order else "C")


def to_npz(arrays: Mapping[str, np.ndarray]) -> tuple[bytes, dict[str, str]]:
    """Return `arrays` as the content of an uncompressed `.npz` file, and the types that were stored as words.

    Args:
        arrays: of booleans, numbers, and the types of Keras variables.

    Returns:
        The bytes, and the name of the type by the name of the array, for those that NumPy does not know.

    Raises:
        ValueError: an array of any other type.
    """
    buffer = io.BytesIO()
    foreign: dict[str, str] = {}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, value in arrays.items():
            array = np.asarray(value, order="C")  # the same values give the same bytes in any memory layout
            if array.dtype.name in _FOREIGN:
                foreign[name] = array.dtype.name
                array = np.asarray(array.view(_FOREIGN[array.dtype.name]))
            if array.dtype.kind not in "biufc":  # NumPy would write int4 as nameless bytes, and objects as pickles
                raise ValueError(f"{name}: arrays of type {array.dtype} cannot be stored")
            # A ZipInfo made from a name alone has the date 1980-01-01: the same arrays give the same bytes.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue(), foreign


def from_npz(data: bytes, foreign: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return the arrays in the content of a `.npz` file that `to_npz` made.

    Args:
        data: the content.
        foreign: what `to_npz` returned beside it.

    Raises:
        ValueError: not such a file.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # Entries that share their bytes would unfold to more than the file holds.
            if sum(member.file_size for member in archive.infolist()) > len(data):
                raise ValueError("larger than the file that holds it")
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
                    raise ValueError(f"{member.filename!r} is not an uncompressed array")
                arrays[member.filename.removesuffix(".npy")] = from_npy(archive.read(member))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, OverflowError, RuntimeError) as error:
        raise ValueError(f"not a readable npz file: {error}") from error
    for name, type_name in foreign.items():
        if name not in arrays or arrays[name].dtype != _FOREIGN.get(type_name):
            raise ValueError(f"no array {name!r} that holds {type_name!r}")
        arrays[name] = arrays[name].view(_foreign_type(type_name))
    return arrays


def _foreign_type(name: str) -> np.dtype:
    # ml_dtypes comes with TensorFlow and Keras; it is light, but needed only for such arrays.
    import ml_dtypes

    return np.dtype(getattr(ml_dtypes, name))
