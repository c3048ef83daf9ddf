"""The columns of a table as decision trees take them: categories as one column each, and missing values as such.

They are made of the encoded inputs, which are there for the network anyway. What the network needs and trees do not is
undone: a column of 0 and 1 for each category, and a number that stands in for a missing one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch

import numpy as np

from mltrain.data.encoders.category import CategoryEncoder, EmbeddedEncoder, IndexEncoder
from mltrain.data.encoders.column import Encoder
from mltrain.data.encoders.datetime import DatetimeEncoder
from mltrain.data.encoders.number import NumberEncoder
from mltrain.data.encoders.ordinal import OrdinalEncoder
from mltrain.data.preprocessing import Preprocessing


@dataclass(frozen=True)
class TreeColumns:
    """Some rows of a table.

    Attributes:
        values: float32 (rows, columns), NaN where a value is missing or unknown.
        categories: for each column whether its numbers are those of categories, whose size has no meaning.
    """

    values: np.ndarray
    categories: tuple[bool, ...]


def has_tree_columns(preprocessing: Preprocessing) -> bool:
    """Return whether there is a table: columns of numbers, dates or categories."""
    return any(_is_of_table(each) for each in preprocessing.columns)


def is_table_alone(preprocessing: Preprocessing) -> bool:
    """Return whether the network gets nothing but such columns."""
    return all(_is_of_table(each) for each in preprocessing.columns)


def tree_width(preprocessing: Preprocessing) -> int:
    """Return the number of columns that `tree_columns` makes."""
    return sum(_width(each) for each in preprocessing.columns if _is_of_table(each))


def tree_columns(
    preprocessing: Preprocessing, inputs: Mapping[str, np.ndarray], rows: np.ndarray | None = None
) -> TreeColumns:
    """Return the columns of the table of encoded inputs.

    Args:
        preprocessing: that encoded them.
        inputs: by the name of the input, (n, …).
        rows: int64, those to take, in this order; None for all.
    """
    made: list[np.ndarray] = []
    categories: list[bool] = []
    firsts: dict[str, int] = {}
    for encoder in preprocessing.columns:
        if not _is_of_table(encoder):
            continue
        name, width = preprocessing.input_of(encoder), len(encoder.names) or 1
        first = firsts.get(name, 0)
        firsts[name] = first + width
        encoded = inputs[name][:, first : first + width]
        columns = for_trees(encoder, encoded if rows is None else encoded[rows])
        made.append(columns)
        categories += [isinstance(encoder, CategoryEncoder | IndexEncoder | EmbeddedEncoder)] * columns.shape[1]
    return TreeColumns(np.concatenate(made, axis=1), tuple(categories))


@singledispatch
def for_trees(encoder: Encoder, encoded: np.ndarray) -> np.ndarray:
    """Return the encoded columns (rows, n) of a raw column as trees take them, float32 (rows, m); here as they are."""
    return encoded.astype(np.float32, copy=False)


@for_trees.register
def _(encoder: NumberEncoder | OrdinalEncoder | DatetimeEncoder, encoded: np.ndarray) -> np.ndarray:
    if not encoder.indicator:
        return encoded.astype(np.float32, copy=False)
    return np.where(encoded[:, -1:] > 0, np.float32(np.nan), encoded[:, :-1]).astype(np.float32)


@for_trees.register
def _(encoder: CategoryEncoder, encoded: np.ndarray) -> np.ndarray:
    known = encoded.any(axis=1)
    return np.where(known, encoded.argmax(axis=1), np.nan).astype(np.float32)[:, None]


@for_trees.register
def _(encoder: IndexEncoder | EmbeddedEncoder, encoded: np.ndarray) -> np.ndarray:
    numbers = encoded.astype(np.float32)
    return np.where(numbers > 0, numbers, np.float32(np.nan))


def _is_of_table(encoder: Encoder) -> bool:
    return bool(encoder.names) or isinstance(encoder, EmbeddedEncoder)


def _width(encoder: Encoder) -> int:
    if isinstance(encoder, CategoryEncoder | EmbeddedEncoder):
        return 1
    return len(encoder.names) - (encoder.expects_missing and not isinstance(encoder, IndexEncoder))
