"""Rows that come in blocks are those of the whole file, wherever it is cut, and errors name the same lines."""

import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.data.files.delimited import Dialect
from mltrain.data.files.delimited_faults import records
from mltrain.data.files.missing_values import MissingValues
from mltrain.data.streams.arrays import ArraysStream
from mltrain.data.streams.block import Wanted
from mltrain.data.streams.delimited import DelimitedStream
from mltrain.data.streams.json_lines import JsonLinesStream
from mltrain.data.streams.parquet import ParquetStream
from mltrain.errors import DataError

WANTED = Wanted({"a": "number"})

TEXTS = {
    "plain": "a,b\n" + "".join(f"{row},x{row}\n" for row in range(50)),
    "no last line end": "a,b\n1,x\n2,y",
    "windows": "a,b\r\n" + "".join(f"{row},x{row}\r\n" for row in range(50)),
    "old macintosh": "a,b\r" + "".join(f"{row},x{row}\r" for row in range(50)),
    "blank lines": "a,b\n\n" + "".join(f"{row},x{row}\n\n" for row in range(30)),
    "quotes": "a,b\n" + "".join(f'{row},"x,{row}"\n' for row in range(40)),
    "line ends in quotes": "a,b\n" + "".join(f'{row},"x\n""{row}"""\n' for row in range(40)),
    "quotes as characters": "a,b\n" + "".join(f'{row},{row}" pipe\n{row},x\n' for row in range(30)),
    "odd quotes among others": 'a,b\n1,5" pipe\n' + "".join(f'{row},"x\n{row}"\n' for row in range(30)),
    "header in quotes": '"a","b\nb"\n' + "".join(f"{row},x\n" for row in range(20)),
    "byte order mark": "\ufeffa,b\n" + "".join(f"{row},ä{row}\n" for row in range(30)),
}


def delimited(text, size, wanted=WANTED, encoding="utf-8"):
    return DelimitedStream(io.BytesIO(text.encode(encoding)), "x.csv", Dialect(",", (), encoding), wanted, size)


def rows_of(stream):
    blocks = list(stream.blocks())
    return pa.concat_tables([block.kept for block in blocks]).to_pylist(), blocks


@pytest.mark.parametrize("size", [11, 16, 64, 1000, 1 << 20])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_cut_between_records_only(text, size):
    found, blocks = rows_of(delimited(text, size))
    header, *expected = records(text.removeprefix("\ufeff").encode(), ",")
    assert [tuple(row.values()) for row in found] == [tuple(each.fields) for each in expected]
    assert list(found[0]) == header.fields
    if size <= 16 and len(text) > 100:
        assert len(blocks) > 5


@pytest.mark.parametrize("size", [11, 16, 64, 1000])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_rows_have_the_lines_of_the_file(text, size):
    _, blocks = rows_of(delimited(text, size))
    places = [block.table.origin.place(row) for block in blocks for row in range(len(block.kept))]
    _, *expected = records(text.removeprefix("\ufeff").encode(), ",")
    assert places == [f"x.csv:{each.line}" for each in expected]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252", "utf-8-sig"])
@pytest.mark.parametrize("size", [11, 12, 64])
def test_other_encodings_are_decoded_across_cuts(encoding, size):
    text = "a,b\n" + "".join(f"{row},ä{row}\n" for row in range(30))
    assert rows_of(delimited(text, size, encoding=encoding))[0] == rows_of(delimited(text, 1 << 20))[0]


WRONG = {
    "too many fields": ("7,x,y", "x.csv:41: 3 fields, where the header has 2 (a, b)"),
    "no number": ("seven,x", "x.csv:41: column 'a': 'seven' is not a number"),
    "text after a quote": ('7,"x"y', "x.csv:41: text after a closing quote"),
    "an open quote": ('7,"x', "x.csv:41: a quote that opens in this row is never closed"),
    "a NUL byte": ("7,\0", "x.csv:41: a NUL byte"),
}


@pytest.mark.parametrize("size", [16, 64, 1 << 20])
@pytest.mark.parametrize(("line", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_line_of_a_later_block_is_named_by_its_number(line, said, size):
    lines = ["a,b", *(f"{row},x" for row in range(80))]
    lines[40] = line
    with pytest.raises(DataError) as refused:
        rows_of(delimited("\n".join(lines), size))
    assert str(refused.value).startswith((said, "x.csv:41: a field is longer", "x.csv:41: a row of more than"))
    assert size < 1000 or str(refused.value).startswith(said)


def test_a_byte_that_is_no_text_is_named_by_its_line():
    text = b"a,b\n" + b"1,x\n" * 30 + b"1,\xe4\n"
    with pytest.raises(DataError, match=r"x\.csv:32: byte 3 of the line is 0xe4, which is not utf-8 text"):
        rows_of(DelimitedStream(io.BytesIO(text), "x.csv", Dialect(","), WANTED, 16))


class Counted(io.BytesIO):
    """Says how much was read at once, and how much of what was read had not been asked for as rows yet."""

    def __init__(self, data):
        super().__init__(data)
        self.reads = []

    def read(self, size=-1):
        assert size is not None
        assert size > 0, "the whole file is read at once"
        data = super().read(size)
        self.reads.append(len(data))
        return data


@pytest.mark.parametrize("rows", [1_000, 100_000])
def test_no_more_than_two_reads_of_a_text_are_in_the_memory(rows):
    size = 4096
    for data, stream in (
        ("a,b\n" + "1,2\n" * rows, lambda file: DelimitedStream(file, "x", Dialect(","), WANTED, size)),
        ('{"a": 1, "b": 2}\n' * rows, lambda file: JsonLinesStream(file, "x", MissingValues(), WANTED, size)),
    ):
        file = Counted(data.encode())
        done = 0
        for block in stream(file).blocks():
            done += len(block.kept)
            assert block.kept.nbytes < 8 * size
            behind = file.tell() - len(data) * done // rows
            assert behind < 2 * size
        assert done == rows
        assert max(file.reads) <= size


def test_a_block_of_parquet_and_of_arrays_has_so_many_rows_whatever_the_file_has(tmp_path):
    for rows in (1_000, 50_000):
        parquet.write_table(pa.table({"a": np.arange(rows), "b": ["x"] * rows}), tmp_path / "x.parquet")
        with (tmp_path / "x.parquet").open("rb") as file:
            sizes = [len(block.kept) for block in ParquetStream(file, "x.parquet", WANTED, rows=300).blocks()]
        assert max(sizes) == 300
        assert sum(sizes) == rows
        np.savez_compressed(tmp_path / "x.npz", a=np.arange(rows), b=np.zeros((rows, 3)))
        with (tmp_path / "x.npz").open("rb") as file:
            blocks = list(ArraysStream(file, "x.npz", {}, WANTED, rows=300).blocks())
        assert max(len(block.table) for block in blocks) == 300
        assert np.array_equal(np.concatenate([block.table.column("a") for block in blocks]), np.arange(rows))


def test_lines_of_json_stay_as_they_are():
    lines = ['{"a":1,  "b": [1, {"c": null}]}', "", ' {"b": 2}', '{"a": 2.50}']
    found, blocks = rows_of(
        JsonLinesStream(io.BytesIO("\n".join(lines).encode()), "x.jsonl", MissingValues(), WANTED, 40)
    )
    assert [row["line"].decode() for row in found] == [line.strip() for line in lines if line]
    assert [block.table.origin.place(row) for block in blocks for row in range(len(block.table))] == [
        f"x.jsonl:{line}" for line in (1, 3, 4)
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1]", "x.jsonl:31: expected one JSON object per line"),
        ('{"a": "x"}', "x.jsonl:31: column 'a': 'x' is not a number"),
        ('{"a": 1, "prediction": 2}', "x.jsonl:31: the row has a key 'prediction', and so is a new column called"),
    ],
)
def test_a_wrong_line_of_json_in_a_later_block(line, said):
    lines = ['{"a": 1}'] * 60
    lines[30] = line
    with pytest.raises(DataError) as refused:
        stream = JsonLinesStream(io.BytesIO("\n".join(lines).encode()), "x.jsonl", MissingValues(), WANTED, 64)
        stream.reserved = frozenset({"prediction"})
        rows_of(stream)
    assert str(refused.value).startswith(said)


def test_a_wrong_row_of_parquet_in_a_later_block(tmp_path):
    values = [1.0] * 1000
    values[700] = float("inf")
    parquet.write_table(pa.table({"a": values}), tmp_path / "x.parquet")
    with (tmp_path / "x.parquet").open("rb") as file, pytest.raises(DataError, match=r"x\.parquet\[700\]: column 'a'"):
        rows_of(ParquetStream(file, "x.parquet", WANTED, rows=256))


def test_columns_that_are_not_there_are_all_named():
    wanted = Wanted({"a": "number", "c": None, "d": None})
    with pytest.raises(DataError, match=r"x\.csv:1: 2 columns are missing: 'c', 'd', which the model needs"):
        rows_of(delimited("a,b\n1,2\n", 100, wanted))
    with pytest.raises(DataError, match=r"no column 'size' \(did you mean 'siez'\?\)"):
        rows_of(delimited("siez,b\n1,2\n", 100, Wanted({"size": "number"})))


@pytest.mark.parametrize(("text", "said"), [("", "empty"), ("\n \n\n", "empty"), ("a,b\n", "a header and no rows")])
def test_files_without_rows(text, said):
    with pytest.raises(DataError, match=said):
        rows_of(delimited(text, 2))


def test_arrays_that_are_objects_or_shorter_than_they_say_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"not an \.npz file, or it is damaged"):
        ArraysStream(io.BytesIO(b"PK nothing"), "x.npz", {}, WANTED)
    np.savez(tmp_path / "x.npz", a=np.array([{}], dtype=object))
    with (tmp_path / "x.npz").open("rb") as file, pytest.raises(DataError, match="objects"):
        ArraysStream(file, "x.npz", {}, WANTED)
    short = io.BytesIO()
    with zipfile.ZipFile(short, "w") as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (9,)})
        archive.writestr("a.npy", header.getvalue() + bytes(8))
    with pytest.raises(DataError, match="has 8 bytes of data"):
        ArraysStream(short, "x.npz", {}, WANTED)


def test_texts_of_parquet_that_unfold_to_far_more_than_the_file_are_refused(tmp_path, monkeypatch):
    from mltrain.data.files import opening

    monkeypatch.setattr(opening, "UNPACKED_FLOOR", 1 << 16)
    parquet.write_table(pa.table({"a": range(5000), "b": ["x" * 10_000] * 5000}), tmp_path / "x.parquet")
    with (tmp_path / "x.parquet").open("rb") as file, pytest.raises(DataError, match="unpack to more than"):
        rows_of(ParquetStream(file, "x.parquet", WANTED))


def test_a_table_keeps_the_types_of_its_parquet(tmp_path):
    table = pa.table(
        {
            "a": pa.array([1, None, 3], pa.int32()),
            "b": pa.array(["x", "y", "x"], pa.large_string()),
            "c": pa.array(["x", "y", "x"]).dictionary_encode(),
            "d": pa.array([b"1", b"2", None]),
            "e": pa.array([[1.0], [], None]),
        }
    )
    parquet.write_table(table, tmp_path / "x.parquet")
    with (tmp_path / "x.parquet").open("rb") as file:
        stream = ParquetStream(file, "x.parquet", WANTED)
        (block,) = stream.blocks()
    assert block.kept.equals(table)
    assert stream.left_out_of_text == ("d", "e")
    assert json.dumps(block.table.column("a").to_pylist()) == "[1, null, 3]"
