"""What is wrong with a delimited text, and on which line.

pyarrow lets some faults pass (text after a closing quote) and names others without their line. Python's own `csv`
module is exact about both and twenty times slower: it looks only at files that are not plainly in order.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mltrain.errors import DataError

LONGEST_FIELD = 131072  # what is longer is a quote that nobody closed, in a column that is looked at
csv.field_size_limit(2**31 - 1)  # Python's own limit knows no columns


class Record(NamedTuple):
    """A row of the file: the line where it starts (from 1), its fields, and the line where it ends."""

    line: int
    fields: list[str]
    last_line: int


def records(text: bytes, delimiter: str, first_line: int = 1) -> Iterator[Record]:
    """Yield the records of UTF-8 text, the header among them; a blank line is none, here as for pyarrow and pandas.

    Args:
        text: a whole file, or a part that begins with a record.
        delimiter: one character.
        first_line: the number of the line with which `text` begins.

    Raises:
        csv.Error: `line: what is wrong`.
    """
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(text), "utf-8", newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + first_line
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise csv.Error(f"{line}: {error}") from error
        if fields:
            yield Record(line, fields, reader.line_num + first_line - 1)


def quotes_in_order(text: bytes, delimiter: str) -> bool:
    """Return whether each quote opens or closes a whole field, or is doubled inside one, as seen from its neighbours.

    Where it says no, the file may still be in order: a quote in the middle of an unquoted field is just a character.
    """
    if b'"' not in text:
        return True
    characters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(characters == ord('"'))
    if len(quotes) % 2:
        return False
    may_be_beside = np.zeros(256, bool)
    may_be_beside[list(delimiter.encode() + b'\r\n"')] = True
    before = characters[np.maximum(quotes[0::2] - 1, 0)]
    after = characters[np.minimum(quotes[1::2] + 1, len(characters) - 1)]
    return bool(may_be_beside[before].all() and may_be_beside[after].all())


def find_fault(name: str, text: bytes, columns: list[str], delimiter: str, first_line: int = 1) -> None:
    """Raise the error of the first record that is not in order; return when there is none. Arguments as of `records`.

    Raises:
        DataError: a record has too many or too few fields, or a quote is wrong.
    """
    try:
        for record in records(text, delimiter, first_line):
            if len(record.fields) != len(columns):
                known = ", ".join(columns[:8]) + (", …" if len(columns) > 8 else "")
                found = "1 field" if len(record.fields) == 1 else f"{len(record.fields)} fields"
                hint = f"; a field that holds {delimiter!r} must be quoted" if len(record.fields) > len(columns) else ""
                raise DataError(f"{name}:{record.line}: {found}, where the header has {len(columns)} ({known}){hint}")
    except csv.Error as error:
        raise csv_fault(name, error) from error


def csv_fault(name: str, error: csv.Error) -> DataError:
    """Return an error of `records` in words."""
    line, _, reason = str(error).partition(": ")
    if "unexpected end" in reason:
        reason = "a quote that opens in this row is never closed"
    elif "expected after" in reason:
        reason = "text after a closing quote; write a quote inside a quoted field twice"
    return DataError(f"{name}:{line}: {reason}")
