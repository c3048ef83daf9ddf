"""Which column is to be predicted: the one that was named, or the one that looks most like a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, is_time
from mltrain.data.table import Table
from mltrain.data.target import infer_task
from mltrain.errors import DataError, UsageError
from mltrain.procedures.drafting.column_looks import look_at, words_of
from mltrain.spec import normalise, suggest
from mltrain.wording import listed

# Names that say it, wherever the column is.
_TARGETS = (
    "target",
    "label",
    "labels",
    "outcome",
    "response",
    "classlabel",
    "targetclass",
    "targetvalue",
    "groundtruth",
)
# Names that say it where the column is the first or the last: in the middle, `class` may be that of a ticket.
_AT_AN_END = ("class", "classes", "y", "output", "result")
# What is usually asked about a table with such a column.
_EVENTS = ("survived", "churn", "churned", "exited", "canceled", "cancelled", "fraud", "isfraud", "attrition")
_FINDINGS = ("diagnosis", "species", "quality", "approved", "converted", "clicked", "readmitted", "spam")
# The same, unless the last column holds classes: a price may also be a feature.
_AMOUNTS = ("price", "saleprice", "salary", "mpg", "medv")
# Columns that say which rows are for what: no target, and nothing to learn from.
_OF_SPLITS = ("split", "partition", "fold", "subset")
# More texts than this are classes only where the name of the column says so.
_MOST_CLASSES, _MOST_NAMED_CLASSES = 20, 1000
_MOST_MISSING = 0.5


@dataclass(frozen=True)
class Choice:
    """The column to predict.

    Attributes:
        name: of the column.
        guessed: why it was chosen; empty where it was named.
    """

    name: str
    guessed: str = ""


def named_target(table: Table, target: str) -> Choice:
    """Return the column that was named.

    Raises:
        UsageError: there is no such column; names a similar one, and all.
    """
    if target not in table.columns:
        known = listed(list(table.columns))
        raise UsageError(f"--target: no column {target!r}{suggest(target, table.columns)} (columns: {known})")
    return Choice(target)


def guessed_target(table: Table) -> Choice:
    """Return the column that looks most like a target.

    Raises:
        UsageError: none does; names all columns.
        DataError: there is one column alone.
    """
    names = list(table.columns)
    if len(names) == 1:
        raise DataError(
            f"{table.origin.name}: the file has one column, {names[0]!r}, and a model needs a target and something to "
            "predict it from"
        )
    by_name = {normalise(name): name for name in reversed(names)}
    wanted = [by_name[each] for each in _TARGETS if each in by_name]
    wanted += [name for name in names if "target" in (words_of(name)[:1] + words_of(name)[-1:])]
    wanted += [name for name in (names[-1], names[0]) if normalise(name) in _AT_AN_END]
    wanted += [by_name[each] for each in (*_EVENTS, *_FINDINGS) if each in by_name]
    if not (_can_be_target(table, names[-1]) and _holds_texts(table, names[-1])):
        wanted += [by_name[each] for each in _AMOUNTS if each in by_name]
    for name in wanted:
        if _can_be_target(table, name, _MOST_NAMED_CLASSES):
            return Choice(name, f"a column of the name {name!r} usually is the target")
    for name in reversed(names):
        if _can_be_target(table, name):
            return Choice(name, f"{'the last column' if name == names[-1] else 'the last column that can be one'}")
    raise UsageError(
        f"{table.origin.name}: no column looks like a target; name the one to predict with --target "
        f"(columns: {listed(names)})"
    )


def _can_be_target(table: Table, name: str, most_classes: int = _MOST_CLASSES) -> bool:
    """Return whether a column holds numbers or few classes, in most rows, and not a name of each row."""
    values = table.columns[name]
    if normalise(name) in _OF_SPLITS:
        return False
    if isinstance(values, np.ndarray) or is_time(values.type) or values.null_count > _MOST_MISSING * len(values):
        return False
    known = np.flatnonzero(np.asarray(values.is_valid()))
    try:
        infer_task(RawColumn.of(table, name).take(known))
    except DataError:
        return False
    distinct = pc.count_distinct(values.drop_null()).as_py()
    if distinct < 2 or (pa.types.is_string(values.type) and distinct > most_classes):
        return False
    # Numbers that differ in each row may be prices.
    return most_classes > _MOST_CLASSES or look_at(table, name).kind != "ignore"


def _holds_texts(table: Table, name: str) -> bool:
    values = table.columns[name]
    return isinstance(values, pa.Array) and bool(pa.types.is_string(values.type))
