"""Delimited text in blocks of lines: what is plain and mostly numbers needs no more memory than the numbers.

Texts of numbers are two to five times as large as the numbers. What is not plain (quotes, another encoding, a fault, a
column that is something else further down) is left to the one that reads the file whole: it knows what to say of it.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from mltrain.data.column_settings import AS_WRITTEN, IMAGES
from mltrain.data.files.column_types import may_be_rounded, plain_numbers
from mltrain.data.files.delimited_faults import LONGEST_FIELD
from mltrain.data.files.delimited_header import header
from mltrain.data.files.delimited_text import (
    Dialect,
    Fields,
    count_lines,
    end_of_line,
    fields,
    longest,
    trimmed,
)
from mltrain.data.files.opening import COMPRESSED, open_regular
from mltrain.data.files.text_codes import may_be_codes
from mltrain.data.files.text_columns import TextColumns
from mltrain.data.files.text_encoding import BINARY, is_utf8
from mltrain.problems import printable

BLOCK_BYTES = 4 * 2**20
# Files of other kinds that no text begins with: who reads the file whole says what they are.
_FOREIGN = (*BINARY, *COMPRESSED, b"\x1f\x8b", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TEXTS = ("category", "boolean", "datetime", AS_WRITTEN, IMAGES)


class _Numbers:
    """The values of a column that has held nothing but numbers so far.

    In one array from the first block on: between what is read and let go again, thousands of small ones would keep
    twice their memory busy.

    Args:
        name: of the column.
        rows: how many there will be, about.
        reader: of the columns of the file.
        kind: what the column was declared to be; None where it was not.
    """

    def __init__(self, name: str, rows: int, reader: TextColumns, kind: str | None) -> None:
        self._name, self._reader, self._kind = name, reader, kind
        self._values = np.empty(rows)
        self._rows = 0
        self._whole = True
        self.empty = True

    def add(self, texts: pa.Array) -> bool:
        """Take the next block; return whether it is numbers, too, and all are exact as float64."""
        cleaned = self._reader.cleaned(texts, self._kind)
        numbers = plain_numbers(cleaned)
        if numbers is None or may_be_rounded(numbers) or (self._kind is None and may_be_codes(cleaned)):
            return False
        self._reader.missing.note(self._name, trimmed(texts), numbers)
        last = self._rows + len(numbers)
        if last > len(self._values):
            self._values = np.concatenate([self._values[: self._rows], np.empty(last)])
        self._values[self._rows : last] = numbers.cast(pa.float64()).to_numpy(zero_copy_only=False)
        if numbers.null_count < len(numbers):
            self.empty = False
            self._whole = self._whole and pa.types.is_integer(numbers.type)
        self._rows = last
        return True

    def values(self) -> pa.Array:
        """Return int64 where no number has a fraction, else float64."""
        found = pa.array(self._values[: self._rows], from_pandas=True)  # NaN is null; no number is NaN
        # A column without any value is what `parse_texts` makes of it.
        return found.cast(pa.int64()) if self._whole and not (self.empty and self._kind is None) else found


class _Texts:
    """The values of a column of texts."""

    def __init__(self) -> None:
        self._blocks: list[pa.Array] = []

    def add(self, texts: pa.Array) -> bool:
        """Take the next block; return that it fits."""
        self._blocks.append(texts)
        return True

    def values(self) -> pa.Array:
        """Return the texts."""
        return pa.concat_arrays(self._blocks)


class _Ignored:
    """The rows of a column that nobody needs."""

    def __init__(self) -> None:
        self._rows = 0

    def add(self, texts: pa.Array) -> bool:
        """Take the next block; return that it fits."""
        self._rows += len(texts)
        return True

    def values(self) -> pa.Array:
        """Return a missing value for each row."""
        return pa.nulls(self._rows)


def read_in_blocks(
    path: Path, dialect: Dialect, declared: Mapping[str, str], reader: TextColumns | None = None
) -> Fields | None:
    """Return what a delimited text file holds, or None where it has to be read whole.

    Args:
        path: of the file.
        dialect: how it is written.
        declared: the kind of a column, by name, where it was stated.
        reader: of its columns; None takes a new one.

    Raises:
        DataError: the file is not there, not readable, or changes while it is read; or its header is wrong.
    """
    reader = reader or TextColumns(dialect)
    if path.name.lower().endswith(".gz") or not is_utf8(dialect.encoding) or not reader.plain or dialect.strip:
        return None
    with open_regular(path) as file:
        return _read(file, printable(path.name), dialect, declared, reader)


def _read(
    file: io.BufferedReader, name: str, dialect: Dialect, declared: Mapping[str, str], reader: TextColumns
) -> Fields | None:
    digest, lines = hashlib.sha256(), 0
    names: list[str] = []
    columns: list[_Numbers | _Texts | _Ignored] = []
    ignored: list[bool] = []
    for block in _blocks_of_lines(file):
        digest.update(block)
        body = block if names else block.removeprefix(codecs.BOM_UTF8)
        if not _is_plain(body) or (not names and (body.startswith(_FOREIGN) or not body.strip())):
            return None
        lines += count_lines(body)
        if not names:
            if count_lines(body) <= dialect.skip:
                return None
            names, header_lines = header(name, body, dialect)
            body = body[end_of_line(body, header_lines) :]
            ignored = [declared.get(each) == "ignore" for each in names]
        if not body:
            continue
        texts = _texts(body, ignored, dialect.delimiter)
        if texts is None:
            return None
        if not columns:
            rows = len(texts[0]) * os.fstat(file.fileno()).st_size // len(body) + len(texts[0])
            columns = [_column(each, of, rows, reader, declared.get(of)) for each, of in zip(texts, names, strict=True)]
        if not all(column.add(each) for column, each in zip(columns, texts, strict=True)):
            return None
    if not columns:
        return None
    pa.default_memory_pool().release_unused()  # what the texts of the blocks took
    values = [columns.pop(0).values() for _ in names]
    return Fields(names, values, header_lines, lines, digest.hexdigest())


def _column(
    texts: pa.Array, name: str, rows: int, reader: TextColumns, kind: str | None
) -> _Numbers | _Texts | _Ignored:
    """Return what takes a column, by its first block."""
    if kind == "ignore":
        return _Ignored()
    if kind in _TEXTS:
        return _Texts()
    cleaned = reader.cleaned(texts, kind)
    are_texts = plain_numbers(cleaned) is None or (kind is None and may_be_codes(cleaned))
    return _Texts() if are_texts else _Numbers(name, rows, reader, kind)


def _texts(body: bytes, ignored: Sequence[bool], delimiter: str) -> list[pa.Array] | None:
    """Return the texts of each column of some lines, or None where they are not in order.

    Args:
        body: the lines.
        ignored: whether nobody needs a column, for each of them.
        delimiter: between the fields.
    """
    if b'"' in body:  # a line may go on in the next one; in the header many programs quote names
        return None
    try:
        found = fields(pa.py_buffer(body), len(ignored), delimiter, newlines=False)
    except pa.ArrowInvalid:
        return None
    if any(longest(texts) > LONGEST_FIELD for texts, unused in zip(found, ignored, strict=True) if not unused):
        return None
    return found


def _blocks_of_lines(file: io.BufferedReader) -> Iterator[bytes]:
    """Yield the bytes of a file in whole lines."""
    begun = b""
    while block := file.read(BLOCK_BYTES):
        end = block.rfind(b"\n") + 1
        if end:
            yield begun + block[:end]
            begun = b""
        begun += block[end:]
    if begun:
        yield begun


def _is_plain(text: bytes) -> bool:
    """Return whether these lines are UTF-8, and end as most do."""
    if b"\0" in text or b"\r" in text.replace(b"\r\n", b"\n"):
        return False
    try:
        text.isascii() or text.decode()
    except UnicodeDecodeError:
        return False
    return True
