"""JSON Lines in blocks. An absent key is a missing value; the lines themselves are kept as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from mltrain.data.files.column_types import ColumnPlace
from mltrain.data.files.column_values import column_of_values
from mltrain.data.files.delimited_text import BLOCK_BYTES
from mltrain.data.files.json_lines import LinesOrigin, json_object
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.streams.block import Block, Wanted
from mltrain.data.streams.delimited import TextPart, text_parts
from mltrain.data.table import Table
from mltrain.errors import DataError
from mltrain.spec import suggest

LINE = "line"  # the one column that is kept


class JsonLinesStream:
    """JSON objects, one a line.

    Args:
        file: what is read.
        name: of it, for messages.
        missing: texts and numbers that mean "no value".
        wanted: what is looked for; a key that is absent is a missing value, however many lines lack it.
        size: so many bytes are read at a time.
    """

    left_out_of_text: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    reserved: frozenset[str] = frozenset()

    def __init__(
        self, file: BinaryIO, name: str, missing: MissingValues, wanted: Wanted, size: int = BLOCK_BYTES
    ) -> None:
        self._file, self._name, self._wanted, self._size = file, name, wanted, size
        self._missing = missing
        self._seen: dict[str, None] = {}

    @property
    def absent(self) -> dict[str, str]:
        """Keys that no line so far has, each with what the message says of a name that is nearly the same."""
        known = [name for name in self._seen if name not in self._wanted.kinds]
        return {name: suggest(name, known) for name in self._wanted.kinds if name not in self._seen}

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; see `RowStream`."""
        for part in text_parts(self._file, self._name, lambda text, line, may_grow: text.rfind(b"\n") + 1, self._size):
            objects, kept, numbers = self._objects(part)
            if not objects:
                continue
            self._seen |= dict.fromkeys(name for row in objects for name in row)
            self.names = tuple(self._seen)
            origin = LinesOrigin(self._name, numbers)
            columns = {
                name: column_of_values(
                    [row.get(name) for row in objects],
                    ColumnPlace(name, origin.place, missing_key=True, options=True, in_part=True),
                    kind,
                    self._missing,
                )
                for name, kind in self._wanted.kinds.items()
            }
            taken = self._missing.sentences(options=True)
            table = Table(columns, origin, "", taken_as_missing=taken)
            yield Block(table, pa.table({LINE: pa.array(kept, pa.binary())}))
        if len(self.absent) == len(self._wanted.kinds):
            self._wanted.check(self._name, list(self._seen))

    def _objects(self, part: TextPart) -> tuple[list[dict[str, Any]], list[bytes], list[int]]:
        objects, kept, numbers = [], [], []
        for number, line in enumerate(part.text.split(b"\n"), start=part.first_line):
            if not line.strip():
                continue
            row = json_object(line, f"{self._name}:{number}")
            if not self.reserved.isdisjoint(row):
                taken = next(name for name in row if name in self.reserved)
                raise DataError(
                    f"{self._name}:{number}: the row has a key {taken!r}, and so is a new column called; "
                    "give the new columns other names: --prefix TEXT"
                )
            objects.append(row)
            kept.append(line.strip())
            numbers.append(number)
        return objects, kept, numbers
