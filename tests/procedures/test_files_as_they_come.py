"""Files without a header, labels with a dot, dates in other forms, and new columns whose names are taken."""

import json

import pytest

from tests.csv_files import read_csv
from tests.procedures.test_values_as_they_are_written import train, write  # noqa: F401

pytestmark = pytest.mark.long

ROWS = "".join(
    f"{row % 9}.5, {'red' if row % 3 else 'blue'}, {row * 7 % 11}, {'<=50K' if row % 2 else '>50K'}\n"
    for row in range(60)
)
NAMES = "[size, color, hours, income]"


def test_a_file_without_a_header_says_so_and_its_advice_works(train, mltrain, tmp_path):  # noqa: F811
    (tmp_path / "adult.data").write_text(ROWS)
    (tmp_path / "d.csv").write_text(ROWS)
    said = train("{source: {type: csv, path: d.csv}, target: income}", name="headless", code=4).err
    assert "d.csv:1: the file seems to have no header: its first line (0.5, blue, 0, >50K) looks like a row" in said
    assert "set data.source.columns: [name1, name2, name3, …]" in said
    source = f"{{type: csv, path: d.csv, columns: {NAMES}}}"
    # The labels of the test rows end in a dot, behind a line that is no row, as those of census income.
    (tmp_path / "test.csv").write_text("|1x3 Cross validator\n" + ROWS.replace("50K\n", "50K.\n"))
    remedies = {
        "": "set data.split.test.skip: 1 if this line is not a row",
        ", skip: 1": "it ends in '.': set strip: '.' in the source of these rows",
    }
    for more, remedy in remedies.items():
        split = f"{{type: files, validation: 0.2, test: {{type: csv, path: test.csv, columns: {NAMES}{more}}}}}"
        data = f"{{source: {source}, target: income, split: {split}}}"
        assert remedy in train(data, name=f"refused{len(more)}", code=4).err
    split = split.replace("skip: 1", "skip: 1, strip: '.'")
    train(f"{{source: {source}, target: income, split: {split}}}")
    rows = json.loads((tmp_path / "run" / "record.json").read_text())["data"]["rows"]
    assert rows == 120
    # New rows: without a header, without the target, or with a header.
    (tmp_path / "new.csv").write_text("1.5, red, 3\n")
    (tmp_path / "whole.csv").write_text("1.5, red, 3, >50K\n")
    (tmp_path / "named.csv").write_text("color,hours,size\nred,3,1.5\n")
    found = set()
    for name in ("new.csv", "whole.csv", "named.csv"):
        done = mltrain("predict", "run", name, "--proba", "--quiet")
        assert done.code == 0, done.err
        found.add(tuple(done.out.splitlines()[1].split(",")[-3:]))
    assert len(found) == 1
    refused = mltrain("evaluate", "run", "--data", "test.csv", "--skip", "1")
    assert "unknown class '>50K.'; it ends in '.': pass --strip ." in refused.err
    measured = mltrain("evaluate", "run", "--data", "test.csv", "--skip", "1", "--strip", ".", "--json")
    assert json.loads(measured.out)["splits"]["test.csv"]["n"] == 60


def test_columns_are_named_on_the_command_line(train, mltrain, tmp_path):  # noqa: F811
    (tmp_path / "d.csv").write_text("size,color,hours,income\n" + ROWS)
    train("{source: {type: csv, path: d.csv}, target: income}")
    (tmp_path / "new.csv").write_text("1.5,red,3\n2.5,blue,4\n0.5,red,5\n")
    assert "--columns name1,name2,name3" in mltrain("predict", "run", "new.csv").err
    done = mltrain("predict", "run", "new.csv", "--columns", "size,color,hours", "--quiet")
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 4


@pytest.mark.parametrize(
    "header", ["2019,2020,2021", "0,1,2", "400.5,401.0,401.5", "a,b,c", "x1,5,y"], ids=lambda header: header
)
def test_names_that_are_numbers_are_names_where_they_are_in_steps(header, tmp_path):
    from mltrain.data.sources import CsvSource

    (tmp_path / "x.csv").write_text(header + "\n" + "1,2,3\n4,5,6\n" * 5)
    assert list(CsvSource(path=tmp_path / "x.csv").read(0).columns) == header.split(",")


@pytest.mark.parametrize(
    ("form", "texts", "expected"),
    [
        ("DD/MM/YYYY", ["03/04/2024", "3/4/2024 16:30"], ["2024-04-03", "2024-04-03 16:30:00"]),
        ("DD/MM/YYYY", ["31/12/2024 23:59:59.123456789"], ["2024-12-31 23:59:59.123456"]),
        ("MM/DD/YYYY", ["03/04/2024", "3/4/2024 4:30 PM"], ["2024-03-04", "2024-03-04 16:30:00"]),
        ("MM/DD/YYYY", ["12/31/2024 12:05 am"], ["2024-12-31 00:05:00"]),
        ("%d.%m.%y %H:%M", ["03.04.24", "03.04.70 10:00"], ["2024-04-03", "1970-04-03 10:00:00"]),
        ("MMM DD, YYYY", ["Mar 4, 2024", "December 31, 2024"], ["2024-03-04", "2024-12-31"]),
    ],
)  # fmt: skip
def test_dates_in_a_stated_form(tmp_path, form, texts, expected):
    import datetime

    from mltrain.data.sources import CsvSource

    (tmp_path / "x.csv").write_text("d;y\n" + "".join(f"{text};1\n" for text in texts))
    column = CsvSource(path=tmp_path / "x.csv", delimiter=";", date_format=form).read(0).column("d")
    assert column.to_pylist() == [datetime.datetime.fromisoformat(text) for text in expected]


def test_times_in_utc_and_with_nine_digits(tmp_path):
    import datetime

    from mltrain.data.sources import CsvSource

    (tmp_path / "x.csv").write_text("d,y\n2024-03-04 10:00:00.123456789 UTC,1\n2024-03-04T10:00:00Z,1\n")
    column = CsvSource(path=tmp_path / "x.csv").read(0).column("d")
    assert [value.replace(tzinfo=None) for value in column.to_pylist()] == [
        datetime.datetime(2024, 3, 4, 10, 0, 0, 123456),
        datetime.datetime(2024, 3, 4, 10),
    ]


def test_dates_that_could_be_read_in_two_ways_are_not_guessed(train, tmp_path):  # noqa: F811
    write(
        tmp_path,
        "d.csv",
        {"sold": ["03/04/2024", "05/06/2024", "07/08/2024"] * 20, "x": list(range(60)), "y": [1.5, 2.5] * 30},
    )
    said = train("{source: {type: csv, path: d.csv}, target: y}").err
    assert "/2024'; to read them as dates, set data.source.date_format: DD/MM/YYYY" in said
    data = "{source: {type: csv, path: d.csv%s}, target: y, split: {type: time, column: sold}}"
    refused = train(data % "", name="time", code=4).err
    assert "d.csv:2: column 'sold': '03/04/2024' is not a time by which rows can be put in order" in refused
    assert "2024-05-31T16:00:00" in refused
    declared = "{source: {type: csv, path: d.csv}, target: y, features: {sold: datetime}}"
    assert "Set data.source.date_format: DD/MM/YYYY" in train(declared, name="declared", code=4).err
    train(data % ", date_format: DD/MM/YYYY", name="dated")


def test_a_number_with_another_point_is_refused_among_them(tmp_path):
    from mltrain.data.sources import CsvSource
    from mltrain.errors import DataError

    (tmp_path / "x.csv").write_text("a;b\n1.234,5;x\n-2,25;1,5 m\n7;z\n")
    table = CsvSource(path=tmp_path / "x.csv", delimiter=";", decimal=",", thousands=".").read(0)
    assert table.column("a").to_pylist() == [1234.5, -2.25, 7]
    assert table.column("b").to_pylist() == ["x", "1,5 m", "z"]
    (tmp_path / "x.csv").write_text("a;b\n1,5;x\n2.25;y\n7;z\n")
    with pytest.raises(
        DataError, match=r"x\.csv:3: column 'a': '2\.25' is not a number where the decimal point is ','"
    ):
        CsvSource(path=tmp_path / "x.csv", delimiter=";", decimal=",").read(0)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "npz"])
def test_new_columns_find_a_free_name_in_every_form(train, mltrain, tmp_path, form):  # noqa: F811
    columns = {
        "prediction": [0.5 * (row % 9) for row in range(60)],
        "probability_v": [row % 5 / 5 for row in range(60)],
        "explain.prediction": [1.0] * 30 + [2.0] * 30,
        "y": ["u", "v"] * 30,
    }
    write(tmp_path, f"d.{form}", columns)
    train(f"{{source: {{type: {form}, path: d.{form}}}, target: y}}")
    done = mltrain("predict", "run", f"d.{form}", "--proba", "--explain", "--out", f"one.{form}", "--json")
    assert done.code == 0, done.err
    added = json.loads(done.out)["added"]
    assert added[:3] == ["prediction_2", "probability_u", "probability_v_2"]
    assert "the new columns are prediction_2" in done.err
    # What comes out goes in again.
    again = mltrain("predict", "run", f"one.{form}", "--proba", "--out", f"two.{form}", "--json")
    assert json.loads(again.out)["added"][0] == "prediction_3"
    named = mltrain("predict", "run", f"d.{form}", "--prefix", "model_", "--out", f"three.{form}", "--json")
    assert json.loads(named.out)["added"] == ["model_prediction"]
    if form == "csv":
        assert [row["prediction_2"] for row in read_csv(tmp_path / "one.csv")] == [
            row["model_prediction"] for row in read_csv(tmp_path / "three.csv")
        ]


def test_new_columns_of_several_targets_find_free_names(train, mltrain, tmp_path):  # noqa: F811
    columns = {
        "x": [row % 9 for row in range(60)],
        "prediction_a": [1.5, 2.5] * 30,
        "a": [0, 1] * 30,
        "b": [0, 0, 1] * 20,
    }
    write(tmp_path, "d.csv", columns)
    train("{source: {type: csv, path: d.csv}, target: [a, b]}")
    header = mltrain("predict", "run", "d.csv", "--quiet").out.splitlines()[0]
    assert header.endswith(",prediction_a_2,prediction_b")
