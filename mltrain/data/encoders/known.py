"""Columns that are known in advance, in the steps from a window to its target: (rows, steps, features) out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal, cast

import numpy as np
import pyarrow as pa
from pydantic import Field

from mltrain.aligned import aligned_empty
from mltrain.data.beside_windows import step_name
from mltrain.data.encoders.category import CategoryEncoder, IndexEncoder
from mltrain.data.encoders.column import Encoded, OwnInputEncoder, RawColumn, RawInput, Watched
from mltrain.data.encoders.datetime import DatetimeEncoder
from mltrain.data.encoders.number import NumberEncoder
from mltrain.data.encoders.ordinal import OrdinalEncoder
from mltrain.spec import Many

Part = Annotated[
    NumberEncoder | CategoryEncoder | IndexEncoder | OrdinalEncoder | DatetimeEncoder, Field(discriminator="type")
]


class KnownEncoder(OwnInputEncoder):
    """The known columns of several steps: each step is encoded as a row of a table, by the same encoders."""

    type: Literal["known"] = "known"
    column: str
    """Name of the column that holds the steps, made as `with_steps` says."""
    steps: Annotated[int, Field(ge=2)]
    """How many rows: those after the window, up to that of the target."""
    parts: Annotated[Many[Part], Field(min_length=1)]
    """The encoder of each column."""

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """Steps and encoded columns."""
        return (self.steps, sum(len(part.names) for part in self.parts))

    @property
    def is_index(self) -> bool:
        """Whether one of the columns holds the numbers of categories."""
        return any(part.is_index for part in self.parts)

    @property
    def expects_missing(self) -> bool:
        """No: they are known."""
        return False

    @property
    def watched_as(self) -> tuple[tuple[str, Literal["number", "text"]], ...]:
        """What each column says in the row of the target."""
        return tuple(each for part in self.parts for each in part.watched_as)

    def watched(self, column: RawColumn) -> Iterator[Watched]:
        """Yield the values in the row of the target."""
        rows = len(column.values)
        for part in self.parts:
            yield from part.watched(self._steps(column, part.column, rows, (self.steps - 1,)))

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return those of each column."""
        return {name: kind for part in self.parts for name, kind in part.file_kinds(declared).items()}

    @property
    def raw_inputs(self) -> tuple[RawInput, ...]:
        """What each column has, once for each step."""
        return tuple(replace(raw, shape=(self.steps,)) for part in self.parts for raw in part.raw_inputs)

    def raw(self, column: RawColumn) -> tuple[np.ndarray, ...]:
        """Return each as (rows, steps)."""
        rows = len(column.values)
        every = tuple(range(self.steps))
        flat = [each for part in self.parts for each in part.raw(self._steps(column, part.column, rows, every))]
        return tuple(np.ascontiguousarray(each.reshape(self.steps, rows).T) for each in flat)

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 (rows, steps, columns); of values that no training row has, those in the row of the target are
        counted.

        Raises:
            DataError: a value cannot be encoded.
        """
        rows, first = len(column.values), 0
        values = aligned_empty((rows, *self.encoded_shape), np.float32)
        unknown: dict[str, int] = {}
        for part in self.parts:
            last = first + len(part.names)
            # From the row of the target backwards, so that an error names that row where it can.
            for step in reversed(range(self.steps)):
                encoded = part.encode(self._steps(column, part.column, rows, (step,)))
                values[:, step, first:last] = encoded.values
                if step == self.steps - 1:
                    unknown |= encoded.unknown
            first = last
        return Encoded(values, {}, unknown)

    def _steps(self, column: RawColumn, name: str, rows: int, steps: tuple[int, ...]) -> RawColumn:
        """Return a column in some steps, one step after the other: (steps * rows,)."""
        whole = cast(pa.StructArray, column.values)
        values = pa.concat_arrays([whole.field(step_name(name, step)) for step in steps])
        return replace(column, name=name, values=values, place=lambda row: column.place(row % rows))
