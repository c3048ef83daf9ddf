"""What stays of the raw rows once they are encoded: columns that can be shown, and some rows as they were read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.preprocessing import Preprocessing
from mltrain.data.splits.rows import Splits
from mltrain.data.table import Column, Table

# Raw rows that are kept, to try what was written on them.
SAMPLE_ROWS = 64
# Of a wide table that stays; 8 MB.
_KEPT_VALUES = 1 << 20
# More of a text is never shown.
_KEPT_CHARACTERS = 256


def shown_columns(preprocessing: Preprocessing, table: Table, splits: Splits) -> Table | None:
    """Return the features of all rows that can be shown: those of a table, and the beginnings of texts in the last
    split. None where there are no such columns, and for a large table, whose numbers have twice the digits of the
    examples.

    Args:
        preprocessing: fitted.
        table: all rows, as they were read.
        splits: the rows of each.
    """
    texts = preprocessing.token_rules
    names = [encoder.column for encoder in preprocessing.columns if encoder.names or encoder.column in texts]
    few = len(preprocessing.columns) == 1 or len(table) * len(table.columns) <= _KEPT_VALUES
    if not names or not few:
        return None
    *_, (_, last) = splits.items()
    kept = {name: table.columns[name] for name in names}
    return replace(table, columns=kept | {name: _beginnings(kept[name], last) for name in texts}, images={})


def sampled_rows(table: Table, splits: Splits) -> Table:
    """Return the first rows of the last split."""
    *_, (_, last) = splits.items()
    taken = table.take(last[:SAMPLE_ROWS])
    return replace(taken, columns=dict(taken.columns))


def _beginnings(texts: Column, rows: np.ndarray) -> Column:
    """Return the texts of `rows`, cut to what is ever shown, and nothing of the others: all of them are as large as the
    file."""
    if isinstance(texts, np.ndarray) or not pa.types.is_string(texts.type):
        return texts
    kept = np.zeros(len(texts), bool)
    kept[rows] = True
    return pc.utf8_slice_codeunits(pc.if_else(pa.array(kept), texts, pa.scalar("")), 0, _KEPT_CHARACTERS)
