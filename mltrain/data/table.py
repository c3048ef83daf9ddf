"""The example store: named columns that are indexed by row.

Whatever the source, examples become a `Table`; splits, folds and batches are row numbers into it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.errors import DataError
from mltrain.spec import suggest
from mltrain.task import Decision, SplitName, Task

# A pyarrow array of string, int64, float64, bool or timestamp("us"), where null is a missing value and NaN never is; or
# a NumPy array of numbers with rank >= 2 whose first axis is the rows: images, sequences, matrices.
Column: TypeAlias = pa.Array | np.ndarray


@dataclass(frozen=True)
class Origin:
    """Where rows come from, so that a message can say where one is.

    Attributes:
        name: of the file or the source, as `penguins.csv`.
    """

    name: str

    def place(self, row: int) -> str:
        """Return where `row` (from 0) is, as `mnist.npz[17]`: counted from 0, as NumPy and YAML positions are."""
        return f"{self.name}[{row}]"

    def file(self, row: int) -> str:
        """Return the name of the file that `row` is, where each row is one; else an empty text."""
        return ""


@dataclass(frozen=True)
class _TakenOrigin(Origin):
    """Some rows of another origin."""

    whole: Origin
    rows: np.ndarray

    def place(self, row: int) -> str:
        return self.whole.place(int(self.rows[row]))

    def file(self, row: int) -> str:
        return self.whole.file(int(self.rows[row]))


@dataclass(frozen=True)
class _JoinedOrigin(Origin):
    """The rows of several origins, one after the other."""

    parts: tuple[Origin, ...]
    ends: tuple[int, ...]

    def place(self, row: int) -> str:
        part, row = self._part(row)
        return part.place(row)

    def file(self, row: int) -> str:
        part, row = self._part(row)
        return part.file(row)

    def _part(self, row: int) -> tuple[Origin, int]:
        part = int(np.searchsorted(self.ends, row, side="right"))
        return self.parts[part], row - (self.ends[part - 1] if part else 0)


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Attributes:
        columns: in the order of the source.
        origin: says where a row is, for messages.
        sha256: of the data: the bytes of the file, or for made and bundled data names, dtypes, shapes and values.
        task: what the data says is learned from it, or None where it does not say.
        target: the column to predict where the source knows, else None.
        classes: names of the classes 0, 1, … of an integer target where the source knows, else empty.
        given: the splits that the data comes in, as ("train", rows), in the order of the rows; empty when it is one.
        decisions: what was decided while it was read.
        taken_as_missing: what an error on a missing value of a column adds, by name: which texts were taken as such.
    """

    columns: Mapping[str, Column]
    origin: Origin
    sha256: str
    task: Task | None = None
    target: str | None = None
    classes: tuple[str, ...] = ()
    given: tuple[tuple[SplitName, int], ...] = ()
    decisions: tuple[Decision, ...] = ()
    taken_as_missing: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.columns.rows if isinstance(self.columns, _TakenColumns) else len(next(iter(self.columns.values())))

    def column(self, name: str) -> Column:
        """Return one column.

        Raises:
            DataError: there is no such column.
        """
        if name not in self.columns:
            known = ", ".join(list(self.columns)[:12]) + (", …" if len(self.columns) > 12 else "")
            raise DataError(f"{self.origin.name}: no column {name!r}{suggest(name, self.columns)} (columns: {known})")
        return self.columns[name]

    def take(self, indices: np.ndarray) -> Table:
        """Return the rows `indices`, in that order; row places stay those of the source.

        A column is copied when it is asked for, and each time again: all of them together are as large as the rows.
        """
        indices = np.asarray(indices)
        origin = _TakenOrigin(self.origin.name, self.origin, indices)
        return replace(self, columns=_TakenColumns(self.columns, indices), origin=origin, given=())


class _TakenColumns(Mapping[str, Column]):
    """Some rows of columns, copied one column at a time."""

    def __init__(self, whole: Mapping[str, Column], indices: np.ndarray) -> None:
        self._whole = whole
        self._indices = indices
        self.rows = len(indices)

    def __getitem__(self, name: str) -> Column:
        column = self._whole[name]
        return column[self._indices] if isinstance(column, np.ndarray) else column.take(pa.array(self._indices))

    def __contains__(self, name: object) -> bool:
        return name in self._whole  # that of Mapping would copy the column

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


def join(parts: Mapping[SplitName, Table]) -> Table:
    """Return the rows of several tables as one, which says in `given` whose rows are which.

    Raises:
        DataError: the tables do not have the same columns, or a column is of another kind in one of them.
    """
    tables = list(parts.values())
    first = tables[0]
    for table in tables[1:]:
        for one, other in ((first, table), (table, first)):
            lacking = next((name for name in one.columns if name not in other.columns), None)
            if lacking is not None:
                raise DataError(f"{other.origin.name}: no column {lacking!r}, which {one.origin.name} has")
    digests = "".join(table.sha256 for table in tables)
    return replace(
        stacked(tables),
        sha256=hashlib.sha256(digests.encode()).hexdigest(),
        given=tuple((name, len(table)) for name, table in parts.items()),
        decisions=tuple(decision for table in tables for decision in table.decisions),
    )


def stacked(tables: list[Table]) -> Table:
    """Return the rows of tables with the same columns one after the other, as one table.

    Raises:
        DataError: a column is of another kind in one of them.
    """
    first = tables[0]
    columns = {name: _concatenated(name, tables) for name in first.columns}
    ends = tuple(np.cumsum([len(table) for table in tables]))
    origin = _JoinedOrigin(first.origin.name, tuple(table.origin for table in tables), ends)
    taken = {name: said for table in reversed(tables) for name, said in table.taken_as_missing.items()}
    return replace(first, columns=columns, origin=origin, taken_as_missing=taken)


def _concatenated(name: str, tables: list[Table]) -> Column:
    columns: list[Any] = [table.columns[name] for table in tables]
    kinds = [_kind(column) for column in columns]
    found = list(dict.fromkeys(kind for kind in kinds if kind))
    if set(found) == {"int64", "string"} and _are_codes(columns):
        return pa.concat_arrays([column.cast(pa.string()) for column in columns])
    if len(found) > 1 and set(found) != {"int64", "double"}:  # whole numbers fit the fractions of another file
        one, other = (tables[kinds.index(kind)].origin.name for kind in found[:2])
        raise DataError(
            f"{other}: column {name!r} is {found[1]} there and {found[0]} in {one}; "
            f"correct the file, or declare data.features.{name}"
        )
    if isinstance(columns[0], np.ndarray):
        return np.concatenate(columns)
    arrow_type = pa.float64() if len(found) != 1 else columns[kinds.index(found[0])].type
    return pa.concat_arrays([column.cast(arrow_type) for column in columns])


def _are_codes(columns: list[Any]) -> bool:
    """Return whether all texts are digits: codes such as 01234, of which another file has none with a leading zero."""
    texts = [column for column in columns if not isinstance(column, np.ndarray) and pa.types.is_string(column.type)]
    return all(pc.all(pc.match_substring_regex(column, r"^\d+$")).as_py() is not False for column in texts)


def _kind(column: Column) -> str | None:
    """Return the type of a column in words; None where it has no value, which fits every type."""
    if isinstance(column, np.ndarray):
        return f"{column.dtype} of shape {column.shape[1:]}"
    return str(column.type) if column.null_count < len(column) else None
