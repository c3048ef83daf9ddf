"""Categories that have an order, as numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.column_settings import Scale
from mltrain.data.encoders.category import Missing, TextEncoder, Unknown, count_of, unknown_error
from mltrain.data.encoders.column import Encoded, Fitted, RawColumn
from mltrain.data.encoders.number import (
    constant_decision,
    encode_numbers,
    fill_decision,
    fit_scaling,
    indicator_name,
    missing_error,
)
from mltrain.data.encoders.scaling import Scaling
from mltrain.data.encoders.texts import spelled_as, texts_of


class OrdinalEncoder(TextEncoder):
    """One scaled number column by the order of the categories; an unknown text is treated as a missing one."""

    type: Literal["ordinal"] = "ordinal"
    scaling: Scaling
    """What is done to the numbers 0, 1, 2, …"""
    indicator: bool
    """Whether a second column is 1 where the value was missing."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return (self.column, *([indicator_name(self.column)] if self.indicator else []))

    @property
    def number_places(self) -> range:
        """The first."""
        return range(1)

    @property
    def labels(self) -> tuple[str, ...]:
        """None: the categories have an order."""
        return ()

    @property
    def expects_missing(self) -> bool:
        """Whether there is an indicator."""
        return self.indicator

    def encode(self, column: RawColumn) -> Encoded:
        """Return float32 (rows, 1) or, with an indicator, (rows, 2)."""
        positions, absent, unknown = self.positions(column)
        numbers = np.where(positions < 0, np.nan, positions)
        encoded = encode_numbers(column, [numbers], [self.scaling], self.indicator)
        return Encoded(encoded.values, count_of(self.column, absent), count_of(self.column, unknown))


def fit_ordinal(column: RawColumn, order: tuple[str, ...], scale: Scale, unknown: Unknown, missing: Missing) -> Fitted:
    """Return the encoder of a column of ordered categories of the training rows.

    Raises:
        DataError: a training row has a category that the order does not name, or misses it where that is an error.
    """
    texts = texts_of(column)
    texts = spelled_as(texts, order)
    # Not `ignore` here: what stands in the training rows was there to be seen when the order was written.
    wrong = pc.invert(pc.is_in(texts, value_set=pa.array([*order, ""], pa.string()))).to_numpy(zero_copy_only=False)
    if wrong.any():
        raise unknown_error(column, texts, wrong, order)
    positions = pc.index_in(texts, value_set=pa.array(order, pa.string())).to_numpy(zero_copy_only=False)
    numbers = positions.astype(np.float64)
    absent = np.isnan(numbers)
    if missing == "error" and absent.any():
        raise missing_error(column, absent)
    encoder = OrdinalEncoder(
        column=column.name,
        categories=order,
        unknown=unknown,
        missing=missing,
        scaling=fit_scaling(column, numbers, scale, "mean"),
        indicator=bool(absent.any()),
    )
    decisions = fill_decision(column, int(absent.sum()), "mean") + constant_decision(column.name, numbers)
    return Fitted(encoder, decisions)
