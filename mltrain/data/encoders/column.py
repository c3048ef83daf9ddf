"""A raw column as encoders take it, and what they give back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.scaling import Scaling
from mltrain.data.table import Column, FileImages, Table
from mltrain.errors import DataError
from mltrain.spec import Spec
from mltrain.task import Decision, Pixels

# The input of the network that all columns of a table share.
TABLE = "table"
# Values of a column as they are compared with those of the training rows: float64 (rows,) with NaN where missing, or
# texts (rows,), empty where missing.
Watched: TypeAlias = np.ndarray | pa.Array


@dataclass(frozen=True)
class RawColumn:
    """One column of a table, able to say where its rows are.

    Attributes:
        name: of the column.
        values: a pyarrow array, or a NumPy array of rank >= 2, (rows, …).
        place: says where a row (from 0) is, as `penguins.csv:18`.
        source: name of where the table comes from, for messages about the whole column.
        taken_as_missing: what an error on a missing value adds: which texts of the file were taken as such.
        images: what is known of arrays that were read from image files; None for other columns.
    """

    name: str
    values: Column
    place: Callable[[int], str]
    source: str
    taken_as_missing: str = ""
    images: FileImages | None = None

    @classmethod
    def of(cls, table: Table, name: str) -> RawColumn:
        """Return the column `name` of `table`; a DataError names the known columns when there is none."""
        said = table.taken_as_missing.get(name, "")
        return cls(name, table.column(name), table.origin.place, table.origin.name, said, table.images.get(name))

    def take(self, rows: np.ndarray) -> RawColumn:
        """Return some rows, int64 (n,), in the order of their numbers."""
        values = self.values[rows] if isinstance(self.values, np.ndarray) else self.values.take(pa.array(rows))
        return replace(self, values=values, place=lambda row: self.place(int(rows[row])))

    def error(self, row: int, message: str) -> DataError:
        """Return the error about one row."""
        return DataError(f"{self.place(int(row))}: column '{self.name}': {message}")

    def failure(self, message: str) -> DataError:
        """Return the error about the whole column."""
        return DataError(f"{self.source}: column '{self.name}': {message}")

    def holds(self) -> str:
        """Return in words what the values are."""
        if isinstance(self.values, np.ndarray):
            return f"{self.values.dtype} arrays of shape {self.values.shape[1:]}"
        if is_empty(self.values):
            return "no values"
        kinds = ((is_number, "numbers"), (pa.types.is_boolean, "booleans"), (is_text, "text"), (is_time, "dates"))
        return next((words for matches, words in kinds if matches(self.values.type)), str(self.values.type))


@dataclass(frozen=True)
class Encoded:
    """A column as the network takes it.

    Attributes:
        values: float32 (rows, width) for columns of a table; (rows, …) for arrays.
        missing: number of missing values that were filled, by column; only columns that had some.
        unknown: number of values that no training row has, by column; only columns that had some.
    """

    values: np.ndarray
    missing: dict[str, int]
    unknown: dict[str, int]


@dataclass(frozen=True)
class RawInput:
    """What `model.keras` takes for a column.

    Attributes:
        name: of the input.
        dtype: "float64" (NaN is missing), "string" (empty is missing), or the dtype of an array.
        shape: of one example: `(1,)` for a column of a table.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]


class Encoder(Protocol):
    """A fitted column: frozen, and the same after JSON and back. Code outside of this room asks these questions instead
    of looking at the class, so that a new kind of column changes nothing there.

    Besides these answers it has a graph in `raw_model.py` that computes the bits of `encode` from what `raw` returns.
    Two things are easy to miss there. Keras' `predict` rounds numbers to float32 before the graph gets them, so a
    number that an encoding compares with, such as the border of a bin, must not be the value of a row. A graph cannot
    raise errors: where `encode` refuses a missing value, the graph must make the prediction NaN.
    """

    @property
    def column(self) -> str:
        """Name of the raw column."""

    @property
    def input(self) -> str:
        """Name of the input of the network that the column feeds: `table`, which columns share, or its own name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoded columns; empty for arrays."""

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """Shape of one encoded example."""

    @property
    def encoded_dtype(self) -> Literal["float32", "int32"]:
        """Dtype of the encoded examples."""

    @property
    def indices(self) -> int | None:
        """How many index numbers it can give, from 0 on, where they are those of categories or words; else None."""

    @property
    def vector_width(self) -> int | None:
        """The length of the vector that a model learns for each index number, where the config states it; else None."""

    @property
    def pixels(self) -> Pixels | None:
        """How encoded images become pixels from 0 to 255; None for other columns, and where that is not known."""

    @property
    def number_scaling(self) -> Scaling | None:
        """How its numbers become its first encoded column, if that is all that happens to them: a slope is then given
        in their own units, the curve over them is shown, and the audit looks for identifiers. None for other columns,
        to which none of this applies."""

    @property
    def number_places(self) -> range:
        """Where among its encoded columns those are that hold numbers of any size, and not only 0 and 1: a model may
        give them a form of their own."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories, where their order has no meaning; else empty."""

    @property
    def is_index(self) -> bool:
        """Whether its numbers are those of categories, so that their size has no meaning."""

    @property
    def holds_arrays(self) -> bool:
        """Whether a file has an array in every row of the column, instead of a single value."""

    @property
    def expects_missing(self) -> bool:
        """Whether training rows had missing values, so that the encoding can say where one is missing."""

    @property
    def watched_as(self) -> tuple[tuple[str, Literal["number", "text"]], ...]:
        """Name and kind of each column that `watched` yields: predictions are compared with the training rows there."""

    def watched(self, column: RawColumn) -> Iterator[Watched]:
        """Yield the values that are compared with those of the training rows: of dates each part that is encoded, of
        arrays the mean of each row."""

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return the columns of a file that are needed for this one, and what their texts are read as in predictions,
        where a few rows may not show it: what the feature says in `read_as`. None leaves it to the file.

        Args:
            declared: the kinds of columns that the experiment states, by name.
        """

    @property
    def raw_inputs(self) -> tuple[RawInput, ...]:
        """What `model.keras` takes for this column."""

    def raw(self, column: RawColumn) -> tuple[np.ndarray, ...]:
        """Return the column as `raw_inputs` want it, each (rows, 1), or (rows, …) for arrays."""

    def encode(self, column: RawColumn) -> Encoded:
        """Return the encoded column; raises DataError with the place of a value that cannot be encoded."""


class ColumnEncoder(Spec):
    """What most encoders answer: the defaults of `Encoder`."""

    @property
    def input(self) -> str:
        """The one that columns share."""
        return TABLE

    @property
    def names(self) -> tuple[str, ...]:
        """Each encoder has its own."""
        raise NotImplementedError

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """As many numbers as there are encoded columns."""
        return (len(self.names),)

    @property
    def encoded_dtype(self) -> Literal["float32", "int32"]:
        """That of numbers."""
        return "float32"

    @property
    def indices(self) -> int | None:
        """None: no index numbers."""
        return None

    @property
    def vector_width(self) -> int | None:
        """None: no vectors."""
        return None

    @property
    def pixels(self) -> Pixels | None:
        """None: no images."""
        return None

    @property
    def number_scaling(self) -> Scaling | None:
        """None: not a column of numbers."""
        return None

    @property
    def number_places(self) -> range:
        """None."""
        return range(0)

    @property
    def labels(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def is_index(self) -> bool:
        """No."""
        return False

    @property
    def holds_arrays(self) -> bool:
        """No."""
        return False


class OwnInputEncoder(ColumnEncoder):
    """A column that is an input of its own, with the name of the column."""

    if TYPE_CHECKING:
        column: str  # each encoder has it as a field, at its own place in the file of a run

    @property
    def input(self) -> str:
        """The name of the column."""
        return self.column

    @property
    def names(self) -> tuple[str, ...]:
        """None: the positions of an example have no names."""
        return ()


@dataclass(frozen=True)
class Fitted:
    """An encoder and what was decided while it was fitted."""

    encoder: Encoder
    decisions: tuple[Decision, ...] = ()


def is_number(kind: pa.DataType) -> bool:
    """Return whether a pyarrow type is a whole or a floating-point number."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_text(kind: pa.DataType) -> bool:
    """Return whether a pyarrow type is text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_time(kind: pa.DataType) -> bool:
    """Return whether a pyarrow type is a date, or a date and time of day."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def is_empty(values: pa.Array) -> bool:
    """Return whether no value is there at all."""
    return bool(values.null_count == len(values))


def numbers_of(column: RawColumn) -> np.ndarray:
    """Return a column of numbers or truth values as float64 (rows,), NaN where missing.

    Raises:
        DataError: it holds something else, or an infinite number.
    """
    values = column.values
    if isinstance(values, np.ndarray):
        raise column.failure(f"expected numbers, but it holds {column.holds()} (declare it as image or array)")
    if is_empty(values):
        return np.full(len(values), np.nan)
    if not is_number(values.type) and not pa.types.is_boolean(values.type):
        row = first_row(values.is_valid())
        raise column.error(row, f"expected a number, found {values[row].as_py()!r} (the column holds {column.holds()})")
    numbers = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    infinite = np.isinf(numbers)
    if infinite.any():
        raise column.error(int(infinite.argmax()), "expected a finite number, found an infinite one")
    return numbers


def without_missing(column: RawColumn, advice: str = "") -> pa.Array:
    """Return the values of a target column.

    Args:
        column: the target.
        advice: what the error says beside correcting the row.

    Raises:
        DataError: one is missing, or the column holds arrays.
    """
    values = column.values
    if isinstance(values, np.ndarray):
        raise column.failure(f"expected one value per row in the target, but it holds {column.holds()}")
    absent = values.is_null(nan_is_null=True)
    count = pc.sum(absent).as_py() or 0
    if count:
        rest = f" (and {count - 1} more)" if count > 1 else ""
        message = f"the target is missing{rest}; correct the row or leave it out{advice}{column.taken_as_missing}"
        raise column.error(first_row(absent), message)
    return values


def first_row(condition: pa.Array | np.ndarray) -> int:
    """Return the first row where `condition` is true; there must be one."""
    return int(np.argmax(np.asarray(condition)))
