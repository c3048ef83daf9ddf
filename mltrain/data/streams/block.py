"""Rows that come in blocks, so that there may be more of them than the memory holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from mltrain.data.table import Origin, Table
from mltrain.errors import DataError
from mltrain.spec import suggest
from mltrain.wording import counted, listed


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a stream.

    Attributes:
        kinds: the columns that are needed, each with what its texts are to be read as, or None where its type is known.
        targets: columns that the model predicts, which a file without a header may have or not.
    """

    kinds: Mapping[str, str | None]
    targets: tuple[str, ...] = ()

    def check(self, place: str, names: Sequence[str], advice: str = "") -> None:
        """Refuse columns of these names.

        Args:
            place: of the names.
            names: the columns that are there.
            advice: what may help besides.

        Raises:
            DataError: columns that are needed are not there, all of them named.
        """
        absent = [name for name in self.kinds if name not in names]
        if absent:
            columns = "no column" if len(absent) == 1 else f"{counted(len(absent), 'column')} are missing:"
            near = suggest(absent[0], names) if len(absent) == 1 else ""
            known = f"(columns: {listed(names)})"
            message = f"{columns} {', '.join(map(repr, absent))}{near}, which the model needs {known}{advice}"
            raise DataError(f"{place}: {message}")


@dataclass(frozen=True)
class Block:
    """Consecutive rows.

    Attributes:
        table: the columns that are wanted.
        kept: all columns as they came, to be written again; of JSON Lines, one column with the lines.
    """

    table: Table
    kept: pa.Table


@dataclass(frozen=True)
class PartOrigin(Origin):
    """Rows of a file from some row on.

    Attributes:
        first: the number of the first, from 0.
    """

    first: int

    def place(self, row: int) -> str:
        """Return `mnist.npz[17]`, counted in the whole file."""
        return f"{self.name}[{self.first + row}]"


class RowStream(Protocol):
    """A file, or standard input, that is read once.

    Attributes:
        names: of its columns; of text they are known once the first block is read.
        reserved: names of columns that are added, which no later row may have as a key.
    """

    names: tuple[str, ...]
    reserved: frozenset[str]

    @property
    def left_out_of_text(self) -> tuple[str, ...]:
        """Columns that cannot be written as text: arrays, and what is nested."""

    def blocks(self) -> Iterator[Block]:
        """Yield all rows in their order, at least one; raises DataError with the place of what is wrong."""
