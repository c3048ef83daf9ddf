"""The key of a row: the values of some columns, as one text that does not depend on the other rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, first_row
from mltrain.data.files.column_types import without_zone
from mltrain.data.table import Table

# Between the values of several columns: the separator that ASCII has for this.
_SEPARATOR = "\x1f"


def group_numbers(table: Table, columns: Sequence[str]) -> np.ndarray | None:
    """Return the number of the group of each row, int64 (rows,): from 0, in the order of the keys as text.

    Args:
        table: the rows.
        columns: of the key; None is returned where there are none.

    Raises:
        DataError: a column is not there or holds arrays, or a row has no value in it.
    """
    if not columns:
        return None
    encoded = keys(table, columns).dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[encoded.indices.to_numpy(zero_copy_only=False)]


def several(groups: np.ndarray | None) -> np.ndarray | None:
    """Return the groups of some rows; None where each is for itself, so that there is nothing to keep together."""
    return None if groups is None or len(np.unique(groups)) == len(groups) else groups


def keys(table: Table, columns: Sequence[str]) -> pa.Array:
    """Return the key of each row as text (rows,); arguments and errors as for `group_numbers`."""
    texts = [_texts(RawColumn.of(table, column)) for column in columns]
    return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, _SEPARATOR)


def hashed(texts: pa.Array, seed: int) -> np.ndarray:
    """Return a number from 0 to 1 for each key, float64 (rows,), spread evenly.

    It is the first 8 bytes of the BLAKE2b hash of the key, as a fraction of 2^64; the salt of the hash is the seed.
    """
    encoded = texts.dictionary_encode()
    salt = seed.to_bytes(8, "big")
    numbers = [
        int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8, salt=salt).digest(), "big")
        for key in encoded.dictionary.to_pylist()
    ]
    return (np.array(numbers, np.float64) / 2.0**64)[encoded.indices.to_numpy(zero_copy_only=False)]


def _texts(column: RawColumn) -> pa.Array:
    values = column.values
    if isinstance(values, np.ndarray):
        raise column.failure(f"expected single values as a key, but it holds {column.holds()}")
    texts = _of_numbers(values) if pa.types.is_floating(values.type) else pc.cast(without_zone(values), pa.string())
    absent = pc.equal(pc.fill_null(texts, ""), "")
    if pc.any(absent).as_py():
        raise column.error(
            first_row(absent),
            "the value is missing, so the group of this row is unknown; correct the row or leave it out",
        )
    return texts


def _of_numbers(values: pa.Array) -> pa.Array:
    """Return numbers as text: 3.0 is 3, whatever the numbers of other rows are, as they become floats by one gap."""
    encoded = values.dictionary_encode()
    texts = [str(int(number)) if number.is_integer() else repr(number) for number in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)
