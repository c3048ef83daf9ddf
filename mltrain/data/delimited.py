"""Delimited text (CSV, TSV) → Table.

One path for every file: pyarrow reads every column as text, and `column_types` decides what each holds.
"""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from mltrain.data.column_types import ColumnPlace, parse_texts
from mltrain.data.delimited_faults import LONGEST_FIELD, csv_fault, find_fault, quotes_in_order, records
from mltrain.data.files import FileContent, read_file_content
from mltrain.data.table import Origin, Table
from mltrain.errors import DataError, MltrainError

# The texts that pandas reads as "no value", so that a file means the same here.
MISSING = (
    *("", "NA", "N/A", "n/a", "<NA>", "#NA", "#N/A", "#N/A N/A", "null", "NULL", "None", "nan", "NaN", "-nan", "-NaN"),
    *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
BLOCK_BYTES = 8 * 2**20  # pyarrow refuses a row that is longer than a block

_BINARY = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x93NUMPY": "a NumPy array",
}


@dataclass(frozen=True)
class Dialect:
    """How a delimited text is written.

    Attributes:
        delimiter: one character.
        missing: texts that mean "no value", besides `MISSING`.
        encoding: as Python names it.
    """

    delimiter: str
    missing: Sequence[str] = ()
    encoding: str = "utf-8"


def read_delimited(path: Path, dialect: Dialect, declared: Mapping[str, str]) -> Table:
    """Return the table in a delimited text file with a header line.

    Args:
        path: of the file, plain or .gz.
        dialect: how it is written.
        declared: the kind of a column, by name, where it was stated.

    Raises:
        DataError: with the file, the line and the column.
    """
    content = read_file_content(path)
    text = _utf8(content, dialect.encoding)
    names, header_lines = _header(content.name, text, dialect.delimiter)
    columns = _text_columns(content.name, text, names, header_lines, dialect.delimiter)
    rows = len(columns[0])
    if not rows:
        raise DataError(f"{content.name}: the file has a header and no rows")

    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    origin = DelimitedOrigin(
        content.name, path, content.sha256, dialect, header_lines + 1 if lines == header_lines + rows else None
    )
    missing = pa.array([*MISSING, *(token.strip() for token in dialect.missing)])
    typed = {}
    for name, column in zip(names, columns, strict=True):
        where = ColumnPlace(name, origin.place, missing_key=True)
        _check_lengths(column, where)
        cleaned = _cleaned(column, missing)
        typed[name] = parse_texts(cleaned, where, declared.get(name))
    return Table(typed, origin, content.sha256)


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
        rows = records(_utf8(content, self.dialect.encoding), self.dialect.delimiter)
        return next(itertools.islice(rows, row + 1, None)).line


def _utf8(content: FileContent, encoding: str) -> bytes:
    """Return the text as UTF-8 without a byte order mark."""
    name, data = content.name, content.data
    for magic, what in _BINARY.items():
        if data.startswith(magic):
            raise DataError(f"{name}: this is {what}, not a text file")
    try:
        if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig"):
            data = data.decode(encoding).encode()
        elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise DataError(f"{name}: the file is UTF-16; save it as UTF-8, or set data.source.encoding: utf-16")
        elif not data.isascii():
            data.decode()
    except UnicodeError as error:
        raise _undecodable(name, data, encoding, error) from error
    data = data.removeprefix(codecs.BOM_UTF8)
    if (nul := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise DataError(f"{name}:{line}: a NUL byte; the file is binary, damaged, or in another data.source.encoding")
    if not data or data.isspace():
        raise DataError(f"{name}: the file is empty")
    return data


def _undecodable(name: str, data: bytes, encoding: str, error: UnicodeError) -> DataError:
    remedy = "save the file as UTF-8, or state data.source.encoding (cp1252 is usual on Windows)"
    if not isinstance(error, UnicodeDecodeError):
        return DataError(f"{name}: not {encoding} text ({error}); {remedy}")
    line = data.count(b"\n", 0, error.start) + 1
    begin = data.rfind(b"\n", 0, error.start) + 1
    return DataError(
        f"{name}:{line}: byte {error.start - begin + 1} of the line is 0x{data[error.start]:02x}, "
        f"which is not {encoding} text; {remedy}"
    )


def _header(name: str, text: bytes, delimiter: str) -> tuple[list[str], int]:
    """Return the names of the columns, and the number of lines down to the end of the header."""
    try:
        header = next(records(text, delimiter))
    except csv.Error as error:
        raise csv_fault(name, error) from error
    line, names = header.line, [field.strip() for field in header.fields]
    numbers: dict[str, int] = {}
    for number, column in enumerate(names, start=1):
        if not column:
            raise DataError(
                f"{name}:{line}: column {number} of {len(names)} has no name; name it in the header "
                "(pandas leaves the index without a name: write the file with index=False)"
            )
        if (first := numbers.setdefault(column, number)) != number:
            raise DataError(f"{name}:{line}: columns {first} and {number} are both named {column!r}; rename one")
    other = next((mark for mark in ";\t|," if mark in names[0]), None) if len(names) == 1 else None
    if other:
        raise DataError(
            f"{name}:{line}: the header is one column {names[0]!r} when split at {delimiter!r}; "
            f"set data.source.delimiter: {other!r}"
        )
    return names, header.last_line


def _text_columns(name: str, text: bytes, names: list[str], header_lines: int, delimiter: str) -> list[pa.Array]:
    """Return the texts of each column."""
    if not quotes_in_order(text, delimiter):
        find_fault(name, text, names, delimiter)
    line_ends = re.finditer(rb"\r\n|\r|\n", text)
    header_end = next(itertools.islice(line_ends, header_lines - 1, None), None)
    body = pa.py_buffer(text).slice(header_end.end() if header_end else len(text))
    if not body.size:
        return [pa.array([], pa.string()) for _ in names]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            # pyarrow takes its column names as text that need not be unique; numbers keep them out of the way.
            read_options=arrow_csv.ReadOptions(
                column_names=[str(i) for i in range(len(names))], block_size=BLOCK_BYTES
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in text),
            convert_options=arrow_csv.ConvertOptions(
                column_types={str(i): pa.string() for i in range(len(names))},
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        find_fault(name, text, names, delimiter)
        raise DataError(f"{name}: not readable as delimited text: {error}") from error
    return [
        pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string()) for column in table.columns
    ]


def _check_lengths(column: pa.Array, where: ColumnPlace) -> None:
    lengths = pc.binary_length(column)
    longest = pc.max(lengths).as_py() or 0
    if longest > LONGEST_FIELD:
        row = int(pc.index(lengths, longest).as_py())
        raise where.error(row, f"a field of {longest} bytes (limit: {LONGEST_FIELD}); is a quote not closed?")


def _cleaned(column: pa.Array, missing: pa.Array) -> pa.Array:
    """Return the texts without the blanks around them, and null for those that mean "no value"."""
    characters = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    if (
        (characters <= ord(" ")) | (characters >= 0x80)
    ).any():  # most columns hold no blank: it saves a third of the time
        column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(column, missing), pa.scalar(None, column.type), column)
