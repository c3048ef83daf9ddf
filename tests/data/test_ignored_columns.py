"""A column that is set to `ignore` is not looked at, whatever it holds and wherever the rows come from."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec

ROWS = 40
X = [round(row % 7 / 3, 3) for row in range(ROWS)]
Y = ["a" if value < 1 else "b" for value in X]
LONG = "x" * 140_000

IN_PARQUET = {
    "lists of texts": pa.array([["a"]] * ROWS),
    "lists of other lengths": pa.array([[1.0] * (row % 3) for row in range(ROWS)]),
    "a missing list": pa.array([None] + [[1.0]] * (ROWS - 1)),
    "beyond 2^63": pa.array([2**64 - 1] * ROWS, pa.uint64()),
    "infinite": pa.array([float("inf")] * ROWS),
    "bytes": pa.array([b"\xff"] * ROWS),
    "times of day": pa.array([1] * ROWS, pa.time64("us")),
    "maps": pa.array([[("a", 1)]] * ROWS, pa.map_(pa.string(), pa.int64())),
    "structs": pa.array([{"a": 1}] * ROWS),
}
IN_JSON = {
    "beyond 2^63": [2**70] * ROWS,
    "infinite": [float("inf")] * ROWS,
    "lists of texts": [["a"]] * ROWS,
    "lists beside numbers": [[1], *[1] * (ROWS - 1)],
    "objects": [{"a": 1}] * ROWS,
    "numbers with a typo": ["1O", *[1] * (ROWS - 1)],
    "half a character": ["\ud800"] * ROWS,
}
IN_NPZ = {
    "infinite": np.full(ROWS, np.inf),
    "beyond 2^63": np.full(ROWS, 2**64 - 1, np.uint64),
    "complex": np.full(ROWS, 1j),
    "of another length": np.zeros(3),
    "a single value": np.float64(3),
    "arrays with NaN": np.full((ROWS, 2), np.nan),
    "objects": np.array([{}] * ROWS, object),
}
IN_CSV = {
    "a long cell": [LONG, *["1"] * (ROWS - 1)],
    "a long cell in quotes": [f'"{LONG}"', *["1"] * (ROWS - 1)],
    "a long cell of two lines": [f'"{LONG}\n1"', *["1"] * (ROWS - 1)],
    "numbers with a typo": ["1O", *["1"] * (ROWS - 1)],
    "mixed zones": ["2024-01-01T00:00Z", *["2024-01-01T00:00"] * (ROWS - 1)],
    "identifiers that would be rounded": ["9007199254740993.5", *["9007199254740993"] * (ROWS - 1)],
}


def csv_text(values):
    return "x,z,y\n" + "".join(f"{x},{z},{y}\n" for x, z, y in zip(X, values, Y, strict=True))


def write(folder, form, values, name="data"):
    path = folder / f"{name}.{form}"
    if form == "parquet":
        parquet.write_table(pa.table({"x": X, "z": values, "y": Y}), path)
    elif form == "jsonl":
        path.write_text(
            "".join(json.dumps({"x": x, "z": z, "y": y}) + "\n" for x, z, y in zip(X, values, Y, strict=True))
        )
    elif form == "npz":
        np.savez(path, x=X, z=values, y=Y)
    else:
        path.write_text(csv_text(values))
    return path


def spec(path, **more):
    source = {"type": path.suffix[1:], "path": str(path)}
    return DataSpec.model_validate({"source": source, "target": "y", "features": {"z": "ignore"}, **more})


def cases():
    for form, columns in (("parquet", IN_PARQUET), ("jsonl", IN_JSON), ("npz", IN_NPZ), ("csv", IN_CSV)):
        for name, values in columns.items():
            yield pytest.param(form, values, id=f"{form}: {name}")


@pytest.mark.parametrize(("form", "values"), list(cases()))
def test_training_is_as_if_the_column_were_not_there(form, values, tmp_path):
    path = write(tmp_path, form, values)
    prepared = prepare(spec(path), 1)
    assert [encoder.column for encoder in prepared.preprocessing.columns] == ["x"]
    plain = write(tmp_path, form, [1] * ROWS, "plain")
    expected = prepare(spec(plain), 1)
    for name, examples in expected.examples.items():
        assert prepared.examples[name].x.tobytes() == examples.x.tobytes()
        assert prepared.splits.train.tolist() == expected.splits.train.tolist()
    # A test file need not have the column at all.
    if form == "csv":
        other = tmp_path / "other.csv"
        other.write_text("x,y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True)))
        files = {"type": "files", "test": {"type": "csv", "path": str(other)}, "validation": 0.2}
        assert len(prepare(spec(path, split=files), 1).splits.test) == ROWS


def test_an_ignored_column_of_a_test_file_is_not_looked_at_either(tmp_path):
    train = write(tmp_path, "parquet", [1] * ROWS)
    for name, values in IN_PARQUET.items():
        test = write(tmp_path, "parquet", values, "test")
        files = {"type": "files", "test": {"type": "parquet", "path": str(test)}, "validation": 0.2}
        assert len(prepare(spec(train, split=files), 1).splits.test) == ROWS, name


@pytest.mark.parametrize(
    "split",
    [
        {"type": "group", "column": "z"},
        {"type": "hash", "columns": ["z"]},
        {"type": "time", "column": "z"},
        {"type": "kfold", "folds": 3, "group": "z"},
    ],
)
def test_a_column_that_is_needed_for_the_split_is_read_although_it_is_ignored_as_a_feature(split, tmp_path):
    path = write(tmp_path, "csv", [f"{2000 + row // 2}-01-01" for row in range(ROWS)])
    prepared = prepare(spec(path, split=split), 1)
    assert [encoder.column for encoder in prepared.preprocessing.columns] == ["x"]
    assert not set(prepared.splits.train // 2) & set(prepared.splits.test // 2)


@pytest.mark.long
def test_predict_and_evaluate_do_not_look_at_columns_that_the_model_does_not_need(mltrain, tmp_path):
    parquet.write_table(pa.table({"x": X, "z": [1] * ROWS, "y": Y}), tmp_path / "train.parquet")
    (tmp_path / "c.yaml").write_text(
        "name: i\ndata: {source: {type: parquet, path: train.parquet}, target: y, features: {z: ignore}}\n"
        "model: {type: linear}\ntraining: {epochs: 1}\n"
    )
    done = mltrain("train", "c.yaml", "--quiet", "--run-dir", "run")
    assert done.code == 0, done.err
    for form, columns in (("parquet", IN_PARQUET), ("jsonl", IN_JSON), ("npz", IN_NPZ), ("csv", IN_CSV)):
        for name, values in columns.items():
            path = write(tmp_path, form, values)
            measured = mltrain("evaluate", "run", "--data", path)
            assert measured.code == 0, (form, name, measured.err)
            predicted = mltrain("predict", "run", path, "--out", tmp_path / f"out.{form}", "--force")
            assert predicted.code == 0, (form, name, predicted.err)
