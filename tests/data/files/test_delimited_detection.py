"""How a delimited text seems to be written; what is done with it is in tests/procedures/drafting."""

import gzip

import pytest

from mltrain.data.files.delimited_detection import detected

ROW = "1,2.5,x\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b,c\n" + ROW * 9, {}),
        ("a\tb\tc\n" + "1\t2,5\tx, y\n" * 9, {"delimiter": "\t"}),
        ("a|b\n" + "1|2\n" * 9, {"delimiter": "|"}),
        ("a b\n" + "1 2\n" * 9, {"delimiter": " "}),
        ("Height, cm;Weight, kg\n" + "1,5;2,5\n" * 9, {"delimiter": ";"}),
        ("Height, cm;Weight\n" + "1,5;2,5\n" * 9, {"delimiter": ";"}),
        ("a,b\n" + "1;2,3;4\n" * 9, {}),
        ('"a, b",c\n' + "1,2\n" * 9, {}),
        ("text\n" + "some words\n" * 9, {"delimiter": " ", "columns": ["index", "text"], "skip": 1}),
        ("text\nsome words\nand more words\none\n", {}),
        ("a,b\n" + ROW * 9, {"columns": ["index", "a", "b"], "skip": 1}),
        ("a,b\n" + "1,2,\n" * 9, {"columns": ["a", "b", "column_3"], "skip": 1}),
        ("index,,index\n" + ROW * 9, {"columns": ["index", "column_2", "index_"], "skip": 1}),
        ("", {}),
        ("a,b\n", {}),
    ],
)
def test_what_separates_fields_and_names_columns(tmp_path, text, expected):
    path = tmp_path / "x.csv"
    path.write_text(text)
    assert detected(path, ",").settings == expected


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", "utf-16"), ("cp1252", "cp1252"), ("latin-1", "latin-1")],
)
def test_the_encoding_of_the_whole_file_counts(tmp_path, encoding, expected):
    # Beyond the first block, so that the beginning alone does not show it.
    last = "ö\x81" if encoding == "latin-1" else "ö"
    text = "a,b\n" + "1,x\n" * 300_000 + f"1,{last}\n"
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(text.encode(encoding), 1))
    assert detected(tmp_path / "x.csv.gz", ",").settings.get("encoding") == expected
