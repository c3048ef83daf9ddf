"""Files whose rows are read in blocks, as `predict` needs it: one file a kind, and the way from a name to its kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mltrain.data.files.delimited_text import Dialect
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.files.opening import open_data_file
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
def open_rows(
    path: Path | None, wanted: Wanted, like: Any = None, options: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[RowStream]:
    """Open a file whose name says what it is, or the CSV on standard input.

    Args:
        path: of the file; None for standard input.
        wanted: what is looked for in it.
        like: the source of the training data, as for `read_file`.
        options: what was stated of this file, as for `read_file`.

    Raises:
        UsageError: as `read_file`.
        DataError: the ending is none that is known, or the file cannot be read.
    """
    if path is None:
        how = source_of(Path("stdin.csv"), like, options)
        dialect = how.dialect(options=True) if isinstance(how, CsvSource) else Dialect(",")
        if isinstance(like, CsvSource) and isinstance(how, CsvSource) and not how.delimiter:
            dialect = replace(dialect, delimiter=like.separator)
        yield DelimitedStream(sys.stdin.buffer, "stdin", dialect, wanted)
        return
    source, name = source_of(path, like, options), printable(path.name)
    missing = MissingValues(source.missing, source.usual_missing)
    with open_data_file(path) as file:
        if isinstance(source, CsvSource):
            yield DelimitedStream(file, name, source.dialect(options=True), wanted)
        elif isinstance(source, JsonlSource):
            yield JsonLinesStream(file, name, missing, wanted)
        elif isinstance(source, ParquetSource):
            yield ParquetStream(file, name, wanted, missing)
        else:
            yield ArraysStream(file, name, source.arrays or {}, wanted, missing)
