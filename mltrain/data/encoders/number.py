"""Numbers and truth values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import pyarrow as pa

from mltrain.data.column_settings import Scale
from mltrain.data.encoders.column import (
    ColumnEncoder,
    Encoded,
    Fitted,
    RawColumn,
    RawInput,
    Watched,
    first_row,
    numbers_of,
)
from mltrain.data.encoders.scaling import Scaling, center_and_width, is_constant
from mltrain.task import Decision

Fill = Literal["mean", "median", "zero", "most_frequent", "error"]


class NumberEncoder(ColumnEncoder):
    """One scaled column of numbers, and perhaps one that says where the value was missing."""

    type: Literal["number"] = "number"
    column: str
    """Name of the raw column."""
    scaling: Scaling
    """What is done to the numbers."""
    indicator: bool
    """Whether a second column is 1 where the value was missing."""
    truth: bool = False
    """Whether the numbers are booleans: 0 and 1 only."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return (self.column, *([indicator_name(self.column)] if self.indicator else []))

    @property
    def number_scaling(self) -> Scaling:
        """That of the numbers."""
        return self.scaling

    @property
    def number_places(self) -> range:
        """The first, if they are not booleans."""
        return range(0 if self.truth else 1)

    @property
    def expects_missing(self) -> bool:
        """Whether there is an indicator."""
        return self.indicator

    @property
    def watched_as(self) -> tuple[tuple[str, Literal["number", "text"]], ...]:
        """The column itself."""
        return ((self.column, "number"),)

    def watched(self, column: RawColumn) -> Iterator[Watched]:
        """Yield the numbers."""
        yield numbers_of(column)

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return numbers or booleans."""
        return {self.column: "boolean" if self.truth else "number"}

    @property
    def raw_inputs(self) -> tuple[RawInput, ...]:
        """One number."""
        return (RawInput(self.column, "float64", (1,)),)

    def raw(self, column: RawColumn) -> tuple[np.ndarray, ...]:
        """Return the numbers as float64 (rows, 1), NaN where missing."""
        return (numbers_of(column)[:, None],)

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 (rows, 1) or, with an indicator, (rows, 2)."""
        numbers = truths_of(column) if self.truth else numbers_of(column)
        return encode_numbers(column, [numbers], [self.scaling], self.indicator)


def fit_number(column: RawColumn, scale: Scale, missing: Fill) -> Fitted:
    """Return the encoder of a column of numbers of the training rows."""
    encoder, decisions = _fit(column, numbers_of(column), scale, missing)
    return Fitted(encoder, decisions)


def fit_boolean(column: RawColumn, missing: Fill) -> Fitted:
    """Return the encoder of a column of truth values of the training rows; 0 and 1 count as such."""
    encoder, decisions = _fit(column, truths_of(column), "none", missing)
    return Fitted(encoder.model_copy(update={"truth": True}), decisions)


def _fit(
    column: RawColumn, numbers: np.ndarray, scale: Scale, missing: Fill
) -> tuple[NumberEncoder, tuple[Decision, ...]]:
    absent = np.isnan(numbers)
    scaling = fit_scaling(column, numbers, scale, missing)
    decisions = fill_decision(column, int(absent.sum()), missing) + constant_decision(column.name, numbers)
    decisions += _rounded_decision(column, numbers)
    return NumberEncoder(column=column.name, scaling=scaling, indicator=bool(absent.any())), decisions


def truths_of(column: RawColumn) -> np.ndarray:
    """Return a column of truth values as float64 (rows,): 0, 1, or NaN where missing."""
    numbers = numbers_of(column)
    wrong = ~np.isin(numbers, (0.0, 1.0)) & ~np.isnan(numbers)
    if wrong.any():
        raise column.error(first_row(wrong), f"expected true or false (or 1 or 0), found {numbers[first_row(wrong)]:g}")
    return numbers


def fit_scaling(column: RawColumn, numbers: np.ndarray, scale: Scale, missing: Fill) -> Scaling:
    """Return the scaling of the numbers (rows,) of the training rows, NaN where missing.

    Raises:
        DataError: no number is there, one is missing where that is an error, or their spread is no finite number.
    """
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        raise column.failure(
            f"no training row has a value (set data.features.{column.name}: ignore, or split the data otherwise)"
        )
    if missing == "error" and len(known) < len(numbers):
        raise missing_error(column, np.isnan(numbers))
    try:
        center, width = center_and_width(numbers, scale)
    except OverflowError:
        raise column.failure(
            f"values from {known.min():g} to {known.max():g} cannot be scaled (use smaller units)"
        ) from None
    return Scaling(center=center, width=width, fill=_fill(known, missing))


def _fill(known: np.ndarray, missing: Fill) -> float | None:
    if missing == "error":
        return None
    if missing == "zero":
        return 0.0
    if missing == "most_frequent":
        return float(known.mean() >= 0.5)  # of truth values
    return float(np.median(known) if missing == "median" else known.mean())


def encode_numbers(column: RawColumn, parts: list[np.ndarray], scalings: list[Scaling], indicator: bool) -> Encoded:
    """Return float64 (rows,) parts of one raw column, missing together, as float32 (rows, parts [+ indicator]).

    Raises:
        DataError: a value is missing where that is an error, or is too large for float32.
    """
    absent = np.isnan(parts[0])
    count = int(absent.sum())
    if count and scalings[0].fill is None:
        raise missing_error(column, absent)
    scaled = [scaling.apply(numbers) for numbers, scaling in zip(parts, scalings, strict=True)]
    for numbers in scaled:
        too_large = ~np.isfinite(numbers)
        if too_large.any():
            raise column.error(
                first_row(too_large), "the number is too large for float32 (scale it, or use larger units)"
            )
    values = np.stack([*scaled, absent.astype(np.float32)] if indicator else scaled, axis=1)
    return Encoded(values, {column.name: count} if count else {}, {})


def missing_error(column: RawColumn, absent: np.ndarray) -> Exception:
    """Return the error for missing values where they are not allowed."""
    count = int(absent.sum())
    rest = f" (and {count - 1} more)" if count > 1 else ""
    return column.error(
        first_row(absent),
        f"the value is missing{rest}; correct it, or set data.features.{column.name}.missing{column.taken_as_missing}",
    )


def indicator_name(column: str) -> str:
    """Return the name of the column that is 1 where `column` was missing."""
    return f"{column} is missing"


def fill_decision(column: RawColumn, count: int, how: str) -> tuple[Decision, ...]:
    """Return what is said of missing values in the training rows."""
    if not count:
        return ()
    value = f"missing values become the {how.replace('_', ' ')}" if how != "zero" else "missing values become zero"
    marked = f"column '{indicator_name(column.name)}' marks them"
    reason = f"{count} of {len(column.values)} training rows have no value; {marked}"
    return (Decision(f"features.{column.name}", value, reason),)


def constant_decision(name: str, numbers: np.ndarray) -> tuple[Decision, ...]:
    """Return what is said of numbers that are all the same in the training rows."""
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return ()
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = is_constant(known.mean(), known.std(), len(known)) and known.std() > 0
    if known.min() != known.max() and not rounded:
        return ()
    reason = "all training rows with a value have the same value, so nothing can be learned from it"
    return (Decision(f"features.{name}", "constant", reason),)


def _rounded_decision(column: RawColumn, numbers: np.ndarray) -> tuple[Decision, ...]:
    """Return what is said of whole numbers that float64 cannot tell apart: they are ids more often than amounts."""
    whole = isinstance(column.values, pa.Array) and pa.types.is_integer(column.values.type)
    if not whole or not (np.abs(numbers) > 2**53).any():
        return ()
    reason = f"whole numbers beyond 2^53 lose digits; if they are ids, set data.features.{column.name}: ignore"
    return (Decision(f"features.{column.name}", "rounded", reason),)
