"""`evaluation.slices`: rows that are measured separately, by the values or the ranges of a raw column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, is_number, numbers_of
from mltrain.data.encoders.texts import texts_of
from mltrain.data.preparation import Prepared
from mltrain.errors import DataError, MisfitError
from mltrain.experiment.evaluation_section import SliceSpec
from mltrain.task import SplitName

# A column with more values is not a property of a row, but its name, or a measure that needs bins.
MOST_VALUES = 50


@dataclass(frozen=True)
class Slice:
    """Some rows of a split.

    Attributes:
        name: such as `sex=f`, `age<22` or `22<=age<35`.
        rows: their positions in the split, int64.
    """

    name: str
    rows: np.ndarray


@dataclass(frozen=True)
class Slices:
    """The slices of a run.

    Attributes:
        edges: where the bins of a column meet, by its name.
        held_out: the slices of validation and test.
    """

    edges: Mapping[str, tuple[float, ...]]
    held_out: Mapping[SplitName, tuple[Slice, ...]]

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The names of the slices of each split."""
        return {split: tuple(each.name for each in slices) for split, slices in self.held_out.items()}


def slice_columns(specs: Sequence[SliceSpec]) -> dict[str, tuple[str | int, ...]]:
    """Return the columns that slices need, each with the place in the config that names it."""
    return {spec.column: ("evaluation", "slices", number) for number, spec in enumerate(specs)}


def fit_slices(specs: Sequence[SliceSpec], prepared: Prepared) -> Slices:
    """Return the slices of validation and test; bins meet at quantiles of the training rows.

    Raises:
        MisfitError: bins for values that are not numbers, or too many values without bins.
    """
    edges = {}
    for spec, path in zip(specs, slice_columns(specs).values(), strict=True):
        column = prepared.kept[spec.column]
        try:
            if spec.bins is not None:
                edges[spec.column] = _quantiles(column, prepared.splits.train, spec.bins)
            else:
                _values(column)
        except DataError as error:
            raise MisfitError(path, str(error)) from error
    held_out: dict[SplitName, tuple[Slice, ...]] = {
        name: split_slices(specs, edges, {each: column.take(of.rows) for each, column in prepared.kept.items()})
        for name, of in prepared.examples.items()
        if name != "train"
    }
    return Slices(edges, held_out)


def split_slices(
    specs: Sequence[SliceSpec], edges: Mapping[str, Sequence[float]], columns: Mapping[str, RawColumn]
) -> tuple[Slice, ...]:
    """Return the slices of a split that have rows, in the order of the specs and of the values.

    Args:
        specs: what was asked.
        edges: from `fit_slices`.
        columns: of the rows of the split, by name.

    Raises:
        DataError: a column holds something else than in training.
    """
    found: list[Slice] = []
    for spec in specs:
        column = columns[spec.column]
        cut = _ranges(column, edges[spec.column]) if spec.bins is not None else _values(column)
        found += (Slice(name, np.flatnonzero(chosen)) for name, chosen in cut if chosen.any())
    return tuple(found)


def _quantiles(column: RawColumn, train: np.ndarray, bins: int) -> tuple[float, ...]:
    numbers = numbers_of(column)[train]
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        raise column.failure("bins need numbers, but no training row has one; remove bins or the slice")
    # Values of the column, not means of two: a range then ends where a row is. The sum makes -0.0 a 0.
    return tuple((np.unique(np.quantile(known, np.arange(1, bins) / bins, method="higher")) + 0.0).tolist())


def _ranges(column: RawColumn, edges: Sequence[float]) -> list[tuple[str, np.ndarray]]:
    numbers, name = numbers_of(column), column.name
    ends = [f"{edge:.12g}" for edge in edges]
    labels = [f"{name}<{ends[0]}", *(f"{low}<={name}<{high}" for low, high in pairwise(ends)), f"{name}>={ends[-1]}"]
    position = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right"))
    cut = [(label, position == number) for number, label in enumerate(labels)]
    return [*cut, (f"{name} is missing", position == -1)]


def _values(column: RawColumn) -> list[tuple[str, np.ndarray]]:
    texts = texts_of(column)
    values = [value for value in pc.unique(texts).to_pylist() if value]
    numeric = not isinstance(column.values, np.ndarray) and is_number(column.values.type)
    if len(values) > MOST_VALUES:
        advice = "set bins" if numeric else "use another column"
        raise column.failure(
            f"slices without bins need a column with at most {MOST_VALUES} different values, but it has {len(values)}; "
            f"{advice}"
        )
    names = {value: f"{column.name}={value}" for value in sorted(values, key=float if numeric else str)}
    names[""] = f"{column.name} is missing"
    return [(name, pc.equal(texts, value).to_numpy(zero_copy_only=False)) for value, name in names.items()]
