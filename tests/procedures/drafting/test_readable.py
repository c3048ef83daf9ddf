"""How a file is written is found out and stated, so that it can be read."""

import gzip

import pytest

from tests.procedures.drafting.tables import drafted, kinds, trains

ROWS = range(60)


def text(header, row):
    return header + "".join(f"{row(number)}\n" for number in ROWS)


def plain(number):
    return f"{number * 37 % 11}.5,{number % 3},{'ja' if number % 4 else 'nein'}"


CASES = {
    "semicolons": (
        text("größe;preis\n", lambda n: f"{n % 7},{n % 10};{n * 3 + n % 5},5").encode("cp1252"),
        {"encoding": "cp1252", "delimiter": ";", "decimal": ","},
        {"größe": "number"},
    ),
    "UTF-16": (text("a,b,y\n", plain).encode("utf-16"), {"encoding": "utf-16"}, {"a": "number", "b": "number"}),
    "a row index": (
        text(",a,b,y\n", lambda n: f"{n},{plain(n)}").encode(),
        {"columns": ("index", "a", "b", "y"), "skip": 1},
        {"index": "ignore", "a": "number", "b": "number"},
    ),
    "a name twice": (
        text("a,a,y\n", plain).encode(),
        {"columns": ("a", "a_", "y"), "skip": 1},
        {"a": "number", "a_": "number"},
    ),
    "no header": (
        text("", plain).encode(),
        {"columns": ("column_1", "column_2", "column_3")},
        {"column_1": "number", "column_2": "number"},
    ),
    "lines before the header": (
        text("# made by x\n# 2020\n\na,b,y\n", plain).encode(),
        {"skip": 3},
        {"a": "number", "b": "number"},
    ),
    "no value": (
        text("a,b,y\n", lambda n: plain(n) if n % 9 else "?,1,ja").encode(),
        {"missing": ("?",)},
        {"a": "number", "b": "number"},
    ),
    "a typing error": (
        text("a,b,y\n", lambda n: plain(n) if n != 9 else "5O,1,ja").encode(),
        {"missing": ("5O",)},
        {"a": "number", "b": "number"},
    ),
    "letters among numbers": (
        text("a,b,y\n", lambda n: plain(n) if n % 5 else "M,1,ja").encode(),
        {},
        {"a": "category", "b": "number"},
    ),
    "thousands": (
        text("a,b,y\n", lambda n: f'"{n * 7 % 10 + 1},{n * 37 % 900 + 100}.5",{n % 3},{n * 31 % 13}.5').encode(),
        {"thousands": ","},
        {"a": "number", "b": "number"},
    ),
    "dates": (
        text("d,b,y\n", lambda n: f"{n % 28 + 1:02}/{n % 12 + 1:02}/2020,{n % 3},{n * 31 % 17}.5").encode(),
        {"date_format": "DD/MM/YYYY"},
        {"d": "datetime", "b": "number"},
    ),
    "American dates": (
        text("d,b,y\n", lambda n: f"{n % 12 + 1}/{n % 28 + 1}/20 10:00,{n % 3},{n * 31 % 17}.5").encode(),
        {"date_format": "MM/DD/YY"},
        {"d": "datetime", "b": "number"},
    ),
    "names of months": (
        text("d,b,y\n", lambda n: f"{n % 28 + 1}-{('Jan', 'Feb')[n % 2]}-20,{n % 3},{n * 31 % 17}.5").encode(),
        {"date_format": "DD-MMM-YY"},
        {"d": "datetime", "b": "number"},
    ),
    "dates that may be either": (
        text("d,b,y\n", lambda n: f"{n % 5 + 1:02}/{n % 12 + 1:02}/2020,{n % 3},{n * 31 % 17}.5").encode(),
        {},
        {"d": "ignore", "b": "number"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_how_a_file_is_written_is_stated(tmp_path, case):
    content, expected, features = CASES[case]
    (tmp_path / "x.csv").write_bytes(content)
    loaded, _ = drafted(tmp_path, "x.csv")
    source = loaded.spec.data.source
    stated = {name: getattr(source, name) for name in source.model_fields_set - {"type", "path"}}
    assert stated == expected
    assert kinds(loaded) == features
    if case in ("semicolons", "dates", "a row index"):
        trains(tmp_path, loaded)


def test_a_compressed_file_and_other_endings_are_read(tmp_path):
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(text("a,b,y\n", plain).encode()))
    (tmp_path / "z.data").write_bytes(text("a\tb\ty\n", lambda n: plain(n).replace(",", "\t")).encode())
    assert drafted(tmp_path, "x.csv.gz")[0].path.name == "x.yaml"
    loaded, _ = drafted(tmp_path, "z.data")
    assert loaded.spec.data.source.delimiter == "\t"


@pytest.mark.parametrize("stated", [True, False])
def test_classes_that_are_mostly_numbers(tmp_path, stated):
    (tmp_path / "x.csv").write_text(text("a,b,y\n", lambda n: f"{n % 7},{n % 3},{('1', '2', '3', '4+')[n % 4]}"))
    loaded, found = drafted(tmp_path, "x.csv", *(["--target", "y"] if stated else []))
    assert loaded.spec.data.target.column == "y"
    assert "4 classes, 1 (25 %), 2 (25 %), 3 (25 %), 4+ (25 %)" in found
    trains(tmp_path, loaded)
