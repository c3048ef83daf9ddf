"""Files whose rows are read in blocks, as `predict` needs it: one file a kind, and the way from a name to its kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mltrain.data.delimited_text import Dialect
from mltrain.data.files import open_data_file
from mltrain.data.sources import source_of
from mltrain.data.sources.csv import CsvSource
from mltrain.data.sources.jsonl import JsonlSource
from mltrain.data.sources.parquet import ParquetSource
from mltrain.data.streams.arrays import ArraysStream
from mltrain.data.streams.block import RowStream, Wanted
from mltrain.data.streams.delimited import DelimitedStream
from mltrain.data.streams.json_lines import JsonLinesStream
from mltrain.data.streams.parquet import ParquetStream
from mltrain.problems import printable


@contextmanager
def open_rows(path: Path | None, wanted: Wanted, like: Any = None) -> Iterator[RowStream]:
    """Open a file whose name says what it is, or the CSV on standard input.

    Args:
        path: of the file; None for standard input.
        wanted: what is looked for in it.
        like: the source of the training data; a file of its kind is read with its settings (delimiter, missing, …).

    Raises:
        DataError: the ending is none that is known, or the file cannot be read.
    """
    if path is None:
        like = like if isinstance(like, CsvSource) else None
        dialect = Dialect(like.separator, like.missing, like.encoding) if like else Dialect(",")
        yield DelimitedStream(sys.stdin.buffer, "stdin", dialect, wanted)
        return
    source, name = source_of(path, like), printable(path.name)
    with open_data_file(path) as file:
        if isinstance(source, CsvSource):
            yield DelimitedStream(file, name, Dialect(source.separator, source.missing, source.encoding), wanted)
        elif isinstance(source, JsonlSource):
            yield JsonLinesStream(file, name, source.missing, wanted)
        elif isinstance(source, ParquetSource):
            yield ParquetStream(file, name, wanted)
        else:
            yield ArraysStream(file, name, source.arrays or {}, wanted)
