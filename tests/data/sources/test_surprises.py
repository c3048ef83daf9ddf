"""What libraries make of data files without a word, and what mltrain makes of the same files."""

import bz2
import datetime
import lzma

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.data.column_settings import AS_WRITTEN
from mltrain.data.sources import read_file
from mltrain.data.streams import open_rows
from mltrain.data.streams.block import Wanted
from mltrain.errors import DataError

ROWS = 6


def values(path, name="a", declared=None):
    return read_file(path, declared).column(name).to_pylist()


def streamed(path, kind, name="a"):
    with open_rows(path, Wanted({name: kind})) as stream:
        return [value for block in stream.blocks() for value in block.table.column(name).to_pylist()]


def test_missing_categories_of_parquet_are_missing(tmp_path):
    """`to_numpy` of a chunked dictionary column gives missing rows the last category."""
    texts = ["red", None, "blue", "red", None, "green"]
    column = pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 0, None, 2]), pa.array(["red", "blue", "green"]))
    parquet.write_table(pa.table({"a": column, "b": range(ROWS)}), tmp_path / "x.parquet")
    assert values(tmp_path / "x.parquet") == texts
    assert streamed(tmp_path / "x.parquet", "category") == texts


def test_each_row_group_has_a_dictionary_of_its_own(tmp_path):
    groups = [["red", None, "blue"], ["blue", "green", None], ["red", "red", "green"]]
    schema = pa.schema([("a", pa.dictionary(pa.int32(), pa.string())), ("b", pa.int64())])
    with parquet.ParquetWriter(tmp_path / "x.parquet", schema) as writer:
        for group in groups:
            writer.write_table(pa.table({"a": pa.array(group).dictionary_encode(), "b": [1, 2, 3]}, schema))
    assert parquet.read_metadata(tmp_path / "x.parquet").num_row_groups == 3
    expected = [text for group in groups for text in group]
    assert values(tmp_path / "x.parquet") == expected
    assert streamed(tmp_path / "x.parquet", "category") == expected


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "npz"])
def test_one_number_above_2_63_does_not_round_the_others(form, tmp_path):
    """One such value makes a CSV column of pyarrow float64, and 9007199254740993 becomes 9007199254740992."""
    numbers = [9007199254740993, 2**64 - 1, 5]
    path = tmp_path / f"x.{form}"
    if form == "csv":
        path.write_text("a,b\n" + "".join(f"{number},1\n" for number in numbers))
    elif form == "jsonl":
        path.write_text("".join(f'{{"a": {number}, "b": 1}}\n' for number in numbers))
    elif form == "parquet":
        parquet.write_table(pa.table({"a": pa.array(numbers, pa.uint64()), "b": [1, 1, 1]}), path)
    else:
        np.savez(path, a=np.array(numbers, np.uint64), b=np.ones(3))
    with pytest.raises(DataError, match=r"declare data\.features\.a: category"):
        values(path)
    for kind in ("category", AS_WRITTEN):  # the advice works
        assert values(path, declared={"a": kind}) == [str(number) for number in numbers]


@pytest.mark.parametrize("text", ["NAN", "Nan", "0x10", "1_000", "Infinity", "1e999"])
def test_texts_that_some_libraries_take_for_numbers_are_an_error_at_their_line(text, tmp_path):
    (tmp_path / "x.csv").write_text(f"a,b\n1,1\n2,1\n{text},1\n3,1\n")
    with pytest.raises(DataError, match=r"x\.csv:4: column 'a'"):
        values(tmp_path / "x.csv")


def test_fractions_of_a_second_do_not_make_far_dates_texts(tmp_path):
    moments = [datetime.datetime(2024, 5, 31, 16, 0, 0, 123456), datetime.datetime(9999, 12, 31)]
    (tmp_path / "x.csv").write_text("a,b\n2024-05-31T16:00:00.123456,1\n9999-12-31T00:00:00,1\n")
    (tmp_path / "x.jsonl").write_text('{"a": "2024-05-31T16:00:00.123456"}\n{"a": "9999-12-31"}\n')
    parquet.write_table(pa.table({"a": pa.array(moments, pa.timestamp("us")), "b": [1, 2]}), tmp_path / "x.parquet")
    np.savez(tmp_path / "x.npz", a=np.array(moments, "M8[us]"), b=np.ones(2))
    for form in ("csv", "jsonl", "parquet", "npz"):
        assert values(tmp_path / f"x.{form}") == moments, form


def test_nanoseconds_are_cut_to_microseconds(tmp_path):
    column = pa.array([1_700_000_000_123_456_789], pa.timestamp("ns"))
    parquet.write_table(pa.table({"a": column, "b": [1]}), tmp_path / "x.parquet")
    assert values(tmp_path / "x.parquet") == [datetime.datetime(2023, 11, 14, 22, 13, 20, 123456)]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_times_with_and_without_a_zone_in_one_column_are_an_error(form, tmp_path):
    path, texts = tmp_path / f"x.{form}", ["2024-01-01T10:00:00Z", "2024-01-01T11:00:00+02:00", "2024-01-01T12:00:00"]
    lines = [f"{text},1" if form == "csv" else f'{{"a": "{text}", "b": 1}}' for text in texts]
    path.write_text("\n".join(["a,b", *lines] if form == "csv" else lines) + "\n")
    with pytest.raises(
        DataError, match=rf"x\.{form}:{4 if form == 'csv' else 3}: column 'a'.*some times have a time zone"
    ):
        values(path)


def test_quoted_line_breaks_are_read_across_blocks(tmp_path, monkeypatch):
    """Above a block, pyarrow's reader of a dataset gives an error, or one row too many."""
    for module in ("delimited_text", "delimited_blocks"):
        monkeypatch.setattr(f"mltrain.data.files.{module}.BLOCK_BYTES", 1000)
    texts = [f"line {row}\nand another\r\n" + "x" * (row % 700) for row in range(300)]
    (tmp_path / "x.csv").write_text(
        "a,b\n" + "".join(f'"{text}",{row}\n' for row, text in enumerate(texts)), newline=""
    )
    assert values(tmp_path / "x.csv", declared={"a": "category"}) == [text.strip() for text in texts]
    assert values(tmp_path / "x.csv", "b") == list(range(300))
    assert streamed(tmp_path / "x.csv", "number", "b") == list(range(300))


def test_json_errors_count_lines_in_the_whole_file(tmp_path):
    """Where a reader works in blocks, the number of its row counts from the block."""
    lines = [f'{{"a": {row}, "note": "{"z" * 900}"}}' for row in range(12_000)]
    lines[11_000] = '{"a": }'
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    for read in (lambda: values(tmp_path / "x.jsonl"), lambda: streamed(tmp_path / "x.jsonl", "number")):
        with pytest.raises(DataError, match=r"x\.jsonl:11001: not JSON"):
            read()


ZSTANDARD = bytes.fromhex("28b52ffd") + bytes(20)
COMPRESSED = {"Zstandard": ZSTANDARD, "xz": lzma.compress(b"a,b\n1,2\n"), "bzip2": bz2.compress(b"a,b\n1,2\n")}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_other_compressions_are_named(kind, tmp_path):
    for form in ("csv", "jsonl"):
        path = tmp_path / f"x.{form}"
        path.write_bytes(COMPRESSED[kind])
        for read in (lambda path=path: values(path), lambda path=path: streamed(path, "number")):
            with pytest.raises(DataError, match=f"compressed by {kind}; unpack it first"):
                read()
    with pytest.raises(DataError, match="unpack it first, or compress it with gzip"):
        values(tmp_path / "x.csv.zst")
