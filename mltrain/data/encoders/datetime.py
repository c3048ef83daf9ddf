"""Dates and times, as numbers for their parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.column_settings import PARTS, Part, Scale
from mltrain.data.encoders.column import (
    ColumnEncoder,
    Encoded,
    Fitted,
    RawColumn,
    RawInput,
    Watched,
    first_row,
    is_empty,
    is_text,
    is_time,
)
from mltrain.data.encoders.number import (
    Fill,
    constant_decision,
    encode_numbers,
    fill_decision,
    fit_scaling,
    indicator_name,
)
from mltrain.data.encoders.scaling import Scaling
from mltrain.data.files.column_types import TIMESTAMP, ZONED, without_zone
from mltrain.spec import Many, Spec
from mltrain.task import Decision

_PART = {
    "year": pc.year,
    "month": pc.month,
    "day": pc.day,
    "weekday": pc.day_of_week,  # Monday is 0
    "hour": pc.hour,
    "minute": pc.minute,
    "second": pc.second,
}


class ScaledPart(Spec):
    """One part of a date or time."""

    part: Part
    """Which."""
    scaling: Scaling
    """How it is scaled."""


class DatetimeEncoder(ColumnEncoder):
    """One scaled number column per part. A last column may say where the value was missing."""

    type: Literal["datetime"] = "datetime"
    column: str
    """Name of the raw column."""
    parts: Many[ScaledPart]
    """The parts, from the largest to the smallest."""
    indicator: bool
    """Whether a last column is 1 where the value was missing."""
    zoned: bool | None = None
    """Whether the training times had a time zone, and so were read in UTC; null in runs of earlier versions."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        parts = [f"{self.column}.{scaled.part}" for scaled in self.parts]
        return (*parts, *([indicator_name(self.column)] if self.indicator else []))

    @property
    def number_places(self) -> range:
        """All parts."""
        return range(len(self.parts))

    @property
    def expects_missing(self) -> bool:
        """Whether there is an indicator."""
        return self.indicator

    @property
    def watched_as(self) -> tuple[tuple[str, Literal["number", "text"]], ...]:
        """Each part that is encoded."""
        return tuple((f"{self.column}.{scaled.part}", "number") for scaled in self.parts)

    def watched(self, column: RawColumn) -> Iterator[Watched]:
        """Yield the parts."""
        times = times_of(column)
        for scaled in self.parts:
            yield part_of(times, scaled.part)

    def file_kinds(self, declared: Mapping[str, str]) -> dict[str, str | None]:
        """Return dates."""
        return {self.column: "datetime"}

    @property
    def raw_inputs(self) -> tuple[RawInput, ...]:
        """One number a part: Keras knows no dates."""
        return tuple(RawInput(f"{self.column}.{scaled.part}", "float64", (1,)) for scaled in self.parts)

    def raw(self, column: RawColumn) -> tuple[np.ndarray, ...]:
        """Return each part as float64 (rows, 1), NaN where missing."""
        check_zone(column, self.zoned)
        times = times_of(column)
        return tuple(part_of(times, scaled.part)[:, None] for scaled in self.parts)

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 (rows, parts [+ 1])."""
        check_zone(column, self.zoned)
        times = times_of(column)
        parts = [part_of(times, scaled.part) for scaled in self.parts]
        return encode_numbers(column, parts, [scaled.scaling for scaled in self.parts], self.indicator)


def fit_datetime(column: RawColumn, parts: tuple[Part, ...] | None, scale: Scale, missing: Fill) -> Fitted:
    """Return the encoder of a column of dates or times of the training rows.

    Raises:
        DataError: no training row has a value, or all have the same while no parts are named.
    """
    times = times_of(column)
    if is_empty(times):
        raise column.failure(
            f"no training row has a value; set data.features.{column.name}: ignore, or split the data differently"
        )
    decisions: tuple[Decision, ...] = ()
    if parts is None:
        parts = tuple(part for part in PARTS if len(pc.unique(pc.drop_null(_PART[part](times)))) > 1)
        if not parts:
            raise column.failure(
                f"every training row has {pc.drop_null(times)[0].as_py()}, so nothing can be learned from it "
                f"(set data.features.{column.name}: ignore)"
            )
        decisions = (Decision(f"features.{column.name}", ", ".join(parts), "these parts differ between training rows"),)
    else:
        parts = tuple(part for part in PARTS if part in parts)
    numbers = {part: part_of(times, part) for part in parts}
    fitted = tuple(
        ScaledPart(part=part, scaling=fit_scaling(column, values, scale, missing)) for part, values in numbers.items()
    )
    decisions += fill_decision(column, int(times.null_count), missing)
    for part, values in numbers.items():
        decisions += constant_decision(f"{column.name}.{part}", values)
    zoned = has_zone(column)
    if zoned:
        decisions += (Decision(f"features.{column.name}", "in UTC", "the times have a time zone"),)
    encoder = DatetimeEncoder(column=column.name, parts=fitted, indicator=times.null_count > 0, zoned=zoned)
    return Fitted(encoder, decisions)


def has_zone(column: RawColumn) -> bool:
    """Return whether a column holds times with a time zone."""
    return isinstance(column.values, pa.Array) and bool(column.values.type == ZONED)


def check_zone(column: RawColumn, zoned: bool | None) -> None:
    """Refuse times without a zone where those of the training had one, or the reverse: their hours are not comparable.

    Args:
        column: of new rows.
        zoned: whether the training times had a zone; None where that is not known.

    Raises:
        DataError: names the first time.
    """
    values = column.values
    if zoned is None or not isinstance(values, pa.Array) or is_empty(values) or not is_time(values.type):
        return
    if has_zone(column) == zoned:
        return
    shown = without_zone(values)[first_row(values.is_valid())].as_py()
    how = (
        "the time has no time zone, but the times of the training data have one; write it with its zone, such as "
        f"{shown.isoformat()}+00:00 if it is in UTC"
        if zoned
        else "the time has a time zone, but the times of the training data have none; write it without a zone, as the "
        f"local time that the training data would have (this one is {shown.isoformat()} in UTC)"
    )
    raise column.error(first_row(values.is_valid()), how)


def times_of(column: RawColumn) -> pa.Array:
    """Return a column of dates or times as naive timestamps (rows,), in UTC where it has a time zone.

    Raises:
        DataError: it holds something else.
    """
    values = column.values
    if isinstance(values, np.ndarray):
        raise column.failure(f"expected dates, but the column holds {column.holds()}; declare it as image or array")
    if is_empty(values):
        return pa.nulls(len(values), TIMESTAMP)
    if not is_time(values.type):
        row = first_row(values.is_valid())
        how = "; write it as 2024-05-31 or 2024-05-31T12:30:00" if is_text(values.type) else ""
        raise column.error(
            row, f"expected a date, found {values[row].as_py()!r} (the column holds {column.holds()}{how})"
        )
    return pc.cast(values, TIMESTAMP, safe=False)


def part_of(times: pa.Array, part: Part) -> np.ndarray:
    """Return one part of timestamps as float64 (rows,), NaN where missing."""
    return pc.cast(_PART[part](times), pa.float64()).to_numpy(zero_copy_only=False)
