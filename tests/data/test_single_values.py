"""An axis of length 1 is one value per row: in targets, in columns beside others, in lists of one number."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec

ROWS = 120
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(ROWS, 3)).astype(np.float32)
G = np.arange(ROWS) // 4
LEVEL = DRAW.normal(size=ROWS)
TARGETS = {
    "classes": DRAW.integers(0, 3, ROWS),
    "numbers": (X.sum(axis=1) + DRAW.normal(size=ROWS)).astype(np.float32),
    "texts": np.array(["a", "b"])[DRAW.integers(0, 2, ROWS)],
    "booleans": DRAW.random(ROWS) > 0.5,
}


def npz(path, **arrays):
    np.savez(path, **arrays)
    return {"type": "npz", "path": str(path)}


def prepared(source, **more):
    return prepare(DataSpec.model_validate({"source": source, "target": "y", **more}), 3)


def same(one, other):
    assert one.info == other.info
    for name, examples in other.examples.items():
        assert one.examples[name].y.tobytes() == examples.y.tobytes()
        assert one.examples[name].x.tobytes() == examples.x.tobytes()
        assert getattr(one.splits, name).tolist() == getattr(other.splits, name).tolist()


@pytest.mark.parametrize("shape", [(ROWS, 1), (ROWS, 1, 1)])
@pytest.mark.parametrize("kind", TARGETS)
def test_a_target_of_an_npz_is_as_its_only_column(kind, shape, tmp_path):
    y = TARGETS[kind]
    found = prepared(npz(tmp_path / "a.npz", x=X, y=y.reshape(shape)))
    same(found, prepared(npz(tmp_path / "b.npz", x=X, y=y)))


@pytest.mark.parametrize("split", ["files", "group"])
def test_in_every_split(split, tmp_path):
    y = TARGETS["classes"]
    flat, deep = (
        npz(tmp_path / "flat.npz", x=X, y=y, g=G),
        npz(tmp_path / "d.npz", x=X, y=y[:, None], g=G[:, None]),
    )
    if split == "files":
        ways = [{"type": "files", "validation": 0.2, "test": test} for test in (deep, flat)]
        first, second = (
            prepared(flat, split=ways[0], features={"g": "ignore"}),
            prepared(deep, split=ways[1], features={"g": "ignore"}),
        )
    else:
        group = {"type": "group", "column": "g", "stratify": False}
        first, second = prepared(flat, split=group), prepared(deep, split=group)
    same(first, second)


def test_columns_beside_others_are_numbers(tmp_path):
    y = TARGETS["classes"]
    gaps = np.where(np.arange(ROWS) % 10 == 0, np.nan, LEVEL)
    deep = npz(tmp_path / "a.npz", a=LEVEL[:, None], b=gaps[:, None], c=LEVEL, y=y[:, None])
    flat = npz(tmp_path / "b.npz", a=LEVEL, b=gaps, c=LEVEL, y=y)
    found = prepared(deep)
    assert found.preprocessing.feature_names == ("a", "b", "b is missing", "c")
    same(found, prepared(flat))


def test_a_lone_array_of_index_numbers_stays_an_array(tmp_path):
    found = prepared(npz(tmp_path / "a.npz", x=np.arange(ROWS)[:, None] % 7, y=TARGETS["classes"]))
    assert (found.info.input.shape, found.info.input.dtype) == ((1,), "int32")


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_lists_of_one_number(form, tmp_path):
    y, level = TARGETS["classes"].tolist(), LEVEL.tolist()
    sources = []
    for name, wrap in (("flat", lambda value: value), ("lists", lambda value: [value])):
        columns = {"a": [wrap(value) for value in level], "b": level, "y": [wrap(value) for value in y]}
        path = tmp_path / f"{name}.{form}"
        if form == "parquet":
            parquet.write_table(pa.table(columns), path)
        else:
            rows = zip(*columns.values(), strict=True)
            path.write_text("".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows))
        sources.append({"type": form, "path": str(path)})
    same(prepared(sources[1]), prepared(sources[0]))


def test_evaluate_and_predict_take_either_shape(mltrain, tmp_path):
    y = TARGETS["classes"]
    npz(tmp_path / "deep.npz", a=LEVEL[:, None], c=LEVEL**2, y=y[:, None])
    npz(tmp_path / "flat.npz", a=LEVEL, c=LEVEL**2, y=y)
    texts = []
    for name in ("deep", "flat"):
        (tmp_path / "c.yaml").write_text(
            f"name: s\ndata: {{source: {{type: npz, path: {name}.npz}}, target: y}}\nmodel: {{type: linear}}\n"
            "training: {epochs: 2}\n"
        )
        done = mltrain("train", "c.yaml", "--quiet", "--run-dir", name)
        assert done.code == 0, done.err
        for data in ("deep", "flat"):
            measured = mltrain("evaluate", name, "--data", f"{data}.npz", "--json")
            assert measured.code == 0, measured.err
            metrics = json.loads(measured.out)["splits"][f"{data}.npz"]["metrics"]
            texts.append({key: each["value"] for key, each in metrics.items()})
            out = tmp_path / f"{name}-{data}.npz"
            assert mltrain("predict", name, f"{data}.npz", "--out", out).code == 0
            texts[-1]["predictions"] = np.load(out)["prediction"].tolist()
    for text in texts[1:]:
        assert text == texts[0]
