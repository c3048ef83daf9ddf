"""The example store: named columns that are indexed by row.

Whatever the source, examples become a `Table`; splits, folds and batches are row numbers into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from mltrain.errors import DataError
from mltrain.spec import suggest
from mltrain.task import Decision, SplitName, Task

# A pyarrow array of string, int64, float64, bool, timestamp("us"), or timestamp("us", "UTC") of times that came with a
# zone, where null is a missing value and NaN never is; of type null where nobody needs the column. Or a NumPy array of
# numbers with rank >= 2 whose first axis is the rows: images, sequences, matrices.
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
class FileImages:
    """That the arrays of a column were read from image files.

    Attributes:
        blank: (rows,): whether a row has no file, and a black image instead.
        missing: what is done with a row that has no file.
        reason: why the column was taken for one of image files; empty where it was stated.
    """

    blank: np.ndarray
    missing: Literal["error", "blank"]
    reason: str = ""


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
        absent_is_missing: whether a column that is not there means that it has no value in any row, as in JSON Lines.
        images: what is known of the columns whose arrays were read from image files, by name.
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
    absent_is_missing: bool = False
    images: Mapping[str, FileImages] = field(default_factory=dict)

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
        images = {name: replace(each, blank=each.blank[indices]) for name, each in self.images.items()}
        return replace(self, columns=_TakenColumns(self.columns, indices), origin=origin, given=(), images=images)


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


def with_missing(table: Table, names: Iterable[str]) -> Table:
    """Return the table with these columns, too, without a value in any row."""
    added = {name: pa.nulls(len(table)) for name in names}
    return replace(table, columns={**table.columns, **added}) if added else table


def absent_sentences(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Return what to say of columns that are not there, in a table where that means a missing value."""
    others = [name for name in table.columns if name not in names]
    return tuple(
        f"{table.origin.name}: no line has the key {name!r}{suggest(name, others)}; all rows count as missing"
        for name in names
    )


def is_index_name(name: str) -> bool:
    """Return whether pandas gives this name to a row index without one, when it writes a Parquet file."""
    return re.fullmatch(r"__index_level_\d+__", name) is not None


def is_unread(column: Column) -> bool:
    """Return whether a column is one that nobody needs, whose values were not read."""
    return isinstance(column, pa.Array) and bool(pa.types.is_null(column.type))
