"""The other sources: JSON Lines, Parquet, .npz, rows in the YAML, scikit-learn's sets."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import TypeAdapter, ValidationError

from mltrain.data.files import opening
from mltrain.data.sources import (
    CsvSource,
    InlineSource,
    JsonlSource,
    NpzSource,
    ParquetSource,
    SklearnSource,
    Source,
    read_file,
)
from mltrain.errors import DataError
from mltrain.spec import as_plain


def values(table, name):
    return table.column(name).to_pylist()


@pytest.fixture
def jsonl(tmp_path):
    def jsonl(text, declared=None, **arguments):
        path = tmp_path / "x.jsonl"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return JsonlSource(path=path, **arguments).read(0, declared)

    return jsonl


def test_jsonl(jsonl, tmp_path):
    table = jsonl(
        '{"n": 1, "x": 1, "b": true, "t": "012", "d": "2024-05-31", "m": [[1, 2], [3, 4]]}\n\n'
        '{"n": null, "x": 2.5, "t": "", "d": "2024-06-01", "m": [[5, 6], [7, 8]]}\n'
    )
    assert values(table, "n") == [1, None]
    assert values(table, "x") == [1.0, 2.5]
    assert values(table, "b") == [True, None]
    assert values(table, "t") == ["012", None]
    assert values(table, "d")[0] == datetime.datetime(2024, 5, 31)
    assert table.column("m").tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    assert table.origin.place(1) == "x.jsonl:3"
    (tmp_path / "y.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert values(JsonlSource(path=tmp_path / "y.jsonl.gz").read(0), "a") == [1]
    assert values(jsonl('{"a": 1}\n{"a": "?"}\n{"a": NaN}\n{"a": " "}\n', missing=("?",)), "a") == [1, None, None, None]
    assert values(jsonl('{"a": 1}\n{"a": "x"}\n{"a": true}\n', {"a": "category"}), "a") == ["1", "x", "true"]
    assert values(jsonl('{"a": {"b": 1}, "c": 1}\n', {"a": "ignore"}), "a") == [None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": 2}\n{"a": "abc"}\n', "x.jsonl:3: column 'a': 'abc' is not a number (2 of 3 values are)"),
        ('{"a": 1}\n{"a": 2\n', "x.jsonl:2: not JSON"),
        ("[1, 2]\n", "x.jsonl:1: expected one JSON object per line"),
        ('{"a": 1, "a": 2}\n', "x.jsonl:1: the key 'a' appears twice in one object; remove one"),
        ('{"a": 1}\n{"\\ud800": 2}\n', r"x.jsonl:2: the key '\ud800' is not valid Unicode; give the column"),
        ('{"a": [1, 2]}\n{"a": [1]}\n', "x.jsonl:2: column 'a': a list of 1, where the first row has a list of 2"),
        ('{"a": [[1, 2], [3, 4]]}\n{"a": [[1, 2], [3]]}\n', "x.jsonl:2: column 'a': a list of 1"),
        ('{"a": [1]}\n{"a": 3}\n', "x.jsonl:2: column 'a': expected a list, as in other rows, found '3'"),
        ('{"a": [1, 2]}\n{"a": [1, null]}\n', "x.jsonl:2: column 'a': a missing value in a list"),
        ('{"a": [1, "x"]}\n', "x.jsonl:1: column 'a': expected lists of numbers of one shape"),
        ('{"a": ["x"]}\n', "x.jsonl:1: column 'a': an array of object"),
        ('{"a": []}\n', "x.jsonl:1: column 'a': an empty list"),
        ('{"a": 1}\n{"a": -Infinity}\n', "x.jsonl:2: column 'a': -inf is not a finite number"),
        (
            '{"a": 1}\n{"a": {"b": 1}}\n',
            "x.jsonl:2: column 'a': expected a number, a text, true, false, null or a list of",
        ),
        ('{"a": "x"}\n{"a": "\\ud800"}\n', "x.jsonl:2: column 'a': '\\ud800' is not valid Unicode"),
        ('{"a": 1}\n{"a": 99999999999999999999}\n', "x.jsonl:2: column 'a': '99999999999999999999' is too large"),
        ('{"a": 1' + "0" * 5000 + "}\n", "x.jsonl:1: Exceeds the limit"),
        ('{"a": ' + "[" * 100000 + "\n", "x.jsonl:1: its lists or objects are nested too deeply"),
        (b'{"a": "\xe9"}\n', "x.jsonl:1: byte 8 of the line is not UTF-8"),
        ("\n\n", "x.jsonl: the file is empty"),
        ("{}\n", "x.jsonl: expected objects with keys, found only empty objects"),
    ],
)
def test_jsonl_damage(jsonl, text, message):
    with pytest.raises(DataError) as raised:
        jsonl(text)
    assert message in str(raised.value)


@pytest.fixture
def npz(tmp_path):
    def npz(arrays=None, declared=None, **content):
        np.savez(tmp_path / "x.npz", **content)
        return NpzSource(path=tmp_path / "x.npz", arrays=arrays).read(0, declared)

    return npz


def test_npz(npz):
    table = npz(
        image=np.arange(12, dtype=np.uint8).reshape(3, 2, 2),
        big=np.arange(6, dtype=">f4").reshape(3, 2),
        n=np.array([1, 2, 3], np.uint16),
        x=np.array([1.5, np.nan, 3], np.float32),
        t=np.array(["a", "b", ""]),
        d=np.array(["2024-05-31", "NaT", "2024-06-01"], "M8[D]"),
        b=np.array([True, False, True]),
    )
    assert table.column("image").dtype == np.uint8
    assert table.column("big").dtype == np.float32
    assert table.column("big").dtype.isnative
    assert values(table, "n") == [1, 2, 3]
    assert values(table, "x") == [1.5, None, 3.0]
    assert values(table, "t") == ["a", "b", None]
    assert values(table, "d") == [datetime.datetime(2024, 5, 31), None, datetime.datetime(2024, 6, 1)]
    assert values(table, "b") == [True, False, True]
    assert table.origin.place(2) == "x.npz[2]"
    assert list(npz({"digit": "y"}, y=np.arange(3), z=np.arange(4)).columns) == ["digit"]
    assert values(npz(declared={"y": "category"}, y=np.array([1.0, 2.0])), "y") == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x": np.zeros((3, 2)), "y": np.arange(4)}, "x.npz: array 'x' has 3 rows and 'y' has 4"),
        ({"x": np.array([{}, 2], dtype=object)}, "Object arrays cannot be loaded"),
        ({"x": np.float32(3)}, "x.npz: array 'x' is a single value"),
        ({"x": np.zeros((0, 3))}, "x.npz: the arrays have no rows"),
        ({"x": np.zeros((3, 0))}, "x.npz[0]: column 'x': an array of shape (3, 0)"),
        ({"x": np.array([[1.0, 2.0], [3.0, np.nan]])}, "x.npz[1]: column 'x': nan at position [1]"),
        ({"x": np.array([1.0, np.inf])}, "x.npz[1]: column 'x': inf is not a finite number"),
        ({"x": np.array([1 + 2j])}, "x.npz[0]: column 'x': an array of complex128"),
        ({"x": np.array([["a", "b"]])}, "x.npz[0]: column 'x': an array of <U1"),
        ({"x": np.array([1, 2**63], np.uint64)}, "x.npz[1]: column 'x': 9223372036854775808 is too large"),
        ({}, "x.npz: expected arrays, but the file is empty"),
    ],
)
def test_npz_arrays_that_are_no_columns(npz, content, message):
    with pytest.raises(DataError) as raised:
        npz(**content)
    assert message in str(raised.value)


def test_npz_damage(npz, tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    with pytest.raises(DataError, match=r"no array 'lable' \(did you mean 'label'\?\) \(arrays: image, label\)"):
        npz({"y": "lable"}, image=np.zeros((2, 2)), label=np.arange(2))
    whole = path.read_bytes()
    for damaged in (b"", b"no zip", whole[:-30], whole[:60] + b"\xff" * 8 + whole[68:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"x.npz: not"):
            NpzSource(path=path).read(0)
    with zipfile.ZipFile(path, "w") as archive:  # claims a shape of eight terabytes and holds nothing
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
        archive.writestr("x.npy", header.getvalue())
    with pytest.raises(DataError, match="expected arrays of numbers or texts, but they cannot be read"):
        NpzSource(path=path).read(0)
    monkeypatch.setattr(opening, "UNPACKED_FLOOR", 1000)
    np.savez_compressed(path, x=np.zeros(10**6))
    with pytest.raises(DataError, match="unpack to more than"):
        NpzSource(path=path).read(0)


@pytest.fixture
def table_in_parquet(tmp_path):
    def write_and_read(columns, declared=None):
        parquet.write_table(pa.table(columns), tmp_path / "x.parquet")
        return ParquetSource(path=tmp_path / "x.parquet").read(0, declared)

    return write_and_read


def test_parquet(table_in_parquet):
    table = table_in_parquet(
        {
            "n": pa.array([1, None], pa.int32()),
            "x": pa.array([1.5, float("nan")], pa.float32()),
            "t": pa.array(["a", " "]).dictionary_encode(),
            "d": [datetime.date(2024, 5, 31), None],
            "z": pa.array([0, 3_600_000_000_000], pa.timestamp("ns", "Europe/Berlin")),
            "m": [[1, 2], [3, 4]],
            "b": [True, None],
            "c": pa.array([1, 2]).cast(pa.decimal128(21, 2)),
        }
    )
    assert values(table, "n") == [1, None]
    assert values(table, "x") == [1.5, None]
    assert values(table, "t") == ["a", None]
    assert values(table, "d") == [datetime.datetime(2024, 5, 31), None]
    assert values(table, "z") == [datetime.datetime(1970, 1, 1, hour, tzinfo=datetime.UTC) for hour in (0, 1)]
    assert table.column("m").tolist() == [[1, 2], [3, 4]]
    assert values(table, "b") == [True, None]
    assert values(table, "c") == [1.0, 2.0]
    assert table.origin.place(1) == "x.parquet[1]"


def test_parquet_columns_are_what_they_are_declared(table_in_parquet):
    assert values(table_in_parquet({"a": [1.0, None, 3.0]}, {"a": "category"}), "a") == ["1", None, "3"]
    assert values(table_in_parquet({"a": [1.5, 2.0]}, {"a": "category"}), "a") == ["1.5", "2"]
    assert values(table_in_parquet({"a": [1, 0, None]}, {"a": "boolean"}), "a") == [True, False, None]
    assert values(table_in_parquet({"a": [True, False]}, {"a": "number"}), "a") == [1, 0]
    assert values(table_in_parquet({"a": ["1", "2.5"]}, {"a": "number"}), "a") == [1.0, 2.5]
    assert values(table_in_parquet({"a": [{"b": 1}], "c": [1]}, {"a": "ignore"}), "c") == [1]


@pytest.mark.parametrize(
    ("columns", "declared", "message"),
    [
        (
            {"a": [{"b": 1}]},
            {},
            "x.parquet[0]: column 'a': expected numbers, texts, booleans, dates or",
        ),
        ({"a": ["1", "x"]}, {"a": "number"}, "x.parquet[1]: column 'a': 'x' is not a number (1 of 2 values are)"),
        ({"a": [1, 2]}, {"a": "datetime"}, "x.parquet[0]: column 'a': '1' is of type int64"),
        ({"a": [1, 2]}, {"a": "boolean"}, "x.parquet[1]: column 'a': '2' is not a boolean"),
        ({"a": [[1, 2], None]}, {}, "x.parquet[1]: column 'a': no list"),
        ({"a": pa.array([], pa.int64())}, {}, "1 column and 0 rows"),
    ],
)
def test_parquet_columns_that_have_no_place(table_in_parquet, columns, declared, message):
    with pytest.raises(DataError) as raised:
        table_in_parquet(columns, declared)
    assert message in str(raised.value)


def test_parquet_damage(table_in_parquet, tmp_path):
    table_in_parquet({"a": [1, 2]})
    path = tmp_path / "x.parquet"
    for damaged in (b"", b"PAR1", path.read_bytes()[:-9]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="not a Parquet file, or it is damaged"):
            ParquetSource(path=path).read(0)


def test_inline_rows_as_lists_and_as_mappings():
    lists = InlineSource.model_validate({"columns": ["a", "b"], "rows": [[1, "x"], [2.5, None]]})
    mappings = InlineSource.model_validate({"rows": [{"a": 1, "b": "x"}, {"b": None, "a": 2.5}]})
    assert lists == mappings
    assert InlineSource.model_validate(as_plain(lists)) == lists
    table = lists.read(0)
    assert (values(table, "a"), values(table, "b")) == ([1.0, 2.5], ["x", None])
    assert table.origin.place(1) == "rows[1]"
    assert table.sha256 == mappings.read(7).sha256
    assert values(lists.read(0, {"a": "category"}), "a") == ["1", "2.5"]
    with pytest.raises(DataError, match=r"rows\[2\]: column 'a': 'x' is not a number \(2 of 3 values are\)"):
        InlineSource.model_validate({"columns": ["a"], "rows": [[1], [2], ["x"]]}).read(0)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"columns": ["a", "b"], "rows": [[1, 2], [3]]}, ("rows", 1)),
        ({"rows": [{"a": 1}, {"b": 2}]}, ("rows", 1)),
        ({"rows": [{"a": 1}, [2]]}, ("rows", 1)),
        ({"columns": ["a"], "rows": []}, ("rows",)),
        ({"columns": ["a", "a"], "rows": [[1, 2]]}, ("columns", 1)),
        ({"columns": ["a"], "rows": [[[1]]]}, ("rows", 0, 0)),
        ({"columns": ["a"], "rows": [[float("inf")]]}, ("rows", 0, 0)),
        ({"columns": 5, "rows": [{"a": 1}]}, ("columns",)),
        ({"rows": [[1]]}, ("columns",)),
    ],
)
def test_inline_mistakes_have_a_place(value, place):
    with pytest.raises(ValidationError) as raised:
        InlineSource.model_validate(value)
    assert place in [error["loc"] for error in raised.value.errors()]


def test_the_bundled_sets_are_scikit_learns_own():
    from sklearn import datasets

    for name, rows, task, classes in (
        ("iris", 150, "multiclass", ("setosa", "versicolor", "virginica")),
        ("wine", 178, "multiclass", ("class_0", "class_1", "class_2")),
        ("breast_cancer", 569, "binary", ("malignant", "benign")),
        ("digits", 1797, "multiclass", tuple("0123456789")),
        ("diabetes", 442, "regression", ()),
    ):
        table = SklearnSource.model_validate({"name": name}).read(0)
        bundle = getattr(datasets, f"load_{name}")()
        assert (len(table), table.task, table.classes, table.target) == (rows, task, classes, "target")
        assert list(table.columns) == [*bundle.feature_names, "target"]
        features = np.column_stack([table.column(feature).to_numpy() for feature in bundle.feature_names])
        np.testing.assert_array_equal(features, bundle.data)
        np.testing.assert_array_equal(table.column("target").to_numpy(), bundle.target)
    images = SklearnSource(name="digits", images=True).read(0)
    assert images.column("image").shape == (1797, 8, 8, 1)
    assert images.sha256 != SklearnSource(name="digits").read(0).sha256
    with pytest.raises(ValidationError, match="iris has no images"):
        SklearnSource(name="iris", images=True)


def test_the_bundled_sets_are_read_without_scikit_learn():
    code = (
        "import sys; from mltrain.data.bundled import read_bundled\n"
        "for name in ('iris', 'wine', 'breast_cancer', 'digits', 'diabetes'): read_bundled(name, False)\n"
        "sys.exit(bool({'sklearn', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_bundled_set_that_is_elsewhere_is_said(monkeypatch):
    monkeypatch.setattr("mltrain.data.bundled.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"iris\.csv: scikit-learn does not have this file"):
        SklearnSource(name="iris").read(0)


def test_a_file_is_read_by_its_ending(tmp_path):
    (tmp_path / "x.csv").write_text("a;b\n1;?\n")
    like = CsvSource(path=Path("training.csv"), delimiter=";", missing=("?",))
    assert values(read_file(tmp_path / "x.csv", like=like), "b") == [None]
    (tmp_path / "x.jsonl").write_text(json.dumps({"a": "1"}))
    assert values(read_file(tmp_path / "x.jsonl", {"a": "number"}, like), "a") == [1]
    with pytest.raises(DataError, match="unknown kind of file"):
        read_file(tmp_path / "x.xlsx")


def test_the_specs_need_neither_numpy_nor_pyarrow(shell):
    code = "import sys, mltrain.data.splits; print({'numpy', 'pyarrow', 'sklearn', 'tensorflow'} & set(sys.modules))"
    done = shell(f'python -c "{code}"')
    assert (done.out.strip(), done.code) == ("set()", 0)


def test_a_source_is_its_own_resolved_form():
    source = TypeAdapter(Source).validate_python({"type": "npz", "path": "/data/x.npz", "arrays": {"a": "b"}})
    assert TypeAdapter(Source).validate_python(as_plain(source)) == source
