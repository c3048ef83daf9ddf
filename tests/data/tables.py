"""Small tables for the tests of data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from mltrain.data.encoders.column import RawColumn
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.table import Column, Origin, Table
from mltrain.task import the_only


def table(**columns: Any) -> Table:
    """Return a table of lists and arrays; its rows are `made.csv[0]`, `made.csv[1]`, …"""
    values: dict[str, Column] = {
        name: column if isinstance(column, np.ndarray) and column.ndim > 1 else pa.array(column)
        for name, column in columns.items()
    }
    return Table(values, Origin("made.csv"), sha256="0" * 64)


def column(values: Any, name: str = "x") -> RawColumn:
    """Return one raw column."""
    return RawColumn.of(table(**{name: values}), name)


def only_input(preprocessing: Preprocessing, rows: Table) -> np.ndarray:
    """Return the encoded rows where they feed one input."""
    return the_only(preprocessing.encode(rows).inputs)


def mixed_table(rows: int, seed: int) -> Table:
    """Return a table with a column of every kind and missing values in each, under names that are hard for Keras."""
    rng = np.random.default_rng(seed)

    def with_gaps(values: list[Any], share: float = 0.1) -> list[Any]:
        return [None if gap else value for value, gap in zip(values, rng.random(rows) < share, strict=True)]

    days = [datetime(2021, 1, 1 + int(day), int(hour), 30) for day, hour in zip(
        rng.integers(0, 28, rows), rng.integers(0, 24, rows), strict=True
    )]  # fmt: skip
    return table(
        **{
            "island": with_gaps(rng.choice(["Biscoe", "Dream", 'É"t\n', "[UNK]"], rows).tolist()),
            "mean radius": with_gaps((2000 + rng.normal(size=rows) / 100).tolist()),
            "price/sqm": rng.lognormal(3, 2, rows).tolist(),
            "cast": rng.integers(-5, 5, rows).tolist(),
            "where": with_gaps(rng.choice(["low", "mid", "high"], rows).tolist()),
            "sold": with_gaps(days),
            "sold.hour": rng.integers(0, 3, rows).tolist(),
            "open": with_gaps((rng.random(rows) < 0.7).tolist()),
            "zip": rng.choice(["8001", "8002", "8003"], rows).tolist(),
            "constant": [3] * rows,
            "y": rng.normal(50, 9, rows).tolist(),
        }
    )
