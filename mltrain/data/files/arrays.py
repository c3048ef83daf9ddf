"""NumPy arrays → Table: .npz files, bundled data and made data."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from mltrain.data.files.column_types import ColumnPlace, role_in
from mltrain.data.files.column_values import SINGLE, finite_array, typed_column
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.files.opening import FileContent, check_unpacked_size, read_file_content
from mltrain.data.table import Column, Origin, Table
from mltrain.errors import DataError
from mltrain.spec import suggest
from mltrain.task import Decision
from mltrain.wording import counted

# What Python and NumPy raise for bytes that are no UTF-8, halves of surrogate pairs, and numbers that no character has.
_NO_TEXT = (UnicodeError, ValueError, SystemError)


def read_npz(
    path: Path,
    arrays: Mapping[str, str] | None,
    declared: Mapping[str, str],
    missing: MissingValues | None = None,
    *,
    options: bool = False,
) -> Table:
    """Return the arrays of an .npz file as a table.

    Args:
        path: of the file.
        arrays: which arrays, as {column: name in the file}; None takes all by their own names.
        declared: the kind of a column, by name, where it was stated.
        missing: texts and numbers that mean "no value" in an array of one axis.
        options: whether messages advise options of a command.

    Raises:
        DataError: the file is not an .npz, lacks an array, or the arrays cannot be columns of one table.
    """
    content = read_file_content(path)
    found = _load(content, arrays, declared)
    first, rows = next((name, len(np.atleast_1d(array))) for name, array in found.items() if array is not None)
    for name, array in found.items():
        if array is None:
            continue
        if not array.ndim:
            raise DataError(
                f"{content.name}: array {name!r} is a single value, not rows; list arrays of rows in data.source.arrays"
            )
        if len(array) != rows:
            raise DataError(
                f"{content.name}: array {first!r} has {counted(rows, 'row')} and {name!r} has {len(array)}; "
                "list arrays of the same length in data.source.arrays"
            )
    if not rows:
        raise DataError(f"{content.name}: the arrays have no rows")
    origin, missing = Origin(content.name), missing or MissingValues()
    places = {
        name: ColumnPlace(name, origin.place, missing_key=True, options=options, role=role_in(declared, name))
        for name in found
    }
    columns: dict[str, Column] = {
        name: column_of_array(array, places[name], declared.get(name), missing) if array is not None else pa.nulls(rows)
        for name, array in found.items()
    }
    return Table(
        columns,
        origin,
        content.sha256,
        decisions=missing.decisions(content.name),
        taken_as_missing=missing.sentences(options=options),
    )


def column_of_array(
    array: np.ndarray, where: ColumnPlace, kind: str | None = None, missing: MissingValues | None = None
) -> Column:
    """Return an array as a column: one axis becomes an Arrow column, where NaN is a missing value; more stay an array.

    Raises:
        DataError: the values are not numbers, texts, booleans or dates.
    """
    if array.ndim > 1 and array.size == len(array) > 0 and (kind in SINGLE or not _fits_an_array(array)):
        array = array.reshape(-1)  # one value per row
    if array.ndim > 1:
        return pa.nulls(len(array)) if kind == "ignore" else finite_array(array, where)
    if array.dtype.kind not in "biufUSM" or array.dtype in (np.longdouble, np.dtype("M8")):
        raise where.error(0, f"an array of {array.dtype}; expected numbers, texts, booleans or dates")
    if array.dtype.kind == "M":
        array = array.astype("datetime64[us]")
    values = _texts(array, where) if array.dtype.kind in "US" else pa.array(array.astype(array.dtype.newbyteorder("=")))
    return typed_column(values if missing is None else missing.of_typed(where.column, values), where, kind)


def with_single_values(table: Table, names: Iterable[str]) -> Table:
    """Return the table with a plain column in the place of each of these whose arrays hold one number each."""
    made: dict[str, Column] = {}
    for name in names:
        array = table.columns.get(name)
        if isinstance(array, np.ndarray) and array.size == len(array):
            made[name] = column_of_array(array.reshape(-1), ColumnPlace(name, table.origin.place))
    if not made:
        return table
    shapes = f"the arrays of {', '.join(map(repr, made))} hold one number each"
    decisions = (*table.decisions, Decision("data", "one value per row", shapes))
    return replace(table, columns={**table.columns, **made}, decisions=decisions)


def _fits_an_array(array: np.ndarray) -> bool:
    return array.dtype.kind in "biu" or (array.dtype.kind == "f" and bool(np.isfinite(array).all()))


def plain_column(array: np.ndarray) -> pa.Array:
    """Return an array of one axis of a kind that `column_of_array` takes as it is, without a look at its values."""
    if array.dtype.kind == "S":
        return pa.array([value.decode(errors="replace") for value in array.tolist()], pa.string())
    if array.dtype.kind == "U":
        return pa.array([value.encode(errors="replace").decode() for value in array.tolist()], pa.string())
    if array.dtype.kind == "M":
        array = array.astype("datetime64[us]")
    return pa.array(array.astype(array.dtype.newbyteorder("=")), from_pandas=True)


def sha256_of_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of the names, types, shapes and values of arrays, in their order."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(f"{name}\0{little_endian.dtype.str}\0{array.shape}\0".encode())
        digest.update(little_endian.tobytes())
    return digest.hexdigest()


def _texts(array: np.ndarray, where: ColumnPlace) -> pa.Array:
    try:
        return _decoded(array)
    except _NO_TEXT as error:
        row = next(row for row in range(len(array)) if not _is_text(array[row : row + 1]))
        raise where.error(row, "the text is not valid Unicode (bytes must be UTF-8)") from error


def _decoded(array: np.ndarray) -> pa.Array:
    values = array.tolist()
    return pa.array([value.decode() for value in values] if array.dtype.kind == "S" else values, pa.string())


def _is_text(array: np.ndarray) -> bool:
    try:
        _decoded(array)
    except _NO_TEXT:
        return False
    return True


def _load(
    content: FileContent, arrays: Mapping[str, str] | None, declared: Mapping[str, str]
) -> dict[str, np.ndarray | None]:
    """Return the arrays of the columns; None for a column that is ignored: it is not read."""
    name = content.name
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            check_unpacked_size(name, len(content.data), sum(member.file_size for member in archive.infolist()))
        with np.load(io.BytesIO(content.data), allow_pickle=False) as file:
            wanted = arrays or {key: key for key in file.files}
            for key in wanted.values():
                if key not in file.files:
                    raise DataError(
                        f"{name}: no array {key!r}{suggest(key, file.files)} (arrays: {', '.join(file.files)})"
                    )
            if not wanted:
                raise DataError(f"{name}: expected arrays, but the file is empty")
            read = {column: key for column, key in wanted.items() if declared.get(column) != "ignore"}
            if not read:
                raise DataError(f"{name}: every array is set to ignore; remove a line under data.features")
            for key in read.values():
                check_header(file.zip, f"{key}.npy")
            return {column: np.asarray(file[key]) if column in read else None for column, key in wanted.items()}
    except zipfile.BadZipFile as error:
        raise DataError(f"{name}: not an .npz file, or it is damaged ({error})") from error
    except (ValueError, TypeError, EOFError, OSError, MemoryError, RuntimeError, zlib.error) as error:
        # Object arrays are pickles, which can run code when they are read: they are refused, not decoded.
        raise DataError(f"{name}: expected arrays of numbers or texts, but they cannot be read ({error})") from error


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return the shape of an array in a file, whether its order is Fortran's, and its type, and pass its header."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)


def check_header(archive: zipfile.ZipFile, member: str) -> None:
    """Refuse an array that is not as long as its header says: numpy.load makes room for what the header says.

    Raises:
        ValueError: it is not, or its values have no size, so that billions of them fit into nothing.
    """
    if member not in archive.namelist():  # no array, which is said later
        return
    with archive.open(member, "r") as file:
        shape, _, dtype = array_header(file)
        size = archive.getinfo(member).file_size - file.tell()
    if not dtype.hasobject and (not dtype.itemsize or math.prod(shape) * dtype.itemsize != size):
        raise ValueError(f"{member} has {size} bytes of data, its header says {shape} of {dtype}")
