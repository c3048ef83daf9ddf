"""Delimited text as columns of texts: what a file is written in, its header, its fields."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from mltrain.data.files.delimited_faults import find_fault, quotes_in_order
from mltrain.data.files.missing_keys import UsualMissing
from mltrain.errors import DataError

BLOCK_BYTES = 8 * 2**20  # pyarrow refuses a row that is longer than a block


@dataclass(frozen=True)
class Dialect:
    """How a delimited text is written.

    Attributes:
        delimiter: one character.
        missing: texts that mean "no value".
        encoding: as Python names it.
        usual_missing: whether the usual texts mean "no value", too; see `MissingValues`.
        columns: the names of the columns of a file without a header line; empty where the first line names them.
        skip: the number of lines before the header, or before the first row, that are not read.
        strip: characters that are removed from the end of each text.
        decimal: the decimal point.
        thousands: what stands between the thousands of a number; None for nothing.
        date_format: how dates are written besides ISO 8601; None for no other way.
        options: whether this was stated by options of a command, which messages then name; else by keys of a source.
    """

    delimiter: str
    missing: Sequence[str] = ()
    encoding: str = "utf-8"
    usual_missing: UsualMissing = True
    columns: Sequence[str] = ()
    skip: int = 0
    strip: str = ""
    decimal: str = "."
    thousands: str | None = None
    date_format: str | None = None
    options: bool = False

    def advice(self, key: str, value: str) -> str:
        """Return how to set a key, as a message advises it."""
        return advice(key, value, options=self.options)


def advice(key: str, value: str, *, options: bool) -> str:
    """Return how to set a reading option, as a message advises it: as an option of a command, or as a key."""
    return f"pass --{key.replace('_', '-')} {value}" if options else f"set data.source.{key}: {value}"


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


def text_columns(name: str, text: bytes, names: list[str], delimiter: str, first_line: int = 1) -> list[pa.Array]:
    """Return the texts of each column.

    Args:
        name: of the file.
        text: of records, as UTF-8, without the header.
        names: of the columns.
        delimiter: one character.
        first_line: the number of the line with which `text` begins.

    Raises:
        DataError: a record has too many or too few fields, or a quote is wrong.
    """
    if not quotes_in_order(text, delimiter):
        find_fault(name, text, names, delimiter, first_line)
    if not text:
        return [pa.array([], pa.string()) for _ in names]
    try:
        return fields(pa.py_buffer(text), len(names), delimiter, newlines=b'"' in text)
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


def trimmed(column: pa.Array, strip: str = "") -> pa.Array:
    """Return the texts without the blanks around them, and without the characters of `strip` at their end."""
    characters = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    if (
        (characters <= ord(" ")) | (characters >= 0x80)
    ).any():  # most columns hold no blank: it saves a third of the time
        column = pc.utf8_trim_whitespace(column)
    return pc.utf8_rtrim(column, strip + " ") if strip else column
