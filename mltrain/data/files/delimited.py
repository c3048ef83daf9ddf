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

from mltrain.data.files.column_types import ColumnPlace, role_in
from mltrain.data.files.delimited_blocks import read_in_blocks
from mltrain.data.files.delimited_faults import LONGEST_FIELD, records
from mltrain.data.files.delimited_header import header
from mltrain.data.files.delimited_text import (
    Dialect,
    Fields,
    count_lines,
    end_of_line,
    longest,
    text_columns,
)
from mltrain.data.files.opening import read_file_content
from mltrain.data.files.text_columns import TextColumns
from mltrain.data.files.text_encoding import utf8_text
from mltrain.data.table import Origin, Table
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
    reader = TextColumns(dialect)
    found = read_in_blocks(path, dialect, declared, reader) or _read_whole(path, dialect)
    name, rows = printable(path.name), len(found.columns[0])
    if not rows:
        raise DataError(f"{name}: the file has a header and no rows")
    origin = DelimitedOrigin(
        name, path, found.sha256, dialect, found.header_lines, found.lines == found.header_lines + rows
    )
    typed = {}
    for column_name in found.names:
        column = found.columns.pop(0)
        where = ColumnPlace(
            column_name,
            origin.place,
            missing_key=True,
            options=dialect.options,
            role=role_in(declared, column_name),
            delimiter=dialect.delimiter,
        )
        if declared.get(column_name) == "ignore":
            column = pa.nulls(rows)
        elif pa.types.is_string(column.type):
            check_lengths(column, where)
            column = reader.typed(column, where, declared.get(column_name))
        typed[column_name] = column
    return Table(
        typed,
        origin,
        found.sha256,
        decisions=reader.missing.decisions(name),
        taken_as_missing=reader.missing.sentences(options=dialect.options),
    )


def _read_whole(path: Path, dialect: Dialect) -> Fields:
    content = read_file_content(path)
    text = utf8_text(content.name, content.data, dialect.encoding, options=dialect.options)
    names, header_lines = header(content.name, text, dialect)
    body = text[end_of_line(text, header_lines) :]
    columns = text_columns(content.name, body, names, dialect.delimiter, header_lines + 1)
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
        header_lines: the number of lines before the first row.
        row_is_line: whether every row is one line.
    """

    path: Path
    sha256: str
    dialect: Dialect
    header_lines: int
    row_is_line: bool

    def place(self, row: int) -> str:
        """Return `penguins.csv:18`, or the number of the row when the file is not the same any more."""
        line = self.header_lines + row + 1 if self.row_is_line else self._find_line(row)
        return f"{self.name}:{line}" if line else f"{self.name}, row {row + 1}"

    def _find_line(self, row: int) -> int | None:
        try:
            content = read_file_content(self.path)
        except MltrainError:
            return None
        if content.sha256 != self.sha256:
            return None
        text = utf8_text(content.name, content.data, self.dialect.encoding)
        body = text[end_of_line(text, self.header_lines) :]
        rows = records(body, self.dialect.delimiter, self.header_lines + 1)
        return next(itertools.islice(rows, row, None)).line
