"""A column without any value in one file, and a key that lines of JSON do not have, are missing values."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec
from mltrain.errors import DataError
from tests.conftest import in_process
from tests.csv_files import read_csv

ROWS = 30
VALUES = {
    "dates": [f"2024-01-{day + 1:02d}" for day in range(ROWS)],
    "texts": [f"color {row % 3}" for row in range(ROWS)],
    "numbers": [row / 3 for row in range(ROWS)],
    "booleans": [row % 3 == 0 for row in range(ROWS)],
}


def write(path, values):
    rows = [{"x": row % 5 / 3, "g": values[row], "y": "ab"[row % 2]} for row in range(ROWS)]
    if path.suffix == ".csv":
        path.write_text("x,g,y\n" + "".join(f"{r['x']},{'' if r['g'] is None else r['g']},{r['y']}\n" for r in rows))
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        parquet.write_table(pa.table({name: [row[name] for row in rows] for name in rows[0]}), path)
    return {"type": path.suffix[1:], "path": str(path)}


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("empty", ["train", "validation", "test"])
def test_a_column_that_is_empty_in_one_file_is_missing_there(form, kind, empty, tmp_path):
    values = {name: [None] * ROWS if name == empty else VALUES[kind] for name in ("train", "validation", "test")}
    sources = {name: write(tmp_path / f"{name}.{form}", each) for name, each in values.items()}
    split = {"type": "files", "validation": sources["validation"], "test": sources["test"]}
    prepared = prepare(DataSpec.model_validate({"source": sources["train"], "target": "y", "split": split}), 1)
    if empty == "train":
        assert [encoder.column for encoder in prepared.preprocessing.columns] == ["x"]
    else:
        assert [encoder.column for encoder in prepared.preprocessing.columns] == ["x", "g"]
        missing = prepared.examples[empty].missing if kind != "texts" else {"g": ROWS}
        assert missing == {"g": ROWS}
        assert not prepared.examples["train"].missing


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run whose training lines often lack the key `discount`, and never `x`; each test works on a copy."""
    folder = tmp_path_factory.mktemp("shop")
    draw = np.random.default_rng(0)
    rows = [{"x": float(x), "y": "ab"[int(x > 0.5)]} for x in draw.random(60)]
    for row in rows[::2]:
        row["discount"] = 0.5
    lines(folder / "train.jsonl", rows)
    (folder / "c.yaml").write_text(
        "name: shop\ndata: {source: {type: jsonl, path: train.jsonl}, target: y}\nmodel: {type: linear}\n"
        "training: {epochs: 1}\n"
    )
    done = in_process(folder, "train", "c.yaml", "--quiet", "--run-dir", "run")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def shop(trained, tmp_path):
    return shutil.copytree(trained, tmp_path, dirs_exist_ok=True)


def test_an_absent_key_is_missing_whichever_lines_lack_it(shop, mltrain):
    late = [{"x": row % 7 / 7, "note": "z" * 9000} for row in range(1000)]  # more than one block of 8 MB
    lines(shop / "late.jsonl", [*late, {"x": 0.1, "discount": 0.5}])
    lines(shop / "null.jsonl", [{"x": row["x"], "discount": None} for row in late])
    lines(shop / "one.jsonl", late[:1])
    said = {}
    for name in ("late", "null", "one"):
        done = mltrain("predict", "run", f"{name}.jsonl", "--out", f"{name}.out.jsonl")
        assert done.code == 0, done.err
        said[name] = [json.loads(line)["prediction"] for line in (shop / f"{name}.out.jsonl").read_text().splitlines()]
        assert ("discount: no line has this key" in done.err) == (name == "one")
    assert said["late"][:1000] == said["null"]
    assert said["one"] == said["null"][:1]


def test_evaluate_takes_an_absent_key_as_missing(shop, mltrain):
    rows = [{"x": 0.1, "y": "a"}, {"x": 0.9, "y": "b"}]
    lines(shop / "absent.jsonl", rows)
    lines(shop / "null.jsonl", [{**row, "discount": None} for row in rows])
    absent, null = (mltrain("evaluate", "run", "--data", f"{name}.jsonl", "--json") for name in ("absent", "null"))
    assert (absent.code, null.code) == (0, 0), absent.err
    metrics = [next(iter(json.loads(done.out)["splits"].values()))["metrics"] for done in (absent, null)]
    assert metrics[0] == metrics[1]
    assert "absent.jsonl: no line has the key 'discount'; all rows count as missing" in absent.err


def test_a_probable_typo_is_reported(shop, mltrain):
    lines(shop / "typo.jsonl", [{"X_": 0.1, "discount": 0.5}, {"X_": 0.9}])
    done = mltrain("predict", "run", "typo.jsonl", "--out", "out.jsonl", "--summary", "summary.json")
    assert done.code == 0
    line = (
        "x: no line has this key (did you mean 'X_'?); all rows count as missing, but training rows have none missing"
    )
    assert line in done.err
    assert json.loads((shop / "summary.json").read_text())["absent"] == ["x"]
    strict = mltrain("predict", "run", "typo.jsonl", "--out", "out.jsonl", "--strict", "--force")
    assert strict.code == 4


def test_a_file_without_any_key_of_the_model_is_another_file(shop, mltrain):
    lines(shop / "other.jsonl", [{"a": 1}, {"a": 2}])
    for command in (
        ("predict", "run", "other.jsonl", "--out", "o.jsonl"),
        ("evaluate", "run", "--data", "other.jsonl"),
    ):
        done = mltrain(*command)
        assert done.code == 4, command
        assert "no column" in done.err or "columns are missing" in done.err


@pytest.mark.parametrize("lacking", ["train", "test"])
def test_a_file_of_lines_that_all_lack_a_key_is_a_split_like_any_other(lacking, tmp_path):
    rows = [{"x": row / 7, "g": row % 3, "y": "ab"[row % 2]} for row in range(ROWS)]
    short = [{name: value for name, value in row.items() if name != "g"} for row in rows]
    for name in ("train", "test"):
        lines(tmp_path / f"{name}.jsonl", short if name == lacking else rows)
    source = {"type": "jsonl", "path": str(tmp_path / "train.jsonl")}
    split = {"type": "files", "validation": 0.2, "test": {"type": "jsonl", "path": str(tmp_path / "test.jsonl")}}
    prepared = prepare(DataSpec.model_validate({"source": source, "target": "y", "split": split}), 1)
    assert [encoder.column for encoder in prepared.preprocessing.columns] == (
        ["x", "g"] if lacking == "test" else ["x"]
    )
    assert any(f"{lacking}.jsonl: no line has the key 'g'" in decision.reason for decision in prepared.decisions)
    if lacking == "test":
        assert prepared.examples["test"].missing == {"g": ROWS}


def test_a_column_that_a_csv_lacks_is_still_an_error(tmp_path):
    (tmp_path / "train.csv").write_text("x,g,y\n" + "1,2,a\n2,3,b\n" * 9)
    (tmp_path / "test.csv").write_text("x,y\n" + "1,a\n2,b\n" * 9)
    source = {"type": "csv", "path": str(tmp_path / "train.csv")}
    split = {"type": "files", "validation": 0.2, "test": {"type": "csv", "path": str(tmp_path / "test.csv")}}
    with pytest.raises(DataError, match=r"test\.csv: no column 'g', which train\.csv has"):
        prepare(DataSpec.model_validate({"source": source, "target": "y", "split": split}), 1)


def test_predictions_of_a_csv_do_not_change(shop, mltrain):
    (shop / "new.csv").write_text("x,discount\n0.1,\n0.9,0.5\n")
    done = mltrain("predict", "run", "new.csv", "--out", "new.out.csv")
    assert done.code == 0, done.err
    assert len(read_csv(shop / "new.out.csv")) == 2
