"""One-hot targets: columns of 0 and 1, or arrays, that are the classes of one target."""

import csv
import json
import re

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

pytestmark = pytest.mark.long

CONFIG = """\
name: hot
data:
  source: {{type: {kind}, path: {path}}}
  target: {target}
model: {{type: mlp, units: [4]}}
training: {{epochs: 1}}
"""
ROWS = 60
LABELS = np.arange(ROWS) % 3
X = np.random.default_rng(0).normal(size=(ROWS, 2)).round(3) + LABELS[:, None]


def write(folder, kind, labels=LABELS, classes=3):
    """Write rows with a one-hot target and a config; return the target's name in it."""
    hot = np.eye(classes, dtype=int)[labels]
    x = X[: len(labels)]
    names = [f"is_{number}" for number in range(classes)]
    path, target = folder / f"rows.{kind}", "y"
    if kind == "csv":
        lines = [
            ["p", "q", *names],
            *([*features, *row] for features, row in zip(x.tolist(), hot.tolist(), strict=True)),
        ]
        path.write_text("".join(",".join(map(str, line)) + "\n" for line in lines))
        target = f"[{', '.join(names)}]"
    elif kind == "npz":
        np.savez(path, x=x.astype(np.float32), y=hot.astype(np.float32))
    elif kind == "parquet":
        parquet.write_table(pa.table({"p": x[:, 0], "q": x[:, 1], "y": hot.tolist()}), path)
    else:
        rows = zip(x.tolist(), hot.tolist(), strict=True)
        path.write_text("".join(json.dumps({"p": a, "q": b, "y": row}) + "\n" for (a, b), row in rows))
    (folder / "c.yaml").write_text(CONFIG.format(kind=kind, path=path.name, target=target))
    return path


@pytest.mark.parametrize("kind", ["csv", "npz", "parquet", "jsonl"])
def test_exactly_one_label_in_every_row_is_one_target(mltrain, tmp_path, kind):
    path = write(tmp_path, kind)
    trained = mltrain("train", "c.yaml", "--run-dir", "run")
    assert trained.code == 0, trained.err
    assert "task: multiclass (exactly one of the 3 columns is 1 in every row" in trained.err
    prepared = json.loads((tmp_path / "run" / "preprocessing.json").read_text())
    assert len(prepared["target"]["classes"]) == 3 and len(prepared["columns"]) == (1 if kind == "npz" else 2)

    evaluated = mltrain("evaluate", "run", "--data", path.name, "--json")
    assert evaluated.code == 0, evaluated.err
    out = "out.jsonl" if kind == "jsonl" else "out.csv"
    predicted = mltrain("predict", "run", path.name, "--out", out, "--proba")
    assert predicted.code == 0, predicted.err
    if kind == "csv":
        with (tmp_path / out).open() as file:
            rows = list(csv.DictReader(file))
        right = np.mean([row["prediction"] == f"is_{label}" for row, label in zip(rows, LABELS, strict=True)])
        assert re.search(rf'"accuracy":[^}}]*?{right:.6f}'[:-1], evaluated.out)
        again = mltrain("predict", "run", path.name, "--explain", "-q")
        assert again.code == 0, again.err


def test_two_columns_that_complement_each_other_are_binary(mltrain, tmp_path):
    write(tmp_path, "csv", LABELS % 2, 2)
    trained = mltrain("train", "c.yaml", "--run-dir", "run")
    assert trained.code == 0, trained.err
    assert "task: binary (exactly one of the 2 columns is 1 in every row" in trained.err
    assert "target.positive: is_1" in trained.err


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_multilabel_keeps_each_column_by_itself_and_multiclass_can_be_stated(mltrain, tmp_path, kind):
    write(tmp_path, kind)
    for task, outputs in (("multilabel", "3 sigmoid"), ("multiclass", "3 softmax")):
        trained = mltrain("train", "c.yaml", "--run-dir", task, "--set", f"task={task}")
        assert trained.code == 0 and f"head: Dense {outputs}" in trained.err, trained.err


def test_a_row_with_two_labels_is_named_where_classes_are_stated(mltrain, tmp_path):
    path = write(tmp_path, "csv")
    lines = path.read_text().splitlines(keepends=True)
    lines[4] = lines[4].rsplit(",", 3)[0] + ",1,1,0\n"
    path.write_text("".join(lines))
    refused = mltrain("audit", "c.yaml", "--set", "task=multiclass")
    assert refused.code == 4
    assert "rows.csv:5: column 'is_0': expected exactly one 1" in refused.err and "found 2" in refused.err
    said = mltrain("train", "c.yaml", "--run-dir", "run")
    assert "task: multilabel" in said.err and "exactly one is 1 in 59 of 60 rows" in said.err
    assert "the first is rows.csv:5" in said.err


def test_a_class_that_no_row_has_is_left_out_and_said(mltrain, tmp_path):
    write(tmp_path, "npz", LABELS, 4)
    trained = mltrain("train", "c.yaml", "--run-dir", "run")
    assert trained.code == 0, trained.err
    assert "target.classes: without 3 (no row has this class)" in trained.err and "Dense 3 softmax" in trained.err


def test_the_classes_of_an_array_can_be_named(mltrain, tmp_path):
    write(tmp_path, "npz")
    named = "data.target={column: y, classes: [cat, dog, bird]}"
    trained = mltrain("train", "c.yaml", "--run-dir", "run", "--set", named)
    assert trained.code == 0, trained.err
    target = json.loads((tmp_path / "run" / "preprocessing.json").read_text())["target"]
    assert target["classes"] == ["cat", "dog", "bird"]
    refused = mltrain("train", "c.yaml", "--run-dir", "other", "--set", named, "--set", "task=multilabel")
    assert refused.code == 4 and "data.target.classes needs one target with classes" in refused.err
