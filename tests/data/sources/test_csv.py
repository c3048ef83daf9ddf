"""CSV files: what they hold, and what every kind of damage is answered with."""

from __future__ import annotations

import csv
import datetime
import gzip
import hashlib
import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltrain.data.column_settings import AS_WRITTEN
from mltrain.data.files import opening
from mltrain.data.sources import CsvSource
from mltrain.errors import DataError


@pytest.fixture
def read(tmp_path):
    def read(content, declared=None, name="x.csv", **arguments):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return CsvSource(path=path, **arguments).read(0, declared)

    return read


@pytest.fixture
def fault(read):
    def fault(*arguments, **keywords):
        with pytest.raises(DataError) as raised:
            read(*arguments, **keywords)
        message = str(raised.value)
        assert "\n" not in message
        return message

    return fault


def values(table, name):
    return table.column(name).to_pylist()


def test_each_kind_of_column(read):
    table = read("n,x,b,d,t\n1,1.5,TRUE,2024-05-31,red\n,NA,,,\n-3,1e3,false,2024-06-01,blue house\n")
    assert [str(column.type) for column in table.columns.values()] == [
        "int64",
        "double",
        "bool",
        "timestamp[us]",
        "string",
    ]
    assert values(table, "n") == [1, None, -3]
    assert values(table, "x") == [1.5, None, 1000.0]
    assert values(table, "b") == [True, None, False]
    assert values(table, "d") == [datetime.datetime(2024, 5, 31), None, datetime.datetime(2024, 6, 1)]
    assert values(table, "t") == ["red", None, "blue house"]


def test_the_origin_and_the_hash(read):
    content = b"a,b\n1,2\n3,4\n"
    table = read(content)
    assert len(table) == 2
    assert table.sha256 == hashlib.sha256(content).hexdigest()
    assert [table.origin.place(row) for row in range(2)] == ["x.csv:2", "x.csv:3"]
    assert table.take(np.array([1])).origin.place(0) == "x.csv:3"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,b\n1,2\n",
        b"a,b\r\n1,2\r\n",
        b"a,b\r1,2\r",
        b"a,b\n1,2",
        b'"a","b"\n"1","2"\n',
        b" a , b \n 1 , 2 \n",
    ],
    ids=["bom", "crlf", "cr", "no-newline-at-end", "quoted", "spaces"],
)
def test_one_table_in_many_dialects(read, content):
    table = read(content)
    assert (values(table, "a"), values(table, "b")) == ([1], [2])


def test_delimiters_endings_and_encodings(read, fault):
    assert values(read("a\tb\n1\t2\n", name="x.tsv"), "b") == [2]
    assert values(read(gzip.compress(b"a,b\n1,2\n"), name="x.csv.gz"), "b") == [2]
    assert values(read("a;b\n1;2\n", delimiter=";"), "b") == [2]
    assert values(read("a,b\nCafé,2\n".encode("cp1252"), encoding="cp1252"), "a") == ["Café"]
    assert values(read("a,b\nCafé,2\n".encode("utf-16"), encoding="utf-16"), "a") == ["Café"]
    assert "x.csv:1: " in fault("a;b\n1;2\n")
    assert "set data.source.delimiter: ';'" in fault("a;b\n1;2\n")


def test_missing_values_are_those_of_pandas_and_the_users(read):
    table = read("a,b\n1,x\n?,NA\nN/A,-\n", missing=("?", " - "))
    assert values(table, "a") == [1, None, None]
    assert values(table, "b") == ["x", None, None]
    assert values(read("a,b\n1,\n2,nan\n"), "b") == [None, None]


def test_a_text_in_a_number_column_is_named_with_its_line(fault):
    rows = "".join(f"{n},1\n" for n in range(340))
    assert fault(f"bill,y\n{rows}abc,1\n{rows[:40]}", name="penguins.csv").startswith(
        "penguins.csv:342: column 'bill': 'abc' is not a number (350 of 351 values are). Correct the row, or declare "
        "data.features.bill: category, or add 'abc' to data.source.missing"
    )


@pytest.mark.parametrize("value", ["inf", "-inf", "Infinity", "1,5", "1e", "0x1F", "1_000", "12 3", "NAN", "--1", "٣"])
def test_what_is_not_a_number_among_numbers(fault, value):
    assert f"x.csv:3: column 'a': {value!r} is not a number" in fault(f'a,b\n1,1\n"{value}",1\n3,1\n4.5,1\n')


def test_numbers_beyond_the_types(read, fault):
    assert "x.csv:3: column 'a': '1e999' is too large" in fault("a,b\n1,1\n1e999,1\n")
    assert "'12345678901234567891' would be rounded" in fault("a,b\n1,1\n12345678901234567891,1\n")
    assert values(read("a,b\n9223372036854775807,1\n"), "a") == [2**63 - 1]
    assert values(read("a,b\n18446744073709551616,1\n"), "a") == [2.0**64]
    assert values(read("a,b\n+5,.5\n7,1.\n"), "a") == [5, 7]


def test_a_column_of_mostly_texts_is_text(read):
    assert values(read("a,b\n1,1\nx,1\ny,1\n"), "a") == ["1", "x", "y"]
    assert values(read("a,b\n12:30,1\n12:45,1\n"), "a") == ["12:30", "12:45"]
    assert values(read("a,b\ntrue,1\nfalse,1\nmaybe,1\n"), "a") == ["true", "false", "maybe"]


def test_a_column_without_values(read):
    table = read("a,b,c,d\n,,,1\n,,,2\n", {"b": "category", "c": "datetime"})
    assert [str(column.type) for column in table.columns.values()] == ["double", "string", "timestamp[us]", "int64"]


def test_what_is_declared_is_taken_at_its_word(read, fault):
    assert values(read("a,b\n01,1\n2,1\nx,1\n3,1\n", {"a": "category"}), "a") == ["01", "2", "x", "3"]
    assert values(read("a,b\n1,1\n2,1\nx,1\n", {"a": AS_WRITTEN}), "a") == ["1", "2", "x"]
    assert values(read("a,b\n1,1\n2,1\nx,1\n", {"a": "ignore"}), "a") == [None, None, None]
    assert values(read("a,b\nyes,1\n0,1\n,1\nTRUE,1\n", {"a": "boolean"}), "a") == [True, False, None, True]
    message = fault("a,b\nx,1\n2,1\ny,1\n", {"a": "number"})
    assert "x.csv:2: column 'a': 'x' is not a number (1 of 3 values are)" in message
    assert "category" not in message
    assert "x.csv:3: column 'a': '2' is not a boolean" in fault("a,b\nyes,1\n2,1\n", {"a": "boolean"})
    assert "x.csv:3: column 'a': 'x' is not a date" in fault("a,b\n2024-01-01,1\nx,1\ny,1\n", {"a": "datetime"})


def test_dates_and_times(read, fault):
    def moments(*texts):
        return values(read("a,b\n" + "".join(f"{text},1\n" for text in texts)), "a")

    moment = datetime.datetime
    assert moments("2024-05") == [moment(2024, 5, 1)]
    assert moments("2024-05-31 16:00", "2024-05-31T16:00:01.5") == [
        moment(2024, 5, 31, 16),
        moment(2024, 5, 31, 16, 0, 1, 500000),
    ]
    assert moments("2024-05-31T16:00Z", "2024-05-31T16:00+02:00") == [
        moment(2024, 5, 31, 16, tzinfo=datetime.UTC),
        moment(2024, 5, 31, 14, tzinfo=datetime.UTC),
    ]
    assert "x.csv:3: column 'a': '2024-02-30' is not a date" in fault("a,b\n2024-01-01,1\n2024-02-30,1\n")
    assert "x.csv:4: column 'a': 'soon' is not a date" in fault("a,b\n2024-01-01,1\n2024-02-01,1\nsoon,1\n")
    assert "x.csv:3: column 'a'" in fault("a,b\n2024-01-01T10:00,1\n2024-02-01T10:00Z,1\n")


DAMAGED = {
    "too few": ("a,b\n1,2\n3\n", "x.csv:3: 1 field, where the header has 2 (a, b)"),
    "too many": ("a,b\n1,2\n3,4,5\n", "x.csv:3: 3 fields, where the header has 2 (a, b)"),
    "after a blank line and a quoted line end": ('a,b\n\n"x\ny",2\n3,4,5\n', "x.csv:5: 3 fields"),
    "open quote": ('a,b\n1,2\n"x,2\n3,4\n', "x.csv:3: a quote that opens in this row is never closed"),
    "open quote in the last field": ('a,b\n1,2\n3,"4\n', "x.csv:3: a quote that opens in this row is never closed"),
    "text after a quote": ('a,b\n"x"y,2\n', "x.csv:2: text after a closing quote"),
    "nul": (b"a,b\n1,2\n3,\x004\n", "x.csv:3: a NUL byte"),
    "twice the same name": ("a,b,a\n1,2,3\n", "x.csv:1: columns 1 and 3 are both named 'a'"),
    "no name": (",b\n1,2\n", "x.csv:1: column 1 of 2 has no name"),
    "empty": (b"", "x.csv: the file is empty"),
    "blank": (b"\n \n", "x.csv: the file is empty"),
    "byte order mark only": (b"\xef\xbb\xbf", "x.csv: the file is empty"),
    "header only": ("a,b\n", "x.csv: the file has a header and no rows"),
    "header without line end": ("a,b", "x.csv: the file has a header and no rows"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "set data.source.encoding: utf-16"),
    "cp1252": (b"a,b\n1,2\nCaf\xe9,3\n", "x.csv:3: byte 4 of the line is 0xe9, which is not utf-8 text"),
    "long field": (b"a,b\n1,2\n" + b"x" * 131073 + b",2\n", "x.csv:3: column 'a': a field of 131073 bytes"),
    "row longer than a block": (b"a,b\n1,2\n" + b"x" * (9 * 2**20) + b",2\n", "x.csv:3: "),
    "long quoted field": (b'a,b\n1,2\n3"x,"' + b"y\n" * 70000, "x.csv:"),
    "gzip by content": (gzip.compress(b"a,b\n1,2\n"), "give it a name that ends in .gz"),
    "excel": (b"PK\x03\x04rest", "x.csv: this is a zip archive or an Excel workbook"),
    "parquet": (b"PAR1rest", "x.csv: this is a Parquet file"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named_with_its_line(fault, content, message):
    assert message in fault(content)


def test_the_line_of_a_row_after_quoted_line_ends_and_blank_lines(fault, read):
    text = 'a,b\n\n"x\ny",2\n\n' + '"3\n4",5\n' * 3 + "z,w\n"
    assert "x.csv:12: column 'b': 'w' is not a number" in fault(text)
    table = read(text.replace("w", "9"))
    assert [table.origin.place(row) for row in range(5)] == ["x.csv:3", "x.csv:6", "x.csv:8", "x.csv:10", "x.csv:12"]


def test_the_line_of_a_row_when_the_file_is_another_by_now(read, tmp_path):
    table = read("a,b\n\n1,2\n")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert table.origin.place(0) == "x.csv, row 1"
    (tmp_path / "x.csv").unlink()
    assert table.origin.place(0) == "x.csv, row 1"


def test_a_quote_in_the_middle_of_a_field_is_a_character(read):
    assert values(read('a,b\n5" pipe,1\nx,2\n'), "a") == ['5" pipe', "x"]
    assert values(read('a,b\n"5"" pipe, long",1\nx,2\n'), "a") == ['5" pipe, long', "x"]


def test_gzip_files_that_are_none_cut_off_or_bombs(fault, monkeypatch):
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)
    assert "not a gzip file" in fault(b"a,b\n1,2\n", name="x.csv.gz")
    assert "cut off" in fault(packed[:-20], name="x.csv.gz")
    assert "damaged" in fault(packed[:20] + b"\xff\xff" + packed[22:], name="x.csv.gz")
    monkeypatch.setattr(opening, "UNPACKED_FLOOR", 1000)
    assert "unpack to more than" in fault(packed, name="x.csv.gz")


def test_only_regular_files_are_opened(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name, found in (("pipe.csv", "a named pipe"), ("folder.csv", "a directory"), ("/dev/zero", "a device")):
        with pytest.raises(DataError, match=f"expected a regular file, found {found}"):
            CsvSource(path=tmp_path / name).read(0)


def test_a_file_that_is_not_there(tmp_path):
    (tmp_path / "penguins.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"pengiuns.csv: no such file \(did you mean 'penguins.csv'\?\)"):
        CsvSource(path=tmp_path / "pengiuns.csv").read(0)
    with pytest.raises(DataError, match="there is no folder"):
        CsvSource(path=tmp_path / "data" / "penguins.csv").read(0)
    with pytest.raises(DataError, match="no such file"):
        CsvSource(path=tmp_path / "penguins.csv" / "x").read(0)


def test_a_file_that_may_not_be_read(tmp_path):
    import os

    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    path.chmod(0)
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may read everything
    try:
        with pytest.raises(DataError, match="no permission"):
            CsvSource(path=path).read(0)
    finally:
        os.seteuid(user)


def test_a_file_that_changes_while_it_is_read(read, monkeypatch):
    sizes = iter([(8, 1), (8, 2)])
    monkeypatch.setattr(opening, "_identity", lambda file: next(sizes))
    with pytest.raises(DataError, match="changed while it was read"):
        read("a,b\n1,2\n")


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cell, cell), min_size=1, max_size=8))
def test_any_texts_come_back(read, rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    table = read(text.getvalue(), {"a": "category", "b": AS_WRITTEN})
    from mltrain.data.files.missing_keys import USUAL

    expected = [
        [None if value.strip() in USUAL else value.strip() for value in column] for column in zip(*rows, strict=True)
    ]
    assert [values(table, "a"), values(table, "b")] == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_any_floats_come_back_to_the_last_bit(read, numbers):
    table = read("a,b\n" + "".join(f"{number!r},x\n" for number in numbers))
    assert table.column("a").equals(pa.array(numbers))
