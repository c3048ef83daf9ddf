"""Parquet in blocks of rows: a row group need not fit into the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from mltrain.data.files.column_types import ColumnPlace
from mltrain.data.files.column_values import typed_column
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.files.opening import check_unpacked_size
from mltrain.data.files.parquet import leaves_of, unfolded_size
from mltrain.data.files.parquet_footer import stated_values
from mltrain.data.streams.block import Block, PartOrigin, Wanted
from mltrain.data.table import Table
from mltrain.errors import DataError

# A block has about so many bytes, by what the footer says of a row; and not so few rows that each takes long.
_BLOCK_BYTES, _FEWEST_ROWS, _MOST_ROWS = 16 * 2**20, 256, 1 << 17
_READ_BYTES = 1 << 20


class ParquetStream:
    """A Parquet file.

    Args:
        file: what is read.
        name: of it, for messages.
        wanted: what is looked for.
        missing: texts and numbers that mean "no value".
        rows: of a block; None for as many as its size suggests.
    """

    reserved: frozenset[str] = frozenset()

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        wanted: Wanted,
        missing: MissingValues | None = None,
        rows: int | None = None,
    ) -> None:
        self._name, self._wanted, self._missing = name, wanted, missing or MissingValues()
        file.seek(0, 2)
        self._bytes = file.tell()
        try:
            head = parquet.ParquetFile(file)
            self.schema: pa.Schema = head.schema_arrow
            leaves = leaves_of(name, head)
            if any(leaf.max_repetition_level for leaf in leaves):  # a row of a list column is any number of values
                check_unpacked_size(name, self._bytes, 8 * sum(stated_values(_footer(file, self._bytes))))
            # Texts as dictionaries: a text that stands in the file once can be repeated a billion times by a few bytes.
            texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
            self._file = parquet.ParquetFile(file, read_dictionary=texts, buffer_size=_READ_BYTES, pre_buffer=False)
            self._rows = rows or _rows_of_a_block(head.metadata)
        except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
            raise self._damaged(error) from error
        self.names = tuple(self.schema.names)
        wanted.check(name, self.names)

    @property
    def left_out_of_text(self) -> tuple[str, ...]:
        """Columns of lists and other nested values, and of bytes."""
        types = pa.types
        return tuple(
            field.name
            for field in self.schema
            if types.is_nested(field.type) or types.is_binary(field.type) or types.is_large_binary(field.type)
        )

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; see `RowStream`."""
        first = 0
        batches = self._file.iter_batches(self._rows)
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                check_unpacked_size(
                    self._name, self._bytes, sum(unfolded_size(pa.chunked_array([each])) for each in batch.columns)
                )
                batch.validate(full=True)  # texts may be no UTF-8
                kept = pa.Table.from_batches([batch]).cast(self.schema)
            except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
                raise self._damaged(error) from error
            origin = PartOrigin(self._name, first)
            columns = {
                name: typed_column(
                    self._missing.of_typed(name, pa.concat_arrays(kept.column(name).chunks)),
                    ColumnPlace(name, origin.place, missing_key=True, options=True, in_part=True),
                    self._kinds[name],
                )
                for name in self._kinds
            }
            yield Block(Table(columns, origin, "", taken_as_missing=self._missing.sentences(options=True)), kept)
            first += len(kept)

    @property
    def _kinds(self) -> Mapping[str, str | None]:
        return self._wanted.kinds

    def _damaged(self, error: Exception) -> DataError:
        return DataError(f"{self._name}: not a Parquet file, or it is damaged ({error})")


def _rows_of_a_block(metadata: parquet.FileMetaData) -> int:
    size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    fitting = _BLOCK_BYTES * metadata.num_rows // max(size, 1)
    return max(_FEWEST_ROWS, min(_MOST_ROWS, fitting))


def _footer(file: BinaryIO, size: int) -> bytes:
    """Return the end of the file, from its footer on."""
    file.seek(max(size - 8, 0))
    length = int.from_bytes(file.read(4), "little")
    file.seek(max(size - 8 - length, 0))
    return file.read()
