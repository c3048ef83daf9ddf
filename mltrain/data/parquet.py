"""Parquet → Table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from mltrain.data.column_types import ColumnPlace
from mltrain.data.column_values import typed_column
from mltrain.data.files import FileContent, check_unpacked_size, read_file_content
from mltrain.data.table import Origin, Table
from mltrain.errors import DataError


def read_parquet(path: Path, declared: Mapping[str, str]) -> Table:
    """Return the table in a Parquet file.

    Args:
        path: of the file.
        declared: the kind of a column, by name, where it was stated.

    Raises:
        DataError: it is not a Parquet file, has no rows, or a column has no place in a table.
    """
    content = read_file_content(path)
    try:
        found = _read(content)
    except (pa.ArrowException, OSError, MemoryError) as error:
        raise DataError(f"{content.name}: not a Parquet file, or damaged ({error})") from error
    names = found.column_names
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise DataError(f"{content.name}: two columns are named {twice!r}; rename one")
    if not found.num_rows or not names:
        raise DataError(f"{content.name}: the file has {len(names)} columns and {found.num_rows} rows")
    origin = Origin(content.name)
    columns = {}
    for name in names:
        column = pa.concat_arrays(found.column(name).chunks)
        columns[name] = typed_column(column, ColumnPlace(name, origin.place), declared.get(name))
    return Table(columns, origin, content.sha256)


def _read(content: FileContent) -> pa.Table:
    """Return the table as it is in the file, texts as dictionaries.

    A value that stands in the file once can be repeated a billion times by a few bytes: what it comes to is looked at
    before it is unfolded.
    """
    with parquet.ParquetFile(pa.BufferReader(content.data)) as file:
        check_unpacked_size(content.name, len(content.data), _stated_size(file))
        leaves = [file.schema.column(number) for number in range(len(file.schema))]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    found = parquet.read_table(pa.BufferReader(content.data), read_dictionary=texts)
    check_unpacked_size(content.name, len(content.data), sum(map(_unfolded_size, found.itercolumns())))
    return found.combine_chunks()


def _stated_size(file: parquet.ParquetFile) -> int:
    """Return how many bytes the numbers of a file are, and its texts packed."""
    size = 0
    for number in range(len(file.schema)):
        width = max(8, file.schema.column(number).length or 0)  # a length have only values of a fixed number of bytes
        for group in range(file.num_row_groups):
            chunk = file.metadata.row_group(group).column(number)
            size += max(width * chunk.num_values, chunk.total_uncompressed_size)
    return size


def _unfolded_size(column: pa.ChunkedArray) -> int:
    """Return how many bytes the texts of a column are, each in its place."""
    dictionaries = [chunk for chunk in column.chunks if pa.types.is_dictionary(chunk.type)]
    return sum(
        pc.sum(pc.cast(pc.binary_length(chunk.dictionary), pa.int64()).take(chunk.indices)).as_py() or 0
        for chunk in dictionaries
    )
