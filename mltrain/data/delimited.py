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
from mltrain.data.files import read_file_content
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
    text = utf8_text(content.name, content.data, dialect.encoding)
    names, header_lines = read_header(content.name, text, dialect.delimiter)
    columns = text_columns(content.name, text, names, dialect.delimiter, header_lines)
    rows = len(columns[0])
    if not rows:
        raise DataError(f"{content.name}: the file has a header and no rows")

    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    origin = DelimitedOrigin(
        content.name, path, content.sha256, dialect, header_lines + 1 if lines == header_lines + rows else None
    )
    typed = {}
    for name, column in zip(names, columns, strict=True):
        where = ColumnPlace(name, origin.place, missing_key=True)
        check_lengths(column, where)
        typed[name] = parse_texts(cleaned(column, dialect), where, declared.get(name))
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
        text = utf8_text(content.name, content.data, self.dialect.encoding)
        rows = records(text, self.dialect.delimiter)
        return next(itertools.islice(rows, row + 1, None)).line


def utf8_text(name: str, data: bytes, encoding: str) -> bytes:
    """Return the text of a whole file as UTF-8 without a byte order mark.

    Raises:
        DataError: it is no text, none in that encoding, or empty.
    """
    refuse_binary(name, data)
    try:
        if not is_utf8(encoding):
            data = data.decode(encoding).encode()
        elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise DataError(f"{name}: the file is UTF-16; save it as UTF-8, or set data.source.encoding: utf-16")
    except UnicodeError as error:
        raise undecodable(name, data, encoding, error) from error
    data = data.removeprefix(codecs.BOM_UTF8)
    check_characters(name, data, encoding)
    if not data or data.isspace():
        raise DataError(f"{name}: the file is empty")
    return data


def is_utf8(encoding: str) -> bool:
    """Return whether an encoding is UTF-8, under whatever name."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def refuse_binary(name: str, data: bytes) -> None:
    """Raise DataError for the beginning of a file that is another kind of file."""
    for magic, what in _BINARY.items():
        if data.startswith(magic):
            raise DataError(f"{name}: this is {what}, not a text file")


def check_characters(name: str, text: bytes, encoding: str, first_line: int = 1) -> None:
    """Raise DataError where `text`, whose first line has that number, is not UTF-8 or holds a NUL byte."""
    try:
        if not text.isascii():
            text.decode()
    except UnicodeError as error:
        raise undecodable(name, text, encoding, error, first_line) from error
    if (nul := text.find(b"\0")) >= 0:
        line = text.count(b"\n", 0, nul) + first_line
        raise DataError(f"{name}:{line}: a NUL byte; the file is binary, damaged, or in another data.source.encoding")


def undecodable(name: str, data: bytes, encoding: str, error: UnicodeError, first_line: int = 1) -> DataError:
    """Return the error of `data`, whose first line has that number, and which is not text in `encoding`."""
    remedy = "save the file as UTF-8, or state data.source.encoding (cp1252 is usual on Windows)"
    if not isinstance(error, UnicodeDecodeError):
        return DataError(f"{name}: not {encoding} text ({error}); {remedy}")
    line = data.count(b"\n", 0, error.start) + first_line
    begin = data.rfind(b"\n", 0, error.start) + 1
    return DataError(
        f"{name}:{line}: byte {error.start - begin + 1} of the line is 0x{data[error.start]:02x}, "
        f"which is not {encoding} text; {remedy}"
    )


def read_header(name: str, text: bytes, delimiter: str) -> tuple[list[str], int]:
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


def text_columns(
    name: str, text: bytes, names: list[str], delimiter: str, header_lines: int = 0, first_line: int = 1
) -> list[pa.Array]:
    """Return the texts of each column.

    Args:
        name: of the file.
        text: of records, as UTF-8.
        names: of the columns.
        delimiter: one character.
        header_lines: so many lines are the header.
        first_line: the number of the line with which `text` begins.

    Raises:
        DataError: a record has too many or too few fields, or a quote is wrong.
    """
    if not quotes_in_order(text, delimiter):
        find_fault(name, text, names, delimiter, first_line)
    body = pa.py_buffer(text).slice(end_of_line(text, header_lines))
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
        find_fault(name, text, names, delimiter, first_line)
        raise DataError(f"{name}: not readable as delimited text: {error}") from error
    return [
        pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string()) for column in table.columns
    ]


def end_of_line(text: bytes, number: int) -> int:
    """Return where the line of that number (from 1) ends, its line end included; 0 for line 0."""
    if not number:
        return 0
    line_ends = re.finditer(rb"\r\n|\r|\n", text)
    found = next(itertools.islice(line_ends, number - 1, None), None)
    return found.end() if found else len(text)


def check_lengths(column: pa.Array, where: ColumnPlace) -> None:
    """Raise DataError for a field that is longer than any field should be."""
    lengths = pc.binary_length(column)
    longest = pc.max(lengths).as_py() or 0
    if longest > LONGEST_FIELD:
        row = int(pc.index(lengths, longest).as_py())
        raise where.error(row, f"a field of {longest} bytes (limit: {LONGEST_FIELD}); is a quote not closed?")


def cleaned(column: pa.Array, dialect: Dialect) -> pa.Array:
    """Return the texts without the blanks around them, and null for those that mean "no value"."""
    missing = pa.array([*MISSING, *(token.strip() for token in dialect.missing)])
    characters = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    if (
        (characters <= ord(" ")) | (characters >= 0x80)
    ).any():  # most columns hold no blank: it saves a third of the time
        column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(column, missing), pa.scalar(None, column.type), column)
