"""Delimited text as columns of texts: what a file is written in, its header, its fields."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from mltrain.data.delimited_faults import csv_fault, find_fault, quotes_in_order, records
from mltrain.errors import DataError

# The texts that pandas reads as "no value", so that a file means the same here.
MISSING = (
    *("", "NA", "N/A", "n/a", "<NA>", "#NA", "#N/A", "#N/A N/A", "null", "NULL", "None", "nan", "NaN", "-nan", "-NaN"),
    *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
BLOCK_BYTES = 8 * 2**20  # pyarrow refuses a row that is longer than a block


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


@dataclass(frozen=True)
class Fields:
    """What is in a delimited text.

    Attributes:
        names: of the columns.
        columns: texts as they are; of numbers int64 or float64 where that is known already.
        header_lines: of the header.
        lines: of the file.
        sha256: of its bytes.
    """

    names: list[str]
    columns: list[pa.Array]
    header_lines: int
    lines: int
    sha256: str


def header(name: str, text: bytes, delimiter: str) -> tuple[list[str], int]:
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
        return fields(body, len(names), delimiter, newlines=b'"' in text)
    except pa.ArrowInvalid as error:
        find_fault(name, text, names, delimiter, first_line)
        raise DataError(f"{name}: not readable as delimited text: {error}") from error


def fields(body: pa.Buffer, columns: int, delimiter: str, *, newlines: bool) -> list[pa.Array]:
    """Return the texts of each column of lines without a header.

    Args:
        body: the lines, UTF-8.
        columns: how many each has.
        delimiter: between them.
        newlines: whether there may be line ends inside of fields.

    Raises:
        pa.ArrowInvalid: a line has another number of fields.
    """
    # pyarrow takes its column names as text that need not be unique; numbers keep them out of the way.
    names = [str(number) for number in range(columns)]

    def read(block_size: int) -> pa.Table:
        return arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=block_size),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=newlines),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )

    try:
        table = read(BLOCK_BYTES)
    except pa.ArrowInvalid as error:
        if "straddling" not in str(error):
            raise
        table = read(min(body.size + 1, 2**31 - 1))  # a row is longer than a block
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


def count_lines(text: bytes) -> int:
    """Return the number of lines, which end in \\n, \\r\\n or \\r; the last one need not end."""
    ends = text.count(b"\n") + (text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0)
    return ends + (bool(text) and not text.endswith((b"\n", b"\r")))


def longest(column: pa.Array) -> int:
    """Return how many bytes the longest text has."""
    return pc.max(pc.binary_length(column)).as_py() or 0


def missing_texts(dialect: Dialect) -> pa.Array:
    """Return the texts that mean "no value"."""
    return pa.array([*MISSING, *(token.strip() for token in dialect.missing)])


def cleaned(column: pa.Array, missing: pa.Array) -> pa.Array:
    """Return the texts without the blanks around them, and null for those that mean "no value"."""
    characters = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    if (
        (characters <= ord(" ")) | (characters >= 0x80)
    ).any():  # most columns hold no blank: it saves a third of the time
        column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(column, missing), pa.scalar(None, column.type), column)
