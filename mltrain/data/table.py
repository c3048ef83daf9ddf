"""The example store: named columns that are indexed by row.

Whatever the source, examples become a `Table`; splits, folds and batches are row numbers into it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.files.column_types import TIMESTAMP, ZONED
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


def join(parts: Mapping[SplitName, Table], needed: Collection[str] = ()) -> Table:
    """Return the rows of several tables as one, which says in `given` whose rows are which.

    Args:
        parts: the rows of each split.
        needed: columns that the config names. Of the others, those that the training rows do not have are left out.

    Raises:
        DataError: the tables do not have the same columns, or a column is of another kind in one of them.
    """
    tables = _with_equal_columns(list(parts.values()), needed if "train" in parts else None)
    digests = "".join(table.sha256 for table in tables)
    return replace(
        stacked(tables),
        sha256=hashlib.sha256(digests.encode()).hexdigest(),
        given=tuple((name, len(table)) for name, table in parts.items()),
        decisions=tuple(decision for table in tables for decision in table.decisions),
    )


def _with_equal_columns(tables: list[Table], needed: Collection[str] | None) -> list[Table]:
    """Return the tables with all columns in each: what one lacks is missing, where it may be absent or is ignored; what
    only the held-out rows have is left out, if it is not needed. With None as `needed` no column is left out.

    Raises:
        DataError: a column is not there.
    """
    first, *_ = given = tables
    if needed is not None and not first.absent_is_missing:
        tables = [first, *(_without(table, first, needed) for table in given[1:])]
    owners = {name: table for table in reversed(tables) for name in table.columns}
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    made = []
    for table, whole in zip(tables, given, strict=True):
        lacking = [name for name in names if name not in table.columns]
        absent = [name for name in lacking if not is_unread(owners[name].columns[name]) and not is_index_name(name)]
        if absent and not table.absent_is_missing:
            near, owner = suggest(absent[0], whole.columns), owners[absent[0]].origin.name
            raise DataError(f"{table.origin.name}: no column {absent[0]!r}{near}, which {owner} has")
        said = tuple(Decision("data", "missing values", text) for text in absent_sentences(table, absent))
        made.append(replace(with_missing(table, lacking), decisions=(*table.decisions, *said)))
    return made


def _without(table: Table, train: Table, needed: Collection[str]) -> Table:
    """Return held-out rows without the columns that the training rows do not have, and say which these are."""
    extra = [name for name in table.columns if name not in train.columns and name not in needed]
    extra = [name for name in extra if not is_index_name(name)]
    if not extra or len(extra) == len(table.columns):
        return table
    which = f"column {extra[0]!r}" if len(extra) == 1 else f"columns {', '.join(map(repr, extra))}"
    reason = f"{train.origin.name}, which has the training rows, does not have {'it' if len(extra) == 1 else 'them'}"
    said = Decision("data", f"without {which} of {table.origin.name}", reason)
    columns = {name: column for name, column in table.columns.items() if name not in extra}
    return replace(table, columns=columns, decisions=(*table.decisions, said))


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
    images = {
        name: replace(each, blank=np.concatenate([table.images[name].blank for table in tables]))
        for name, each in first.images.items()
        if all(name in table.images for table in tables)
    }
    return replace(first, columns=columns, origin=origin, taken_as_missing=taken, images=images)


def _concatenated(name: str, tables: list[Table]) -> Column:
    columns: list[Any] = [table.columns[name] for table in tables]
    kinds = [_kind(column) for column in columns]
    if len(set(kinds)) > 1:  # an array of one number per row fits a column of numbers
        columns = list(map(_as_single, columns))
        kinds = [_kind(column) for column in columns]
    found = list(dict.fromkeys(kind for kind in kinds if kind))
    if set(found) == {"int64", "string"} and _are_codes(columns):
        return pa.concat_arrays([column.cast(pa.string()) for column in columns])
    if len(found) > 1 and set(found) != {"int64", "double"}:  # whole numbers fit the fractions of another file
        one, other = (tables[kinds.index(kind)].origin.name for kind in found[:2])
        if set(found) == {str(TIMESTAMP), str(ZONED)}:
            with_zone, without = (one, other) if found[0] == str(ZONED) else (other, one)
            raise DataError(
                f"{other}: column {name!r}: the times have a time zone in {with_zone} and none in {without}; "
                "write all of them with their zone, or all without"
            )
        raise DataError(
            f"{other}: column {name!r} is {found[1]} there and {found[0]} in {one}; "
            f"correct the file, or declare data.features.{name}"
        )
    empty = next((table for table, kind in zip(tables, kinds, strict=True) if kind is None), None)
    if any(isinstance(column, np.ndarray) for column in columns):
        if empty is not None:
            raise DataError(f"{empty.origin.name}: column {name!r} has no value; expected an array in every row")
        return np.concatenate(columns)
    if all(map(is_unread, columns)):
        return pa.nulls(sum(map(len, columns)))
    arrow_type = pa.float64() if len(found) != 1 else columns[kinds.index(found[0])].type
    return pa.concat_arrays(
        [
            column.cast(arrow_type) if kind is not None else pa.nulls(len(column), arrow_type)
            for column, kind in zip(columns, kinds, strict=True)
        ]
    )


def _as_single(column: Column) -> Column:
    if isinstance(column, pa.Array) or column.size != len(column):
        return column
    numbers = pa.array(column.reshape(-1))
    whole = pa.types.is_integer(numbers.type)
    return numbers if pa.types.is_boolean(numbers.type) else numbers.cast(pa.int64() if whole else pa.float64())


def _are_codes(columns: list[Any]) -> bool:
    """Return whether all texts are digits: codes such as 01234, of which another file has none with a leading zero."""
    texts = [column for column in columns if not isinstance(column, np.ndarray) and pa.types.is_string(column.type)]
    return all(pc.all(pc.match_substring_regex(column, r"^\d+$")).as_py() is not False for column in texts)


def _kind(column: Column) -> str | None:
    """Return the type of a column in words; None where it has no value, which fits every type."""
    if isinstance(column, np.ndarray):
        return f"{column.dtype} of shape {column.shape[1:]}"
    return str(column.type) if column.null_count < len(column) else None
