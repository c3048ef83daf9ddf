"""Which columns of a table are in the windows of an experiment, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pyarrow as pa

from mltrain.data.beside_windows import refuse_absent
from mltrain.data.encoders.column import RawColumn, is_empty, is_number
from mltrain.data.features import BooleanFeature, NumberFeature
from mltrain.data.spec import DataSpec
from mltrain.data.table import Table, is_index_name
from mltrain.data.window_use import Use
from mltrain.data.windowed import Windowed, with_windows
from mltrain.data.windows import WindowsSpec
from mltrain.task import Decision
from mltrain.wording import in_words, listed


def windowed_rows(table: Table, spec: DataSpec, targets: tuple[str, ...]) -> tuple[Windowed, tuple[Decision, ...]]:
    """Return the rows of an experiment with their windows, and what there is to say of them; raises as `with_windows`.

    In the windows are the target and all columns of numbers and truth values, but those that say the time and the
    series, which `data.features` may declare, and static ones.

    Raises:
        MisfitError: a column that is to be beside the windows is not there.
    """
    windows = cast(WindowsSpec, spec.windows)
    time = spec.split.time_column
    refuse_absent(table, windows, targets)
    features, decisions = [], []
    for name, column in table.columns.items():
        feature = spec.features.get(name)
        if name in targets or (isinstance(feature, NumberFeature | BooleanFeature) and name not in windows.static):
            features.append(name)
        elif feature is None and name not in (time, windows.by, *windows.static):
            if is_index_name(name) and name not in windows.known:
                reason = "pandas wrote its row index here, which is not a property of the row"
                decisions.append(Decision(f"features.{name}", "left out", reason))
            elif isinstance(column, pa.Array) and not is_empty(column) and _is_numeric(column):
                features.append(name)
            elif name not in windows.known:
                reason = f"windows hold numbers, but the column holds {RawColumn.of(table, name).holds()}"
                decisions.append(Decision(f"features.{name}", "left out", reason))
    windowed = with_windows(table, windows, tuple(features), time, Use(needed=targets))
    series = len(windowed.series.names)
    used = len(np.unique(windowed.series.number[windowed.examples]))
    rows = f"{len(table):,} rows" if series == 1 else f"{len(table):,} rows in {series:,} series"
    what = in_words([f"'{name}'" for name in targets])
    value = f"the last {windows.length} rows of {listed(features)}, to forecast {what} {windows.horizon} ahead"
    reason = f"{len(windowed.examples):,} of {rows} have enough rows before them"
    if used < series:
        reason += f", in {used:,} of the series"
    # The audit warns of windows over gaps that are kept.
    warned = windowed.gaps is not None and windowed.gaps.spanning > 0 and windows.gaps == "keep"
    method = windows.gaps if isinstance(windows.gaps, str) else f"fill: {windows.gaps.fill}"
    gaps = tuple(Decision("windows.gaps", method, said) for said in windowed.sentences if not warned)
    return windowed, (Decision("windows", value, reason), *_beside(windows), *gaps, *decisions)


def _beside(windows: WindowsSpec) -> Iterator[Decision]:
    """Yield what is said of the columns beside the windows: what is known in advance is the word of the config."""
    if windows.known:
        rows = "row" if windows.horizon == 1 else f"{windows.horizon} rows"
        reason = (
            f"the config says that they are known in advance: the model sees them in the {rows} up to the target; if "
            "one is not, the scores are too good"
        )
        yield Decision("windows.known", listed(windows.known), reason)
    if windows.static:
        yield Decision("windows.static", listed(windows.static), "they have one value in each series")


def _is_numeric(column: pa.Array) -> bool:
    return is_number(column.type) or bool(pa.types.is_boolean(column.type))
