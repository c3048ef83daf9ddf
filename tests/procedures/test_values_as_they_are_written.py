"""Missing values, codes, categories and headers as real files write them: in the training, and in new rows."""

import json
import statistics

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.csv_files import read_csv

pytestmark = pytest.mark.long

MODEL = "model: {type: mlp, units: [4]}\ntraining: {epochs: 2}\n"
SMALL = "split: {type: random, validation: 0.2, test: 0.2}"


@pytest.fixture
def train(mltrain, tmp_path):
    """Train on what `data` says; return the outcome and the run."""

    def train(data, *, name="run", code=0, model=MODEL):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\ndata: {data}\n{model}")
        done = mltrain("train", f"{name}.yaml", "--run-dir", name)
        assert done.code == code, done.err
        return done

    return train


def scaling(folder, column, name="run"):
    columns = json.loads((folder / name / "preprocessing.json").read_text())["columns"]
    return next(each for each in columns if each["column"] == column)


def write(folder, name, columns):
    """Write columns in the form that the name says."""
    path = folder / name
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if name.endswith(".csv"):
        lines = [",".join(columns), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
        path.write_text("\n".join(lines) + "\n")
    elif name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif name.endswith(".parquet"):
        parquet.write_table(pa.table(columns), path)
    else:
        np.savez(path, **{key: np.array(values) for key, values in columns.items()})


FORMS = ["csv", "jsonl", "parquet", "npz"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stated", ["-999", "'-999.00'"])
def test_a_number_under_missing_is_every_spelling_of_it(train, tmp_path, form, stated):
    draw = np.random.default_rng(0).normal(size=60).round(3)
    values = [-999.0 if row % 4 == 0 else float(value) for row, value in enumerate(draw)]
    write(tmp_path, f"d.{form}", {"z": values, "a": [row % 7 for row in range(60)], "y": ["u", "v"] * 30})
    train(f"{{source: {{type: {form}, path: d.{form}, missing: [{stated}]}}, target: y, split: none}}")
    fitted = scaling(tmp_path, "z")
    expected = statistics.fmean(value for value in values if value != -999)
    assert fitted["scaling"]["center"] == pytest.approx(expected, rel=1e-12)
    assert fitted["indicator"]


def test_integers_and_texts_that_are_numbers_are_missing_by_value(train, tmp_path):
    columns = {"z": [99, 1, 2, 3] * 10, "w": ["99.0", "1", "2", "4"] * 10, "y": ["u", "v"] * 20}
    write(tmp_path, "d.jsonl", columns)
    data = "{source: {type: jsonl, path: d.jsonl, missing: ['99']}, features: {w: number}, target: y, split: none}"
    train(data)
    assert scaling(tmp_path, "z")["scaling"]["center"] == 2
    assert scaling(tmp_path, "w")["scaling"]["center"] == pytest.approx(7 / 3)


def test_a_text_under_missing_that_no_value_is_is_said(train, tmp_path):
    write(tmp_path, "d.csv", {"z": ["-99.9", "1", "2", "3"] * 10, "y": ["u", "v"] * 20})
    said = train("{source: {type: csv, path: d.csv, missing: ['-999', -99.9]}, target: y, split: none}").err
    assert "no value of d.csv is '-999' (did you mean '-99.9'?)" in said
    assert "is '-99.9'" not in said


def test_yaml_that_is_no_text_and_no_number_is_refused_under_missing(mltrain, tmp_path):
    (tmp_path / "c.yaml").write_text("data: {source: {type: csv, path: d.csv, missing: [true]}, target: y}\n" + MODEL)
    refused = mltrain("validate", "c.yaml")
    assert refused.code == 3
    assert "missing[0]" in refused.err
    assert "in quotes" in refused.err


@pytest.mark.parametrize("odd", ["NA", "None"])
def test_a_class_may_be_named_as_a_missing_value(train, mltrain, tmp_path, odd):
    write(tmp_path, "d.csv", {"x": list(range(60)), "y": [odd, "EU", "AS"] * 20})
    said = train("{source: {type: csv, path: d.csv}, target: y}", code=4).err
    assert f"'{odd}' is taken as missing; set data.source.usual_missing: false to read it as a value" in said
    train("{source: {type: csv, path: d.csv, usual_missing: false}, target: y}", name="odd")
    out = mltrain("predict", "odd", "d.csv", "--proba", "--quiet").out
    assert f"probability_{odd}" in out.splitlines()[0]
    measured = mltrain("evaluate", "odd", "--data", "d.csv", "--json")
    assert json.loads(measured.out)["splits"]["d.csv"]["n"] == 60


def test_usual_texts_may_be_missing_numbers_and_yet_categories(train, mltrain, tmp_path):
    columns = {"alley": ["NA", "Grvl", "Pave"] * 20, "front": [70, "NA", 80] * 20, "y": list(np.arange(60) / 7)}
    write(tmp_path, "d.csv", columns)
    train("{source: {type: csv, path: d.csv, usual_missing: numbers}, target: y}")
    assert scaling(tmp_path, "alley")["categories"] == ["Grvl", "NA", "Pave"]
    assert scaling(tmp_path, "front")["indicator"]
    # In lines of JSON the same texts mean the same.
    write(tmp_path, "new.jsonl", {name: values[:3] for name, values in columns.items()})
    write(tmp_path, "new.csv", {name: values[:3] for name, values in columns.items()})
    lines = [json.loads(line) for line in mltrain("predict", "run", "new.jsonl").out.splitlines()]
    mltrain("predict", "run", "new.csv", "--out", "out.csv")
    found = [float(row["prediction"]) for row in read_csv(tmp_path / "out.csv")]
    assert [line["prediction"] for line in lines] == found


@pytest.mark.parametrize(("trained", "asked"), [("csv", "jsonl"), ("csv", "parquet"), ("jsonl", "csv")])
def test_what_is_missing_does_not_depend_on_the_form_of_new_rows(train, mltrain, tmp_path, trained, asked):
    columns = {"land": ["NA", "DE", "FR", None] * 15, "y": list(np.arange(60) / 7)}
    write(tmp_path, f"d.{trained}", columns)
    train(f"{{source: {{type: {trained}, path: d.{trained}}}, target: y}}")
    write(tmp_path, f"d.{asked}", columns)
    for form in (trained, asked):
        done = mltrain("predict", "run", f"d.{form}", "--out", f"out.{form}", "--summary", f"{form}.json")
        assert done.code == 0, done.err
    one, other = (json.loads((tmp_path / f"{form}.json").read_text()) for form in (trained, asked))
    assert (one["missing"], one["unknown"]) == (other["missing"], other["unknown"])
    assert one["unknown"] == {}


def test_options_for_new_rows_and_advice_that_works(train, mltrain, tmp_path):
    write(tmp_path, "d.csv", {"x": [1.5, 2, 3] * 20, "y": [0, 1, 1] * 20})
    train("{source: {type: csv, path: d.csv}, target: y}")
    (tmp_path / "new.csv").write_text("x;k\n1,5;a\n-;b\n1.234,5;Caf\xe9\n", encoding="cp1252")
    options = []
    for said, more in [
        ("pass --encoding cp1252", ["--encoding", "cp1252"]),
        ("pass --delimiter ';'", ["--delimiter", ";"]),
        ("pass --decimal ','", ["--decimal", ","]),
        ("pass --missing -", ["--missing=-"]),
        ("'1.234,5' is not a number", ["--thousands", "."]),
    ]:
        refused = mltrain("predict", "run", "new.csv", *options)
        assert refused.code == 4, refused.err
        assert said in refused.err
        options += more
    done = mltrain("predict", "run", "new.csv", *options)
    assert done.code == 0, done.err
    assert "values are" not in refused.err
    assert "--skip is for CSV" in mltrain("predict", "run", "new.jsonl", "--skip", "1").err
    assert "needs --data" in mltrain("evaluate", "run", "--delimiter", ";").err
    (tmp_path / "more.csv").write_text("x;y\n1,5;0\n2,0;1\n")
    measured = mltrain("evaluate", "run", "--data", "more.csv", "--delimiter", ";", "--decimal", ",", "--json")
    assert json.loads(measured.out)["splits"]["more.csv"]["n"] == 2


def test_codes_keep_their_zeros_as_classes_and_as_features(train, mltrain, tmp_path):
    columns = {"zip": ["01234", "10115", "99999"] * 20, "y": ["001", "002", "010"] * 20}
    write(tmp_path, "d.csv", columns)
    said = train("{source: {type: csv, path: d.csv}, target: y}").err
    assert "codes, such as '01234'" in said
    assert scaling(tmp_path, "zip")["categories"] == ["01234", "10115", "99999"]
    write(tmp_path, "new.csv", {name: values[1:2] for name, values in columns.items()})
    header, row = mltrain("predict", "run", "new.csv", "--proba", "--quiet").out.splitlines()
    assert header == "zip,y,prediction,probability_001,probability_002,probability_010"
    assert row.split(",")[2] in ("001", "002", "010")
    # As numbers they have lost their zeros, and are the same codes.
    write(tmp_path, "numbers.jsonl", {"zip": [1234, 10115, 99999], "y": [1, 2, 10]})
    measured = mltrain("evaluate", "run", "--data", "numbers.jsonl", "--json")
    assert json.loads(measured.out)["splits"]["numbers.jsonl"]["n"] == 3
    mltrain("predict", "run", "numbers.jsonl", "--summary", "numbers.json")
    assert json.loads((tmp_path / "numbers.json").read_text())["unknown"] == {}
    # A file in which no code has a zero in front still has codes.
    write(tmp_path, "few.csv", {"zip": ["10115"] * 3, "y": ["010"] * 3})
    assert mltrain("evaluate", "run", "--data", "few.csv").code == 0


def test_codes_with_an_e_stay_apart(train, tmp_path):
    write(tmp_path, "d.csv", {"x": list(range(60)), "y": ["1E1", "10", "12"] * 20})
    said = train("{source: {type: csv, path: d.csv}, target: y}").err
    assert "3 different values" in said
    target = json.loads((tmp_path / "run" / "preprocessing.json").read_text())["target"]
    assert target["classes"] == ["10", "12", "1E1"]


def test_codes_are_codes_in_every_file_of_a_split(train, tmp_path):
    write(tmp_path, "a.csv", {"zip": ["01234", "10115"] * 20, "y": [1.5, 2.5] * 20})
    write(tmp_path, "b.csv", {"zip": ["10115", "99999"] * 5, "y": [1.5, 2.5] * 5})
    train(
        "{source: {type: csv, path: a.csv}, target: y, split: {type: files, test: {type: csv, path: b.csv}}}",
    )
    assert scaling(tmp_path, "zip")["categories"] == ["01234", "10115"]


@pytest.mark.parametrize(("trained", "asked"), [("{}", "{}.0"), ("{}.0", "{}"), ("{}", "{}.00")])
@pytest.mark.parametrize("feature", ["category", "{type: category, order: ['1', '2', '3'], unknown: error}"])
def test_a_whole_number_is_one_category_however_it_is_written(train, mltrain, tmp_path, trained, asked, feature):
    codes = [1, 2, 3] * 20
    labels = {"code": [trained.format(code) for code in codes], "y": ["a", "b", "b"] * 20}
    write(tmp_path, "d.csv", labels)
    write(tmp_path, "new.csv", {**labels, "code": [asked.format(code) for code in codes]})
    train(f"{{source: {{type: csv, path: d.csv}}, target: y, features: {{code: {feature}}}}}")
    rows = []
    for name in ("d.csv", "new.csv"):
        done = mltrain("predict", "run", name, "--proba", "--out", f"out.{name}", "--summary", f"{name}.json")
        assert done.code == 0, done.err
        assert json.loads((tmp_path / f"{name}.json").read_text())["unknown"] == {}
        assert "drift" not in done.err
        rows.append([(row["probability_a"], row["prediction"]) for row in read_csv(tmp_path / f"out.{name}")])
    assert rows[0] == rows[1]


def test_a_class_may_have_a_point_in_another_file(train, mltrain, tmp_path):
    write(tmp_path, "d.csv", {"x": list(range(60)), "y": [1, 2, 3] * 20})
    write(tmp_path, "e.csv", {"x": list(range(60)), "y": ["1.0", "2.0", "3.0"] * 20})
    for name, features in (("plain", "{}"), ("kept", "{y: category}")):
        train(f"{{source: {{type: csv, path: d.csv}}, target: y, features: {features}}}", name=name)
        one, other = (
            json.loads(mltrain("evaluate", name, "--data", file, "--json").out) for file in ("d.csv", "e.csv")
        )
        values = [
            {key: found["value"] for key, found in measured["splits"][file]["metrics"].items()}
            for measured, file in ((one, "d.csv"), (other, "e.csv"))
        ]
        assert values[0] == values[1]
    split = "{type: files, test: {type: csv, path: e.csv}}"
    train(f"{{source: {{type: csv, path: d.csv}}, target: y, features: {{y: category}}, split: {split}}}", name="files")
