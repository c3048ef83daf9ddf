"""Rows written again, with columns added: in the form in which they came, or as delimited text."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from mltrain.data.sources import source_of
from mltrain.data.sources.csv import CsvSource
from mltrain.data.sources.jsonl import JsonlSource
from mltrain.data.sources.npz import NpzSource
from mltrain.data.sources.parquet import ParquetSource
from mltrain.data.streams.arrays import ArraysStream
from mltrain.data.streams.block import RowStream
from mltrain.data.streams.images import ImagesStream
from mltrain.data.streams.json_lines import LINE, JsonLinesStream
from mltrain.errors import DataError, UsageError

Write = Callable[[bytes], object]


class Output(Protocol):
    """Where rows are written."""

    def write(self, kept: pa.Table, added: pa.Table) -> None:
        """Write rows: their columns as they came, and those that are added."""


def check_ending(out: Path, data: Path | None, *, images: bool = False) -> None:
    """Refuse a name whose ending is not that of the data, nor that of a delimited text; of images, that of arrays.

    Raises:
        UsageError: says which endings there are.
        DataError: the ending of the data is not known at all.
    """
    try:
        source_of(out)
    except DataError as error:
        raise UsageError(f"--out {error}") from error
    if images:
        if isinstance(source_of(out), NpzSource):
            raise UsageError(
                f"--out {out}: images are not written to the output; use a file name *.csv, *.parquet or *.jsonl"
            )
        return
    came: type = CsvSource if data is None else type(source_of(data))
    asked = type(source_of(out))
    if asked is not came and (asked is not CsvSource or came is JsonlSource):
        same = ".csv" if data is None else "".join(data.suffixes[-2:] if data.suffix == ".gz" else data.suffixes[-1:])
        other = "" if came in (CsvSource, JsonlSource) else ", or .csv"
        raise UsageError(f"--out {out}: the output has the format of the input; use a file name *{same}{other}")


def is_delimited(out: Path) -> bool:
    """Return whether a file of that name holds delimited text."""
    return isinstance(source_of(out), CsvSource)


@contextmanager
def open_output(sink: io.RawIOBase, path: Path, stream: RowStream) -> Iterator[Output]:
    """Write rows into a file of that name.

    Args:
        sink: where the bytes go.
        path: its ending says the form; see `check_ending`.
        stream: where the rows come from.
    """
    if path.name.lower().endswith(".gz"):
        # No time and no name in it: equal rows give equal bytes.
        with gzip.GzipFile("", "wb", fileobj=cast("IO[bytes]", sink), mtime=0) as packed:
            yield text_output(packed.write, stream, _separator(path))
        return
    if isinstance(source_of(path), JsonlSource) and isinstance(stream, ImagesStream):
        yield _JsonRows(sink.write)
    elif isinstance(source_of(path), CsvSource | JsonlSource):
        yield text_output(sink.write, stream, _separator(path))
    elif isinstance(source_of(path), ParquetSource):
        yield from _parquet(sink)
    else:
        yield from _arrays(sink, cast(ArraysStream, stream).archive)


def text_output(write: Write, stream: RowStream, delimiter: str = ",") -> Output:
    """Return the output that writes text: JSON Lines where the rows came so, else delimited text."""
    if isinstance(stream, JsonLinesStream):
        return _JsonLines(write)
    return _Delimited(write, delimiter, stream.left_out_of_text)


def _separator(path: Path) -> str:
    source = source_of(path)
    return source.separator if isinstance(source, CsvSource) else ","


class _Delimited:
    def __init__(self, write: Write, delimiter: str, left_out: Sequence[str]) -> None:
        self._write, self._delimiter, self._left_out = write, delimiter, set(left_out)
        self._begun = False

    def write(self, kept: pa.Table, added: pa.Table) -> None:
        columns = {name: kept.column(name) for name in kept.column_names if name not in self._left_out}
        columns |= {name: added.column(name) for name in added.column_names}
        if not self._begun:
            self._lines([pa.array([name]) for name in columns])
            self._begun = True
        self._lines([_texts(column.combine_chunks()) for column in columns.values()])

    def _lines(self, columns: list[pa.Array]) -> None:
        # pyarrow's own writer puts every text in quotes, whether it needs them or not.
        *first, last = [_quoted(column, self._delimiter) for column in columns]
        ended = pc.binary_join_element_wise(last, "", "\n")
        lines = pc.binary_join_element_wise(*first, ended, self._delimiter)
        self._write(pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "")[0].as_buffer().to_pybytes())


def _texts(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return pc.fill_null(column.cast(pa.string()), "")


def _quoted(column: pa.Array, delimiter: str) -> pa.Array:
    special = re.compile(b'["\r\n' + re.escape(delimiter.encode()) + b"]")
    characters = column.buffers()[2]
    if characters is None or not special.search(characters):
        return column
    needs = pc.match_substring_regex(column, special.pattern.decode())
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), column)


class _JsonLines:
    """The lines stay as they are, to the last character, but for the keys that are added at their end."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def write(self, kept: pa.Table, added: pa.Table) -> None:
        parts: list[pa.Array | str] = []
        for name, column in zip(added.column_names, added.columns, strict=True):
            parts += [f"{', ' if parts else ''}{json.dumps(name, ensure_ascii=False)}: ", _json_values(column)]
        ends = pc.binary_join_element_wise(*parts, "}\n", "").cast(pa.binary()).to_pylist()
        lines = []
        for line, end in zip(kept.column(0).to_pylist(), ends, strict=True):
            begun = line[:-1].rstrip()  # without the brace
            lines += [begun, b"" if begun == b"{" else b", ", end]
        self._write(b"".join(lines))


class _JsonRows(_JsonLines):
    """Rows that did not come as lines."""

    def write(self, kept: pa.Table, added: pa.Table) -> None:
        lines = [json.dumps(row, ensure_ascii=False).encode() for row in kept.to_pylist()]
        super().write(pa.table({LINE: pa.array(lines, pa.binary())}), added)


def _json_values(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if not pa.types.is_string(array.type):
        return array.cast(pa.string())
    texts = array.dictionary_encode()
    quoted = pa.array([json.dumps(text, ensure_ascii=False) for text in texts.dictionary.to_pylist()], pa.string())
    return quoted.take(texts.indices)


class _Parquet:
    def __init__(self, sink: io.RawIOBase) -> None:
        self._sink = sink
        self.writer: parquet.ParquetWriter | None = None

    def write(self, kept: pa.Table, added: pa.Table) -> None:
        table = kept
        for field, column in zip(added.schema, added.columns, strict=True):
            table = table.append_column(field, column)
        if self.writer is None:
            self.writer = parquet.ParquetWriter(self._sink, table.schema)
        self.writer.write_table(table)


def _parquet(sink: io.RawIOBase) -> Iterator[Output]:
    output = _Parquet(sink)
    try:
        yield output
    finally:
        if output.writer is not None:  # else it would be closed, and written to, whenever it is collected
            output.writer.close()


class _Arrays:
    def __init__(self) -> None:
        self.added: list[pa.Table] = []

    def write(self, kept: pa.Table, added: pa.Table) -> None:
        self.added.append(added)


def _arrays(sink: io.RawIOBase, archive: zipfile.ZipFile) -> Iterator[Output]:
    """An archive holds whole arrays, one after the other: those that are added wait in the memory for their end."""
    output = _Arrays()
    yield output
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w") as written:
        for member in archive.infolist():
            entry = zipfile.ZipInfo(member.filename)  # of 1980: equal rows give equal bytes
            entry.compress_type = member.compress_type
            with archive.open(member, "r") as came, written.open(entry, "w", force_zip64=True) as goes:
                while data := came.read(1 << 20):
                    goes.write(data)
        added = pa.concat_tables(output.added)
        for name in added.column_names:
            array = added.column(name).to_numpy()
            array = array.astype(str) if array.dtype.hasobject else array
            with written.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as goes:
                np.lib.format.write_array(goes, array, allow_pickle=False)
