"""What the columns of the training rows looked like, in a few numbers each, and other rows held against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationError

from mltrain.data.drift import Stability, population_stability
from mltrain.data.encoders.column import RawColumn, Watched
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.table import Table
from mltrain.errors import RunError
from mltrain.spec import Many, Spec

# Deciles of so many rows are as good as those of all, for what they are for, and cost milliseconds.
MOST_ROWS = 100_000
# Rarer categories are counted together: each bin adds to what chance makes of the index.
MOST_CATEGORIES = 20


class NumberColumn(Spec):
    """A column of numbers."""

    type: Literal["number"] = "number"
    column: str
    """Its name; for dates, that of a part, such as `sold.month`; for arrays, `mean of image`."""
    low: float
    """The smallest value of all training rows."""
    high: float
    """The largest."""
    edges: Many[float]
    """The deciles, those that are equal once: bin i holds what is above edge i - 1, up to edge i."""
    counts: Annotated[Many[int], Field(min_length=2)]
    """Rows in each bin, one more than there are edges, and then those without a value."""

    def count(self, values: Watched) -> np.ndarray:
        """Return the rows in each bin, as `counts`."""
        bins = np.where(np.isnan(values), len(self.edges) + 1, np.searchsorted(self.edges, values))
        return np.bincount(bins, minlength=len(self.counts))

    def outside(self, values: Watched) -> int:
        """Return how many values no training row reaches."""
        return int(np.count_nonzero((values < self.low) | (values > self.high)))


class TextColumn(Spec):
    """A column of categories."""

    type: Literal["text"] = "text"
    column: str
    """Its name."""
    categories: Many[str]
    """The most frequent."""
    counts: Annotated[Many[int], Field(min_length=2)]
    """Rows of each, then those of all others, and then those without a value."""

    def count(self, values: Watched) -> np.ndarray:
        """Return the rows of each category, as `counts`."""
        known = pa.array([*self.categories], pa.string())
        bins = pc.fill_null(pc.index_in(values, value_set=known), len(self.categories))
        bins = pc.if_else(pc.equal(values, ""), len(self.categories) + 1, bins)
        return np.bincount(bins.to_numpy(zero_copy_only=False), minlength=len(self.counts))

    def outside(self, values: Watched) -> int:
        """Return 0: categories that no training row has are counted where they are encoded."""
        return 0


class TrainingColumns(Spec):
    """All of them: `reference.json` of a run."""

    format: Literal[1] = 1
    """Version of this description."""
    rows: int
    """Training rows."""
    columns: Many[Annotated[NumberColumn | TextColumn, Field(discriminator="type")]]
    """In the order of the encoded columns."""
    means: Many[float] = ()
    """The means of the encoded columns of a table, as the model takes them; empty for arrays, and in runs of earlier
    versions."""

    def with_means(self, encoded: np.ndarray) -> TrainingColumns:
        """Return these with the means of encoded training rows (rows, features), of 100,000 of them at most."""
        means = encoded[:: -(-len(encoded) // MOST_ROWS)].mean(axis=0, dtype=np.float64)
        return self.model_copy(update={"means": tuple(means.tolist())})

    @classmethod
    def of(cls, preprocessing: Preprocessing, train: Table) -> TrainingColumns:
        """Return what the training rows look like; deciles and shares from 100,000 of them at most."""
        columns = [
            _number(name, values) if isinstance(values, np.ndarray) else _text(name, values)
            for name, values in watched(preprocessing, train)
        ]
        return cls(rows=len(train), columns=tuple(columns))

    @classmethod
    def from_json(cls, document: Mapping[str, Any], place: object) -> TrainingColumns:
        """Return what a file of a run holds.

        Raises:
            RunError: it is something else, or of another version.
        """
        try:
            found = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RunError(f"{place}: {where}: {first['msg']} (damaged, or written by another version)") from None
        for column in found.columns:
            bins = column.edges if isinstance(column, NumberColumn) else column.categories
            if len(column.counts) != len(bins) + 2:
                raise RunError(f"{place}: column {column.column!r} has counts for other bins (damaged)")
        return found


@dataclass(frozen=True)
class ColumnFindings:
    """What there is to say of one column of the rows that were held against the training rows.

    Attributes:
        column: its name.
        outside: values below the smallest or above the largest of the training rows.
        low, high: those; None for categories.
        stability: of its distribution.
    """

    column: str
    outside: int
    low: float | None
    high: float | None
    stability: Stability


class Comparison:
    """Counts rows, block by block.

    Raises:
        RunError: they are of other columns.
    """

    def __init__(self, reference: TrainingColumns, preprocessing: Preprocessing) -> None:
        expected = [each for encoder in preprocessing.columns for each in encoder.watched_as]
        if [(column.column, column.type) for column in reference.columns] != expected:
            raise RunError("reference.json and preprocessing.json of the run have different columns (damaged)")
        self._reference, self._preprocessing = reference, preprocessing
        self._counts = [np.zeros(len(column.counts), np.int64) for column in reference.columns]
        self._outside = [0] * len(reference.columns)

    def add(self, table: Table) -> None:
        """Count the rows of a table."""
        columns = zip(self._reference.columns, watched(self._preprocessing, table), strict=True)
        for position, (column, (_, values)) in enumerate(columns):
            self._counts[position] += column.count(values)
            self._outside[position] += column.outside(values)

    def findings(self, comparisons: int = 1) -> tuple[ColumnFindings, ...]:
        """Return what there is to say of each column; `comparisons` as for `population_stability`."""
        return tuple(
            ColumnFindings(
                column.column,
                outside,
                column.low if isinstance(column, NumberColumn) else None,
                column.high if isinstance(column, NumberColumn) else None,
                population_stability(np.array(column.counts), counts, comparisons),
            )
            for column, counts, outside in zip(self._reference.columns, self._counts, self._outside, strict=True)
        )


def watched(preprocessing: Preprocessing, table: Table) -> Iterator[tuple[str, Watched]]:
    """Yield the name of each column that is looked at and its values, as `Encoder.watched` describes them.

    One column after the other: all of them at once are twice as large as what a model takes.
    """
    for encoder in preprocessing.columns:
        values = encoder.watched(RawColumn.of(table, encoder.column))
        yield from zip((name for name, _ in encoder.watched_as), values, strict=True)


def _number(name: str, values: np.ndarray) -> NumberColumn:
    known = values[~np.isnan(values)]
    some = values[:: -(-len(values) // MOST_ROWS)]
    present = some[~np.isnan(some)]
    if not len(present):  # of so few values, none is among those that are looked at
        present = known
    edges = np.unique(np.quantile(present, np.arange(1, 10) / 10, method="inverted_cdf"))
    column = NumberColumn(
        column=name,
        low=float(known.min()),
        high=float(known.max()),
        edges=tuple(map(float, edges)),
        counts=(0,) * (len(edges) + 2),
    )
    return column.model_copy(update={"counts": tuple(column.count(some).tolist())})


def _text(name: str, values: pa.Array) -> TextColumn:
    some = values.take(pa.array(np.arange(0, len(values), -(-len(values) // MOST_ROWS))))
    found = [(each["counts"], each["values"]) for each in pc.value_counts(some).to_pylist() if each["values"]]
    categories = tuple(text for _, text in sorted(found, key=lambda each: (-each[0], each[1]))[:MOST_CATEGORIES])
    column = TextColumn(
        column=name,
        categories=categories,
        counts=(0,) * (len(categories) + 2),
    )
    return column.model_copy(update={"counts": tuple(column.count(some).tolist())})
