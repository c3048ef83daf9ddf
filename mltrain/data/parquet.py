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
from mltrain.data.parquet_footer import stated_values
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
        names = found.column_names
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        raise DataError(f"{content.name}: not a Parquet file, or damaged ({error})") from error
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
        leaves = [file.schema.column(number) for number in range(len(file.schema))]
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        counts = [file.metadata.num_rows] * len(leaves)
        if any(leaf.max_repetition_level for leaf in leaves):  # a row of a list column is any number of values
            counts = stated_values(content.data)
        size = sum(max(count, 0) * _width(leaf) for count, leaf in zip(counts, leaves, strict=True))
    check_unpacked_size(content.name, len(content.data), size)
    found = parquet.read_table(pa.BufferReader(content.data), read_dictionary=texts)
    check_unpacked_size(content.name, len(content.data), sum(map(unfolded_size, found.itercolumns())))
    found.validate(full=True)  # texts may be no UTF-8
    return found.combine_chunks()


def _width(leaf: parquet.ColumnSchema) -> int:
    return max(8, leaf.length or 0)  # only values of a fixed number of bytes have a length


def unfolded_size(column: pa.ChunkedArray) -> int:
    """Return how many bytes the texts of a column are, each in its place."""
    dictionaries = [chunk for chunk in column.chunks if pa.types.is_dictionary(chunk.type)]
    return sum(
        pc.sum(pc.cast(pc.binary_length(chunk.dictionary), pa.int64()).take(chunk.indices)).as_py() or 0
        for chunk in dictionaries
    )
