from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.data.files.parquet_footer import stated_values

COLUMNS: dict[str, Any] = {
    "number": [1, 2, 3, 4],
    "text": ["a", None, "ä", ""],
    "list": [[1.0, 2.0], [], None, [3.0]],
    "nested": [[[1], [2, 3]], [[]], None, []],
    "fixed": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(20.0)), 5),
    "map": pa.array([[("k", 1)], [], None, [("k", 2), ("l", 3)]], pa.map_(pa.string(), pa.int64())),
}


def file_of(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"row_group_size": 1},
        {"row_group_size": 3, "compression": "none", "use_dictionary": False},
        {"store_schema": False, "write_statistics": False},
        {"version": "1.0", "data_page_version": "2.0", "write_page_index": True, "write_page_checksum": True},
        {"sorting_columns": [parquet.SortingColumn(0)]},
    ],
    ids=str,
)
def test_the_numbers_are_those_of_pyarrow(options: dict[str, Any]) -> None:
    data = file_of(pa.table(COLUMNS), **options)
    metadata = parquet.ParquetFile(io.BytesIO(data)).metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    expected = [sum(group.column(number).num_values for group in groups) for number in range(metadata.num_columns)]
    assert stated_values(data) == expected


def test_a_file_without_rows() -> None:
    data = file_of(pa.table({"a": pa.array([], pa.list_(pa.int64()))}))
    assert sum(stated_values(data)) == 0


@pytest.mark.parametrize(
    "footer",
    [
        b"",
        b"\x00",  # a struct without row groups is one of none
        b"\x49",  # a list is promised
        b"\x49\xf7\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # of billions of numbers
        b"\x49\xf1" + b"\xff" * 100,  # of more than can be counted
        b"\x49\xf9" + b"\xff" * 9 + b"\x01",
        b"\x49" + b"\x19" * 100_000,  # nested without end
        b"\x48\xff\xff\xff\xff\x7f",  # a text longer than the footer
        b"\x4d",  # of a type that there is not
        b"\x49\x1c\x00\x00",  # a row group without columns
    ],
    ids=lambda footer: footer[:12].hex() or "empty",
)
def test_what_is_no_footer(footer: bytes) -> None:
    data = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    if footer == b"\x00":
        assert stated_values(data) == []
    else:
        with pytest.raises(ValueError, match="its footer"):
            stated_values(data)
