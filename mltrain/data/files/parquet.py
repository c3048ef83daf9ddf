"""Parquet → Table."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from mltrain.data.files.column_types import ColumnPlace, role_in
from mltrain.data.files.column_values import typed_column
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.files.opening import check_unpacked_size, open_regular, read_file_content
from mltrain.data.files.parquet_footer import stated_values
from mltrain.data.table import Column, Origin, Table
from mltrain.errors import DataError
from mltrain.problems import printable
from mltrain.wording import counted


def read_parquet(
    path: Path, declared: Mapping[str, str], missing: MissingValues | None = None, *, options: bool = False
) -> Table:
    """Return the table in a Parquet file.

    Args:
        path: of the file.
        declared: the kind of a column, by name, where it was stated.
        missing: texts and numbers that mean "no value".
        options: whether messages advise options of a command.

    Raises:
        DataError: it is not a Parquet file, has no rows, or a column has no place in a table.
    """
    missing = missing or MissingValues()
    if path.name.lower().endswith(".gz"):
        content = read_file_content(path)
        packed = _Packed(content.name, pa.BufferReader(content.data), len(content.data))
        columns, sha256 = _columns(packed, declared, missing, options), content.sha256
        return _table(columns, packed.name, sha256, missing, options)
    with open_regular(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        packed = _Packed(printable(path.name), pa.PythonFile(file, "r"), file.tell())
        columns = _columns(packed, declared, missing, options)
    return _table(columns, packed.name, sha256, missing, options)


def _table(columns: dict[str, Column], name: str, sha256: str, missing: MissingValues, options: bool) -> Table:
    return Table(
        columns,
        Origin(name),
        sha256,
        decisions=missing.decisions(name),
        taken_as_missing=missing.sentences(options=options),
    )


@dataclass(frozen=True)
class _Packed:
    """A Parquet file: its name in messages, its bytes, and how many there are."""

    name: str
    bytes: pa.NativeFile
    size: int


def _columns(packed: _Packed, declared: Mapping[str, str], missing: MissingValues, options: bool) -> dict[str, Column]:
    origin = Origin(packed.name)
    names = _names(packed)
    ignored = frozenset(name for name in names if declared.get(name) == "ignore")
    columns: dict[str, Column] = {}
    for name, column in _read(packed, ignored):
        where = ColumnPlace(name, origin.place, missing_key=True, options=options, role=role_in(declared, name))
        read = column if name in ignored else missing.of_typed(name, column)
        columns[name] = typed_column(read, where, declared.get(name))
    return {name: columns[name] for name in names}


def _read(packed: _Packed, ignored: frozenset[str]) -> Iterator[tuple[str, pa.Array]]:
    """Yield name and values of each column as it is in the file, texts as dictionaries; of one that is ignored, nulls.

    One column after the other: all of them at once, beside what becomes of them, are three times the table. A value
    that stands in the file once can be repeated a billion times by a few bytes: what it comes to is looked at before it
    is unfolded.
    """
    try:
        leaves = _checked_leaves(packed, ignored)
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        file = parquet.ParquetFile(packed.bytes, read_dictionary=texts)
        for name in file.schema_arrow.names:
            if name in ignored:
                yield name, pa.nulls(file.metadata.num_rows)
        names = [name for name in file.schema_arrow.names if name not in ignored]
        flat = all(leaf.path == leaf.name for leaf in leaves)  # a part of a nested column may be named as another one
        unfolded = 0
        for part in ([name] for name in names) if flat else [names]:
            table = file.read(part).select(part)
            unfolded += sum(map(unfolded_size, table.itercolumns()))
            check_unpacked_size(packed.name, packed.size, unfolded)
            table.validate(full=True)  # texts may be no UTF-8
            for name, column in zip(table.column_names, table.combine_chunks().columns, strict=True):
                yield name, pa.concat_arrays(column.chunks)
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        raise DataError(f"{packed.name}: not a Parquet file, or it is damaged ({error})") from error


def _names(packed: _Packed) -> list[str]:
    try:
        return list(parquet.ParquetFile(packed.bytes).schema_arrow.names)
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        raise DataError(f"{packed.name}: not a Parquet file, or it is damaged ({error})") from error


def _checked_leaves(packed: _Packed, ignored: frozenset[str]) -> list[parquet.ColumnSchema]:
    """Return `leaves_of` the file that are not of an ignored column.

    Raises:
        DataError: as `leaves_of`, or they unpack to far more than data does.
    """
    file = parquet.ParquetFile(packed.bytes)
    leaves = leaves_of(packed.name, file)
    counts = [file.metadata.num_rows] * len(leaves)
    if any(leaf.max_repetition_level for leaf in leaves):  # a row of a list column is any number of values
        packed.bytes.seek(0)
        counts = stated_values(packed.bytes.read())
    read = [(count, leaf) for count, leaf in zip(counts, leaves, strict=True) if not _is_of(leaf, ignored)]
    check_unpacked_size(packed.name, packed.size, sum(max(count, 0) * _width(leaf) for count, leaf in read))
    return [leaf for _, leaf in read]


def _is_of(leaf: parquet.ColumnSchema, names: frozenset[str]) -> bool:
    """Return whether a stored column is one of these columns, or a part of one."""
    if leaf.path == leaf.name:
        return leaf.path in names
    return any(leaf.path.startswith(f"{name}.") for name in names)


def leaves_of(name: str, file: parquet.ParquetFile) -> list[parquet.ColumnSchema]:
    """Return the columns of a file of that name as they are stored: of a nested one, each of its parts.

    Raises:
        DataError: there are no rows, or two columns have one name.
    """
    names, rows = file.schema_arrow.names, file.metadata.num_rows
    twice = next((column for column, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise DataError(f"{name}: two columns are named {twice!r}; rename one")
    if not rows or not names:
        found = f"{counted(len(names), 'column')} and {counted(rows, 'row')}"
        raise DataError(f"{name}: expected columns and rows, found {found}")
    return [file.schema.column(number) for number in range(len(file.schema))]


def _width(leaf: parquet.ColumnSchema) -> int:
    return max(8, leaf.length or 0)  # only values of a fixed number of bytes have a length


def unfolded_size(column: pa.ChunkedArray) -> int:
    """Return how many bytes the texts of a column are, each in its place."""
    dictionaries = [chunk for chunk in column.chunks if pa.types.is_dictionary(chunk.type)]
    return sum(
        pc.sum(pc.cast(pc.binary_length(chunk.dictionary), pa.int64()).take(chunk.indices)).as_py() or 0
        for chunk in dictionaries
    )
