"""The rows of several tables one after the other, as one table: those of the splits, or of the blocks of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.files.column_types import TIMESTAMP, ZONED
from mltrain.data.table import Column, Origin, Table, absent_sentences, is_index_name, is_unread, with_missing
from mltrain.errors import DataError
from mltrain.spec import suggest
from mltrain.task import Decision, SplitName


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
