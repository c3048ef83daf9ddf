"""The rows of a table as the steps of series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltrain.data.encoders.column import RawColumn, first_row
from mltrain.data.encoders.texts import texts_of
from mltrain.data.splits.time_order import times_of_rows
from mltrain.data.table import Table


@dataclass(frozen=True)
class Series:
    """Which series each row belongs to, and where it stands there.

    Attributes:
        order: (rows,) the row numbers, series after series, each from its oldest row to its newest.
        number: (rows,) which series, from 0.
        position: (rows,) the place of each row in its series, from 0.
        names: of the series; one that is empty where there is no column that names them.
    """

    order: np.ndarray
    number: np.ndarray
    position: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, by: str | None, time: str | None) -> Series:
        """Return the series of a table.

        Args:
            table: the rows.
            by: the column that names the series; None for one series.
            time: the column by which each is put in order; None for the order of the rows.

        Raises:
            DataError: a column is not there or has a missing value, or two rows of one series are of the same time.
        """
        times = times_of_rows(table, time)
        number, names = np.zeros(len(table), np.int64), ("",)
        if by is not None:
            raw = RawColumn.of(table, by)
            texts = texts_of(raw).dictionary_encode()
            names = tuple(texts.dictionary.to_pylist())
            number = texts.indices.to_numpy().astype(np.int64)
            if "" in names:
                row = first_row(number == names.index(""))
                raise raw.error(row, "the name of the series is missing; correct the row or remove it")
        order = np.lexsort((times, number))
        sorted_number, sorted_times = number[order], times[order]
        twice = (sorted_number[1:] == sorted_number[:-1]) & (sorted_times[1:] == sorted_times[:-1])
        if time is not None and twice.any():
            place = first_row(twice)
            first, row = sorted((int(order[place]), int(order[place + 1])))
            remedy = "correct or remove the duplicate"
            if not by:
                remedy += "; if there are several series, set data.windows.by to the column that names them"
            has = f"series {names[number[row]]!r} has" if by else "the data has"
            there = table.origin.place(first)
            raise RawColumn.of(table, time).error(row, f"{has} another row of the same time, {there}; {remedy}")
        position = np.empty(len(table), np.int64)
        position[order] = np.arange(len(table)) - np.searchsorted(sorted_number, np.arange(len(names)))[sorted_number]
        return cls(order, number, position, names)

    @property
    def place(self) -> np.ndarray:
        """Where each row is in `order`, (rows,)."""
        place = np.empty(len(self.order), np.int64)
        place[self.order] = np.arange(len(self.order))
        return place

    def until(self, rows: np.ndarray) -> np.ndarray:
        """Return whether each row of the table is in a series of one of `rows`, and no newer than the newest of them
        there: (rows,) bool."""
        return self.position <= self.newest(rows)[self.number]

    def newest(self, rows: np.ndarray) -> np.ndarray:
        """Return the largest place among `rows` in each series, (series,); -1 where none is of it."""
        newest = np.full(len(self.names), -1)
        np.maximum.at(newest, self.number[rows], self.position[rows])
        return newest
