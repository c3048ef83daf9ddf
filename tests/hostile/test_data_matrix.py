"""What is wrong with data, case by case, as `mltrain train` says it: exit code 4, the file, and the row or column. And
what looks wrong and is not."""

from __future__ import annotations

import gzip
import io
import json

import numpy as np
import pytest

from tests.conftest import in_process

pytestmark = pytest.mark.long

HEADER = "a,b,y\n"
ROWS = [f"{number % 7}.5,{number % 5},{'yes' if number % 3 else 'no'}\n" for number in range(40)]


def csv(**changed):
    """Return a table of 40 good rows in which some lines (2 to 41; `line3=…`) are others, or the header is."""
    lines = [changed.get("header", HEADER), *ROWS]
    for key, text in changed.items():
        if key.startswith("line"):
            lines[int(key[4:]) - 1] = text
    return "".join(lines)


def packed(text):
    return gzip.compress(text.encode())


def numbers(**columns):
    file = io.BytesIO()
    np.savez(file, **columns)
    return file.getvalue()


LABELS = np.arange(40) % 2

REFUSED = {
    # the form of the text
    "too few fields": ("x.csv", csv(line5="1,2\n"), "", ["x.csv:5: 2 fields, where the header has 3 (a, b, y)"]),
    "too many fields": ("x.csv", csv(line5="1,2,no,4\n"), "", ["x.csv:5: 4 fields"]),
    "open quote": ("x.csv", csv(line5='"1,2,no\n'), "", ["x.csv:5: a quote that opens in this row is never closed"]),
    "text after a quote": ("x.csv", csv(line5='"1"x,2,no\n'), "", ["x.csv:5: text after a closing quote"]),
    "line end in a quote": ("x.csv", csv(line5='1,"2\n3",no\n'), "", ["x.csv:5", "column 'b'"]),
    "NUL": ("x.csv", csv(line5="1,\0,no\n"), "", ["x.csv:5: a NUL byte"]),
    "name twice": ("x.csv", csv(header="a,a,y\n"), "", ["x.csv:1: columns 1 and 2 are both named 'a'"]),
    "no name": ("x.csv", csv(header=",b,y\n"), "", ["x.csv:1: column 1 of 3 has no name"]),
    "empty": ("x.csv", "", "", ["x.csv: the file is empty"]),
    "header only": ("x.csv", HEADER, "", ["x.csv: the file has a header and no rows"]),
    "UTF-16": ("x.csv", csv().encode("utf-16"), "", ["x.csv: the file is UTF-16"]),
    "cp1252": ("x.csv", csv(line5="1,2,näin\n").encode("cp1252"), "", ["x.csv:5: byte 6 of the line is 0xe4"]),
    "long field": ("x.csv", csv(line5=f"{'x' * 131_073},2,no\n"), "", ["x.csv:5", "131073"]),
    "other delimiter": ("x.csv", csv().replace(",", ";"), "", ["x.csv:1", "set data.source.delimiter: ';'"]),
    "gzip cut off": ("x.csv.gz", packed(csv())[:-20], "", ["x.csv.gz: the gzip file is cut off"]),
    "gzip by name only": ("x.csv.gz", csv(), "", ["x.csv.gz: not a gzip file"]),
    "gzip by content only": ("x.csv", packed(csv()), "", ["x.csv: the file is gzip-compressed"]),
    # values
    "text among numbers": ("x.csv", csv(line5="x,2,no\n"), "", ["x.csv:5: column 'a': 'x' is not a number"]),
    "infinity": ("x.csv", csv(line5="inf,2,no\n"), "", ["x.csv:5: column 'a': 'inf' is not a number"]),
    "beyond all numbers": ("x.csv", csv(line5="1e999,2,no\n"), "", ["x.csv:5: column 'a': '1e999' is too large"]),
    "decimal comma": ("x.csv", csv(line5='"1,5",2,no\n'), "", ["x.csv:5: column 'a': '1,5' is not a number"]),
    "truth among numbers": ("x.csv", csv(line5="TRUE,2,no\n"), "", ["x.csv:5: column 'a': 'TRUE' is not a number"]),
    "beyond int64": ("x.csv", csv(line5="1,9999999999999999999,no\n"), "", ["x.csv:5: column 'b'"]),
    "beyond float32": ("x.csv", csv(line5="1e300,2,no\n"), "", ["x.csv:5", "'a'"]),
    "nan in an array": ("x.npz", numbers(x=np.full((40, 2), np.nan), y=LABELS), "", ["x.npz[0]: column 'x': nan"]),
    "infinity in an array": ("x.npz", numbers(x=np.full(40, np.inf), y=LABELS), "", ["x.npz[0]: column 'x': inf"]),
    "arrays of two lengths": ("x.npz", numbers(x=np.zeros(39), y=LABELS), "", ["x.npz: array 'x' has 39 rows"]),
    "ragged lists": ("x.jsonl", '{"x": [1, 2], "y": 0}\n{"x": [1], "y": 1}\n' * 20, "", ["x.jsonl:2: column 'x'"]),
    "no object": ("x.jsonl", '{"x": 1, "y": 0}\n[1]\n', "", ["x.jsonl:2: expected one JSON object per line"]),
    "no JSON": ("x.jsonl", '{"x": 1, "y": 0}\n{x: 1}\n', "", ["x.jsonl:2: not JSON"]),
    "missing where that is an error": (
        "x.csv",
        csv(line5=",2,no\n"),
        "  features: {a: {type: number, missing: error}}\n",
        ["x.csv:5", "column 'a'"],
    ),
    # the target
    "no target": ("x.csv", csv(header="a,b,label\n"), "", ["'y'", "a, b, label"]),
    "target misspelled": ("x.csv", csv(header="a,b,yy\n"), "", ["'y'", "did you mean 'yy'?"]),
    "label missing": ("x.csv", csv(line5="1,2,\n"), "", ["x.csv:5", "column 'y'"]),
    "one class": ("x.csv", HEADER + "1,2,no\n2,3,no\n" * 20, "", ["'y'", "no"]),
    "a class of one row": (
        "x.csv",
        csv(line5="1,2,maybe\n"),
        "  split: {type: random, stratify: true}\n",
        ["'maybe', has 1 of 40 rows"],
    ),
    "an unknown class": ("x.csv", csv(line5="1,2,maybe\n"), "classes", ["x.csv:5", "maybe"]),
    "a fraction as a label": (
        "x.csv",
        HEADER + "1,2,0.5\n2,3,1\n" * 20,
        "task: binary\n",
        ["x.csv:2: column 'y': 0.5 is not a class"],
    ),
    "a label out of range": (
        "x.csv",
        HEADER + "1,2,0\n2,3,1\n" * 20 + "1,2,2\n",
        "task: binary\n",
        ["the task is binary, but there are 3 classes (0, 1, 2)"],
    ),
    "text as the target of a regression": (
        "x.csv",
        HEADER + "1,2,3.5\n2,3,1\n" * 20 + "1,2,low\n",
        "task: regression\n",
        ["x.csv:42: column 'y': 'low' is not a number"],
    ),
    "nan as a label": (
        "x.npz",
        numbers(x=np.arange(40.0), y=np.where(np.arange(40) == 7, np.nan, 1.5)),
        "",
        ["x.npz[7]: column 'y': the target is missing"],
    ),
    "infinite label": (
        "x.jsonl",
        "".join(json.dumps({"a": n, "y": n + 0.5}) + "\n" for n in range(39)) + '{"a": 1, "y": 1e999}\n',
        "",
        ["x.jsonl:40: column 'y'", "inf"],
    ),
    # columns
    "unknown feature": (
        "x.csv",
        csv(),
        "  features: {aa: number}\n",
        ["data.features.aa: no such column (did you mean 'a'?)"],
    ),
    "nothing to learn from": ("x.csv", "y\n" + "yes\nno\n" * 20, "", ["x.csv"]),
    "too few rows": ("x.csv", HEADER + "1,2,yes\n2,3,no\n", "", ["x.csv: too few rows"]),
}

ACCEPTED = {
    "byte order mark": ("x.csv", "\ufeff" + csv(), ""),
    "carriage returns": ("x.csv", csv().replace("\n", "\r\n"), ""),
    "gzip": ("x.csv.gz", packed(csv()), ""),
    "cp1252 that is declared": ("x.csv", csv(line5="1,2,no\n").encode("cp1252"), "encoding"),
    "quoted fields": ("x.csv", csv(line5='"1","2","no"\n'), ""),
    "an extra column": ("x.csv", "".join(f"{line.rstrip()},{n}\n" for n, line in enumerate([HEADER, *ROWS])), ""),
    "missing numbers": ("x.csv", csv(line5=",,no\n", line6="NaN,NA,yes\n"), ""),
    "a constant column": ("x.csv", HEADER + "".join(f"7,{n},{'yes' if n % 2 else 'no'}\n" for n in range(40)), ""),
    "a column without values": ("x.csv", HEADER + "".join(f",{n},{'yes' if n % 2 else 'no'}\n" for n in range(40)), ""),
    "rows twice": ("x.csv", csv() + "".join(ROWS), ""),
    "labels that skip numbers": ("x.csv", HEADER + "".join(f"{n},{n % 3},{n % 2 * 7}\n" for n in range(40)), ""),
    "negative labels": ("x.csv", HEADER + "".join(f"{n},{n % 3},{n % 2 * 2 - 1}\n" for n in range(40)), ""),
    "whole numbers beyond float32": (
        "x.csv",
        HEADER + "".join(f"{2**53 + n},{n},{'yes' if n % 2 else 'no'}\n" for n in range(40)),
        "",
    ),
}


@pytest.fixture
def train(mltrain, tmp_path, monkeypatch):
    # Half of the time of so short a training, and others test them.
    monkeypatch.setattr("mltrain.procedures.results.draw", lambda *arguments: ())

    def run(file, content, more):
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        kind = file.split(".")[1]
        encoding = ", encoding: cp1252" if more == "encoding" else ""
        target = "{column: y, classes: ['yes', 'no']}" if more == "classes" else "y"
        (tmp_path / "config.yaml").write_text(
            f"data:\n  source: {{type: {kind}, path: {file}{encoding}}}\n  target: {target}\n"
            f"{'' if more in ('classes', 'encoding') else more}"
            "model: linear\ntraining: {epochs: 1, batch_size: 64}  # more than there are rows\n"
        )
        return mltrain("train", "config.yaml", "--run-dir", "run")

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Measure a trained model on the rows of another file."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "x.csv").write_text(csv())
    (folder / "config.yaml").write_text(
        "data: {source: {type: csv, path: x.csv}, target: y}\nmodel: linear\ntraining: {epochs: 1}\n"
    )
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err

    def evaluate(text):
        (folder / "new.csv").write_text(text)
        return in_process(folder, "evaluate", "run", "--data", "new.csv")

    return evaluate


@pytest.mark.parametrize(("file", "content", "more", "said"), REFUSED.values(), ids=REFUSED)
def test_refused_with_its_place(train, tmp_path, file, content, more, said):
    done = train(file, content, more)
    assert done.code == 4, (done.out, done.err)
    *_, line = done.err.splitlines()
    assert line.startswith("error: ") or "config.yaml:" in done.err
    for each in said:
        assert each in done.err
    assert "Traceback" not in done.err
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("failed", 4)


@pytest.mark.parametrize(("file", "content", "more"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(train, tmp_path, file, content, more):
    done = train(file, content, more)
    assert done.code == 0, done.err
    # No row is dropped in silence.
    rows = json.loads((tmp_path / "run" / "record.json").read_text())["data"]["rows"]
    assert rows == (80 if content == ACCEPTED["rows twice"][1] else 40)
    splits = json.loads((tmp_path / "run" / "metrics.json").read_text())["splits"]
    assert sum(split["n"] for split in splits.values()) == rows


def test_a_class_of_one_row_is_said(train):
    done = train("x.csv", csv(line5="1,2,maybe\n"), "")
    assert done.code == 0
    assert "maybe" in done.err


def test_whole_numbers_that_are_rounded_are_said(train):
    done = train(*ACCEPTED["whole numbers beyond float32"])
    assert "features.a: rounded (whole numbers beyond 2^53" in done.err


@pytest.mark.parametrize("share", [0, 1])
def test_rows_of_two_splits_are_said(mltrain, tmp_path, share):
    rows = [f"{n * n},{n},{n % 2}\n" for n in range(60)]
    for name, part in {"train": rows[:40], "test": rows[40 - 5 * share :]}.items():
        (tmp_path / f"{name}.csv").write_text(HEADER + "".join(part))
    (tmp_path / "config.yaml").write_text(
        "data:\n  source: {type: csv, path: train.csv}\n  target: y\n"
        "  split: {type: files, test: {type: csv, path: test.csv}}\n"
        "model: linear\ntraining: {epochs: 1, batch_size: 64}\n"
    )
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    assert ("warning: 5 of 25 test rows are training rows too" in done.err) == bool(share)


def test_a_category_that_only_later_rows_have_is_counted(train, tmp_path, mltrain):
    rows = [f"{n},{'rs'[n % 2]}x,{'yes' if n % 3 else 'no'}\n" for n in range(40)]
    assert train("x.csv", HEADER + "".join(rows), "").code == 0
    (tmp_path / "new.csv").write_text(HEADER + "1,tx,no\n2,rx,yes\n")
    done = mltrain("evaluate", "run", "--data", "new.csv", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["splits"]["new.csv"]["unknown_categories"] == {"b": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,y\n1,no\n", "'b'"),
        ("a,b,y\n1,x,no\n", "new.csv:2: column 'b': 'x' is not a number"),
        ("a,b,y\n1,2,maybe\n", "new.csv:2"),
        ("a,b,y\n1,2\n", "new.csv:2: 2 fields"),
        ("a,b,y\n", "new.csv: the file has a header and no rows"),
        ("a,b,y\n1,inf,no\n", "new.csv:2: column 'b'"),
        ("a,b,y\n1,2,\n", "new.csv:2: column 'y': the target is missing"),
    ],
)
def test_evaluate_says_the_same(trained, text, said):
    done = trained(text)
    assert done.code == 4, done.err
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "text", ["b,more,y,a\n1,x,no,2\n", "a,b,y\n1,2,no\n", "a,b,y\n,,no\n", "\ufeffa,b,y\r\n1,2,no\r\n"]
)
def test_evaluate_takes_what_fits(trained, text):
    assert trained(text).code == 0
