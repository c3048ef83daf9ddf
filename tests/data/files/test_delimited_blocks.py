"""A text that is read in blocks is the same table, and the same error, as the text that is read whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from mltrain.data.files import delimited, delimited_blocks
from mltrain.data.files.delimited import read_delimited
from mltrain.data.files.delimited_text import Dialect
from mltrain.data.table import Table
from mltrain.errors import DataError

NUMBERS = "".join(f"{row},{row / 7:.6f},{-row}e2\n" for row in range(60))
PLAIN = {
    "numbers": "a,b,c\n" + NUMBERS,
    "quoted header": '"a","b b","c"\n' + NUMBERS,
    "byte order mark": "\ufeffa,b,c\n" + NUMBERS,
    "windows": "a,b,c\r\n" + NUMBERS.replace("\n", "\r\n"),
    "no last line end": "a,b,c\n" + NUMBERS.rstrip(),
    "blank lines": "a,b,c\n" + NUMBERS.replace("\n7,", "\n\n7,"),
    "fractions further down": "a\n" + "1\n" * 40 + "2.5\n" * 3,
    "missing values": "a,b\n" + "1,NA\n,2\n?,?\n" * 9 + "4,5.5\n",
    "no value at all": "a,b\n" + "1,\n" * 30,
    "no value at first": "a,b\n" + "1,\n" * 30 + "2,3\n" * 3,
    "texts": "a,b\n" + "".join(f"{row},Müller {row}\n" for row in range(40)),
    "dates and truth values": "a,b\n" + "2024-05-01,true\n2024-06-01,False\n" * 20,
    "blanks around": "a , b\n" + " 1 ,\tx \n" * 30,
}
WHOLE = {
    "quotes": "a,b\n" + "1,x\n" * 20 + '2,"y, z"\n',
    "a text further down": "a\n" + "1\n" * 40 + "typo\n",
    "texts further down": "a\n" + "1\n" * 9 + "red\n" * 40,
    "large whole numbers beside fractions": "a\n" + "9007199254740993\n" * 20 + "0.5\n" * 3,
    "large whole numbers": "a\n" + "9007199254740993\n" * 20,
    "a line too long": "a,b\n" + "1,2\n" * 40 + "1,2,3\n",
    "old line ends": "a,b\r" + "1,2\r" * 40,
    "NUL": "a\n" + "1\n" * 40 + "\0\n",
    "header only": "a,b\n",
    "blank": "\n \n",
    "hexadecimal": "a\n" + "1\n" * 40 + "0x1F\n",
}


@pytest.fixture(params=[16, 100, 1 << 20], ids="{} bytes".format)
def block(request, monkeypatch) -> int:
    monkeypatch.setattr(delimited_blocks, "BLOCK_BYTES", request.param)
    return int(request.param)


def _read(path: Path) -> Table | str:
    try:
        return read_delimited(path, Dialect(",", missing=("?",)), {})
    except DataError as error:
        return str(error)


def _same(found: Table | str, expected: Table | str) -> None:
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return
    assert list(found.columns) == list(expected.columns)
    for name, column in expected.columns.items():
        assert isinstance(column, pa.Array)
        assert found.columns[name].type == column.type
        assert found.columns[name].equals(column)
    assert found.sha256 == expected.sha256
    assert [found.origin.place(row) for row in (0, len(found) - 1)] == [
        expected.origin.place(row) for row in (0, len(expected) - 1)
    ]


@pytest.mark.parametrize("text", (PLAIN | WHOLE).values(), ids=PLAIN | WHOLE)
def test_blocks_and_whole_are_the_same(tmp_path, monkeypatch, block, text):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8", newline="")
    found = _read(path)
    monkeypatch.setattr(delimited, "read_in_blocks", lambda *arguments: None)
    _same(found, _read(path))


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_what_is_plain_is_read_in_blocks(tmp_path, block, text):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert delimited_blocks.read_in_blocks(path, Dialect(",", missing=("?",)), {}) is not None


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_what_is_not_plain_is_left_to_the_one_that_reads_it_whole(tmp_path, monkeypatch, text):
    monkeypatch.setattr(delimited_blocks, "BLOCK_BYTES", 16)
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert delimited_blocks.read_in_blocks(path, Dialect(","), {}) is None


@pytest.mark.parametrize("kind", ["number", "category", "ignore"])
def test_a_declared_kind_is_what_it_is_for_a_whole_text(tmp_path, monkeypatch, block, kind):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "1,\n" * 30 + "2.5,\n", encoding="utf-8")
    found = read_delimited(path, Dialect(","), {"a": kind, "b": kind})
    monkeypatch.setattr(delimited, "read_in_blocks", lambda *arguments: None)
    _same(found, read_delimited(path, Dialect(","), {"a": kind, "b": kind}))
