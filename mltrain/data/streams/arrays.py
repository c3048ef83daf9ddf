"""NumPy arrays of an .npz archive in blocks of rows."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, BinaryIO

import numpy as np
import pyarrow as pa

from mltrain.data.files.arrays import array_header, check_header, column_of_array, plain_column
from mltrain.data.files.column_types import ColumnPlace
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.streams.block import Block, PartOrigin, Wanted
from mltrain.data.table import Column, Table
from mltrain.errors import DataError
from mltrain.wording import counted

_BLOCK_BYTES, _FEWEST_ROWS, _MOST_ROWS = 16 * 2**20, 256, 1 << 17


@dataclass(frozen=True)
class _Member:
    """An array of the archive, of which rows are read one after the other."""

    file: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran_order: bool

    @classmethod
    def of(cls, archive: zipfile.ZipFile, name: str) -> _Member:
        check_header(archive, f"{name}.npy")
        file = archive.open(f"{name}.npy", "r")
        shape, fortran_order, dtype = array_header(file)
        # Object arrays are pickles, which can run code when they are read: they are refused, not decoded.
        if dtype.hasobject:
            raise ValueError(f"{name} is an array of Python objects")
        return cls(file, shape, dtype, fortran_order and len(shape) > 1)

    @property
    def row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def read(self, rows: int) -> np.ndarray:
        """Return the next `rows` rows."""
        data = self.file.read(rows * self.row_bytes)
        return np.frombuffer(data, self.dtype).reshape(rows, *self.shape[1:])


class ArraysStream:
    """An .npz archive.

    Args:
        file: what is read.
        name: of it, for messages.
        arrays: the names in the archive of columns that have other names.
        wanted: what is looked for.
        missing: texts and numbers that mean "no value" in an array of one axis.
        rows: of a block; None for as many as its size suggests.
    """

    reserved: frozenset[str] = frozenset()

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        arrays: Mapping[str, str],
        wanted: Wanted,
        missing: MissingValues | None = None,
        rows: int | None = None,
    ) -> None:
        self._name, self._wanted, self._missing = name, wanted, missing or MissingValues()
        try:
            self.archive = zipfile.ZipFile(file)
            stored = [each.removesuffix(".npy") for each in self.archive.namelist() if each.endswith(".npy")]
            columns = {column: key for column, key in arrays.items() if key in stored}
            columns |= {key: key for key in stored if key not in columns.values()}
            wanted.check(name, list(columns))
            self.names = tuple(columns)
            self._members = {column: _Member.of(self.archive, columns[column]) for column in wanted.kinds}
        except (*_UNREADABLE, zipfile.BadZipFile) as error:
            raise self._unreadable(error) from error
        self._count = self._check_shapes()
        self._keep_columns({column: key for column, key in columns.items() if column not in wanted.kinds})
        widest = max(self._members[column].row_bytes for column in wanted.kinds)
        self._rows = rows or max(_FEWEST_ROWS, min(_MOST_ROWS, _BLOCK_BYTES // max(widest, 1)))

    @property
    def left_out_of_text(self) -> tuple[str, ...]:
        """Arrays that are no columns: of several axes, of another length, or of other things than numbers and texts."""
        wide = [name for name, member in self._members.items() if member.shape != (self._count,)]
        return (*wide, *self._left_out)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; see `RowStream`."""
        for first in range(0, self._count, self._rows):
            rows = min(self._rows, self._count - first)
            origin = PartOrigin(self._name, first)
            typed: dict[str, Column] = {}
            kept: dict[str, pa.Array] = {}
            for name, member in self._members.items():
                try:
                    array = member.read(rows)
                except _UNREADABLE as error:
                    raise self._unreadable(error) from error
                where = ColumnPlace(name, origin.place, missing_key=True, options=True, in_part=True)
                if name in self._wanted.kinds:
                    typed[name] = column_of_array(array, where, self._wanted.kinds[name], self._missing)
                kept_column = typed.get(name)
                if kept_column is None or (self._missing.any and array.ndim == 1):  # as it came
                    kept_column = plain_column(array)
                if not isinstance(kept_column, np.ndarray):
                    kept[name] = kept_column
            taken = self._missing.sentences(options=True)
            table = Table({name: typed[name] for name in self._wanted.kinds}, origin, "", taken_as_missing=taken)
            yield Block(table, pa.table(kept))

    def _keep_columns(self, others: Mapping[str, str]) -> None:
        """Read the arrays that are not needed, too, where they are columns that a text can hold."""
        left_out = []
        for column, key in others.items():
            try:
                member = _Member.of(self.archive, key)
            except _UNREADABLE:  # it is copied as it is, and whoever reads it will see
                left_out.append(column)
                continue
            if member.shape == (self._count,) and member.dtype.kind in "biufUSM":
                self._members[column] = member
            else:
                left_out.append(column)
        self._left_out = tuple(left_out)

    def _check_shapes(self) -> int:
        """Return the number of rows."""
        counts: dict[str, int] = {}
        for name in self._wanted.kinds:
            member = self._members[name]
            if not member.shape:
                raise DataError(f"{self._name}: array {name!r} is a single value; expected one value per row")
            if member.fortran_order:
                raise DataError(
                    f"{self._name}: array {name!r} is stored column by column, but mltrain reads rows; "
                    "save numpy.ascontiguousarray(array) instead"
                )
            counts[name] = member.shape[0]
        first = next(iter(counts))
        other = next((name for name, count in counts.items() if count != counts[first]), None)
        if other is not None:
            raise DataError(
                f"{self._name}: array {first!r} has {counted(counts[first], 'row')} and {other!r} has {counts[other]}"
            )
        if not counts[first]:
            raise DataError(f"{self._name}: the arrays have no rows")
        return counts[first]

    def _unreadable(self, error: Exception) -> DataError:
        return DataError(f"{self._name}: not an .npz file, or it is damaged ({error})")


# What zipfile and NumPy raise for archives that are damaged.
_UNREADABLE = (ValueError, TypeError, EOFError, OSError, MemoryError, RuntimeError, KeyError, zlib.error)
