"""Parquet → Table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from mltrain.data.column_types import ColumnPlace
from mltrain.data.column_values import typed_column
from mltrain.data.files import read_file_content
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
        found = parquet.read_table(pa.BufferReader(content.data)).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{content.name}: not a Parquet file, or damaged ({error})") from error
    names = found.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
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
