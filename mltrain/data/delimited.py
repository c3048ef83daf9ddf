"""Delimited text (CSV, TSV) → Table.

One path for every file: pyarrow reads every column as text, and `column_types` decides what each holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.column_types import ColumnPlace, parse_texts
from mltrain.data.delimited_blocks import read_in_blocks
from mltrain.data.delimited_faults import LONGEST_FIELD, records
from mltrain.data.delimited_text import (
    Dialect,
    Fields,
    cleaned,
    count_lines,
    header,
    longest,
    missing_texts,
    text_columns,
)
from mltrain.data.files import read_file_content
from mltrain.data.table import Origin, Table
from mltrain.data.text_encoding import utf8_text
from mltrain.errors import DataError, MltrainError
from mltrain.problems import printable


def read_delimited(path: Path, dialect: Dialect, declared: Mapping[str, str]) -> Table:
    """Return the table in a delimited text file with a header line.

    Args:
        path: of the file, plain or .gz.
        dialect: how it is written.
        declared: the kind of a column, by name, where it was stated.

    Raises:
        DataError: with the file, the line and the column.
    """
    found = read_in_blocks(path, dialect, declared) or _read_whole(path, dialect)
    name, rows = printable(path.name), len(found.columns[0])
    if not rows:
        raise DataError(f"{name}: the file has a header and no rows")
    every_row_a_line = found.lines == found.header_lines + rows
    origin = DelimitedOrigin(name, path, found.sha256, dialect, found.header_lines + 1 if every_row_a_line else None)
    missing = missing_texts(dialect)
    typed = {}
    for column_name in found.names:
        column, where = found.columns.pop(0), ColumnPlace(column_name, origin.place, missing_key=True)
        if declared.get(column_name) == "ignore":
            column = pa.nulls(rows)
        elif pa.types.is_string(column.type):
            check_lengths(column, where)
            column = parse_texts(cleaned(column, missing), where, declared.get(column_name))
        typed[column_name] = column
    return Table(typed, origin, found.sha256)


def _read_whole(path: Path, dialect: Dialect) -> Fields:
    content = read_file_content(path)
    text = utf8_text(content.name, content.data, dialect.encoding)
    names, header_lines = header(content.name, text, dialect.delimiter)
    columns = text_columns(content.name, text, names, dialect.delimiter, header_lines)
    return Fields(names, columns, header_lines, count_lines(text), content.sha256)


def check_lengths(column: pa.Array, where: ColumnPlace) -> None:
    """Raise DataError for a field that is longer than any field should be."""
    length = longest(column)
    if length > LONGEST_FIELD:
        row = int(pc.index(pc.binary_length(column), length).as_py())
        raise where.error(row, f"a field of {length} bytes (limit: {LONGEST_FIELD}); is a quote not closed?")


@dataclass(frozen=True)
class DelimitedOrigin(Origin):
    """Says the line of a row.

    Where rows and lines do not go together (blank lines, line ends in quotes) the file is read again for it: that takes
    seconds for a million rows, and happens only when there is something to say about one of them.

    Attributes:
        path: of the file.
        sha256: of its bytes when they were read.
        dialect: how it is written.
        first_line: of the first row, counted from 1, when every row is one line; else None.
    """

    path: Path
    sha256: str
    dialect: Dialect
    first_line: int | None

    def place(self, row: int) -> str:
        """Return `penguins.csv:18`, or the number of the row when the file is not the same any more."""
        line = self.first_line + row if self.first_line is not None else self._find_line(row)
        return f"{self.name}:{line}" if line else f"{self.name}, row {row + 1}"

    def _find_line(self, row: int) -> int | None:
        try:
            content = read_file_content(self.path)
        except MltrainError:
            return None
        if content.sha256 != self.sha256:
            return None
        text = utf8_text(content.name, content.data, self.dialect.encoding)
        rows = records(text, self.dialect.delimiter)
        return next(itertools.islice(rows, row + 1, None)).line
