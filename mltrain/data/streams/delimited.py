"""Delimited text in blocks: each is cut where a record ends, and read as a whole file is."""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from mltrain.data.files.column_types import ColumnPlace
from mltrain.data.files.delimited import check_lengths
from mltrain.data.files.delimited_faults import csv_fault, quotes_in_order, records
from mltrain.data.files.delimited_header import header
from mltrain.data.files.delimited_text import BLOCK_BYTES, Dialect, count_lines, end_of_line, text_columns
from mltrain.data.files.text_columns import TextColumns
from mltrain.data.files.text_encoding import check_characters, is_utf8, refuse_binary, undecodable
from mltrain.data.streams.block import Block, Wanted
from mltrain.data.table import Origin, Table
from mltrain.errors import DataError


@dataclass(frozen=True)
class TextPart:
    """Whole lines, or whole records, of a text.

    Attributes:
        text: as UTF-8.
        first_line: the number of its first line, from 1.
    """

    text: bytes
    first_line: int


@dataclass(frozen=True)
class _PartOrigin(Origin):
    part: TextPart
    delimiter: str
    row_is_line: bool

    def place(self, row: int) -> str:
        line = self.part.first_line + row
        if not self.row_is_line:  # blank lines, or line ends in quotes
            rows = records(self.part.text, self.delimiter, self.part.first_line)
            line = next(itertools.islice(rows, row, None)).line
        return f"{self.name}:{line}"


class DelimitedStream:
    """A delimited text with a header line.

    Args:
        file: what is read.
        name: of it, for messages.
        dialect: how it is written.
        wanted: what is looked for.
        size: so many bytes are read at a time.
    """

    left_out_of_text: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    reserved: frozenset[str] = frozenset()

    def __init__(self, file: BinaryIO, name: str, dialect: Dialect, wanted: Wanted, size: int = BLOCK_BYTES) -> None:
        self._file, self._name, self._dialect, self._wanted, self._size = file, name, dialect, wanted, size
        self._reader = TextColumns(dialect)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; see `RowStream`."""
        names: list[str] = []
        rows = 0
        decode = _decoder(self._name, self._dialect)
        for part in text_parts(self._file, self._name, self._cut, self._size, decode):
            check_characters(self._name, part.text, self._dialect.encoding, part.first_line, options=True)
            body = part
            if not names:
                names, header_lines = header(self._name, part.text, self._dialect, self._wanted.targets)
                place = f"{self._name}:{max(header_lines, 1)}"
                self._wanted.check(place, names, self._advice(names))
                self.names = tuple(names)
                body = TextPart(part.text[end_of_line(part.text, header_lines) :], header_lines + 1)
            block = self._block(body, names)
            rows += len(block.kept)
            if len(block.kept):
                yield block
        if not rows:
            raise DataError(f"{self._name}: the file has a header and no rows")

    def _block(self, part: TextPart, names: list[str]) -> Block:
        columns = text_columns(self._name, part.text, names, self._dialect.delimiter, first_line=part.first_line)
        origin = _PartOrigin(self._name, part, self._dialect.delimiter, count_lines(part.text) == len(columns[0]))
        typed = {}
        for name, column in zip(names, columns, strict=True):
            where = ColumnPlace(
                name, origin.place, missing_key=True, options=True, in_part=True, delimiter=self._dialect.delimiter
            )
            if name in self._wanted.kinds:
                check_lengths(column, where)
                typed[name] = self._reader.typed(column, where, self._wanted.kinds[name])
        taken = self._reader.missing.sentences(options=True)
        return Block(Table(typed, origin, "", taken_as_missing=taken), pa.table(columns, names))

    def _advice(self, names: list[str]) -> str:
        other = next((mark for mark in ";\t|," if len(names) == 1 and mark in names[0]), None)
        if other is not None:
            return f"; pass --delimiter {other!r}"
        return "" if self._dialect.columns else "; if the file has no header, pass --columns name1,name2,…"

    def _cut(self, text: bytes, first_line: int, may_grow: bool) -> int:
        end = _end_of_records(text, self._dialect.delimiter)
        if not end and not may_grow:
            try:
                next(records(text, self._dialect.delimiter, first_line))
            except csv.Error as error:
                raise csv_fault(self._name, error) from error
        return end


def text_parts(
    file: BinaryIO,
    name: str,
    cut: Callable[[bytes, int, bool], int],
    size: int,
    decode: Callable[[bytes, bool, int], bytes] = lambda data, ended, line: data,
) -> Iterator[TextPart]:
    """Yield a text in parts that end where `cut` says.

    Args:
        file: what is read.
        name: of it, for messages.
        cut: from a text, the number of its first line, and whether more of it may be read: where the last whole record
            ends, 0 for nowhere.
        size: so many bytes are read at a time; a record may have twice as many.
        decode: from bytes, whether they are the last, and the number of their first line: UTF-8.

    Raises:
        DataError: nothing is there, or a record is too long.
    """
    rest, line, begun, found = b"", 1, False, False
    while data := file.read(size):
        text = rest + decode(data, False, line + count_lines(rest))
        if not begun:
            refuse_binary(name, data)
            text, begun = text.removeprefix(codecs.BOM_UTF8), True
        may_grow = len(text) < 2 * size
        end = cut(text, line, may_grow)
        if not end and not may_grow:
            raise DataError(f"{name}:{line}: a row of more than {len(text) // 2} bytes; is this a table?")
        part, rest = text[:end], text[end:]
        if part.strip():
            yield TextPart(part, line)
            found = True
        line += count_lines(part)
    rest += decode(b"", True, line + count_lines(rest))
    if rest.strip():
        yield TextPart(rest, line)
    elif not found:
        raise DataError(f"{name}: the file is empty")


def _end_of_records(text: bytes, delimiter: str) -> int:
    """Return where the last record that is whole for certain ends; 0 for nowhere."""
    if b'"' in text:
        characters = np.frombuffer(text, np.uint8)
        ends, quotes = np.flatnonzero(characters == ord("\n")), np.flatnonzero(characters == ord('"'))
        outside = ends[np.searchsorted(quotes, ends) % 2 == 0]  # as many quotes opened as closed
        end = int(outside[-1]) + 1 if len(outside) else 0
        if end and quotes_in_order(text[:end], delimiter):
            return end
    elif end := text.rfind(b"\n") + 1:
        return end
    # Quotes that are just characters, or lines that end in \r: Python's csv module is exact, and twenty times slower.
    last_line = before = 0
    with suppress(csv.Error):
        for record in records(text, delimiter):
            before, last_line = last_line, record.last_line
    return end_of_line(text, before)


def _decoder(name: str, dialect: Dialect) -> Callable[[bytes, bool, int], bytes]:
    encoding = dialect.encoding
    if is_utf8(encoding):
        return lambda data, ended, line: data
    decoder = codecs.getincrementaldecoder(encoding)()

    def decode(data: bytes, ended: bool, line: int) -> bytes:
        try:
            return decoder.decode(data, ended).encode()
        except UnicodeError as error:
            rest = getattr(error, "object", data)
            raise undecodable(name, rest, encoding, error, max(line, 1), options=True) from error

    return decode
