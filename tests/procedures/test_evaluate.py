"""`mltrain evaluate`: the run is rebuilt from its directory, and only from what proves itself."""

import errno
import json
import shutil

import numpy as np
import pytest

from mltrain.run.checkpoint_files import newest, read_checkpoint, write_checkpoint


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One finished run on a CSV file; each test works on a copy."""
    from tests.conftest import in_process

    folder = tmp_path_factory.mktemp("evaluate")
    draw = np.random.default_rng(0)
    rows = [f"{a:.3f},{'red' if a + b > 0 else 'blue'},{int(a > 0)}" for a, b in draw.normal(size=(80, 2))]
    (folder / "data.csv").write_text("size,color,large\n" + "\n".join(rows) + "\n")
    (folder / "config.yaml").write_text(
        "name: csv\n"
        "data: {source: {type: csv, path: data.csv}, target: large}\n"
        "model: {type: mlp, units: [4]}\n"
        "training: {epochs: 3, batch_size: 8}\n"
    )
    done = in_process(folder, "train", "config.yaml", "--runs-dir", "runs", "--quiet")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy", symlinks=True)


@pytest.fixture
def run(folder):
    return (folder / "runs" / "csv" / "latest").resolve()


@pytest.fixture
def evaluate(folder, mltrain):
    def call(*arguments, code=0):
        done = mltrain("evaluate", *arguments, "--runs-dir", folder / "runs", "--json")
        assert done.code == code, done.err
        return json.loads(done.out) if code == 0 else done.err

    return call


def test_the_numbers_are_those_of_the_end_of_training(evaluate, run):
    recorded = json.loads((run / "metrics.json").read_text())["splits"]
    for split in recorded.values():
        split.pop("baselines", None)
    assert evaluate(run)["splits"] == {"test": recorded["test"]}
    for split in recorded:
        assert evaluate(run, "--split", split)["splits"] == {split: recorded[split]}


def test_the_numbers_do_not_come_from_metrics_json(evaluate, run):
    before = evaluate(run)["splits"]
    (run / "metrics.json").write_text("{}")
    assert evaluate(run)["splits"] == before


def test_a_changed_weight_gives_other_numbers(evaluate, run):
    before = evaluate(run)
    path = newest(run / "checkpoints", "best")
    arrays, state = read_checkpoint(path)
    changed = {name: array.copy() for name, array in arrays.items()}
    next(iter(changed.values()))[0] += 1.0
    shutil.rmtree(path)
    write_checkpoint(run / "checkpoints", path.name, changed, state)
    assert evaluate(run)["splits"] != before["splits"]


@pytest.mark.parametrize("name", ["arrays.npz", "state.json", "MANIFEST.json"])
def test_a_changed_byte_is_exit_5(evaluate, run, name):
    path = newest(run / "checkpoints", "best") / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = evaluate(run, code=5)
    assert path.parent.name in said
    assert "damaged" in said or "manifest" in said


def test_nothing_in_the_run_is_touched_but_the_count_of_looks(evaluate, run, folder):
    def tree():
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in run.rglob("*") if path.is_file()}

    before = tree()
    for split in ("train", "validation"):
        evaluate(run, "--split", split)
    evaluate(run, "--data", folder / "data.csv")
    assert tree() == before
    looks = run / "test_looks.jsonl"
    del before[looks]
    evaluate(run)
    after = tree()
    del after[looks]
    assert after == before


def test_a_read_only_run_is_fine(evaluate, run, monkeypatch):
    from mltrain.run import durable

    def refuse(*arguments, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    expected = evaluate(run)
    monkeypatch.setattr(durable, "perform", refuse)
    for path in (run, *run.rglob("*")):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        found = evaluate(run)
    finally:
        for path in (run, *run.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
    assert found["splits"] == expected["splits"]
    assert found["test_looks"]["count"] is None
    assert found["test_looks"]["sentence"].startswith("this look at the test rows is not counted: ")
    assert "read-only" in found["test_looks"]["sentence"]


def test_changed_data_is_exit_5(evaluate, run, finished):
    # The resolved config names the file where the run was made.
    path = finished / "data.csv"
    original = path.read_text()
    path.write_text(original + "1,red,1\n")
    try:
        assert "data.csv has changed since the run (80 rows then, 81 now)" in evaluate(run, code=5)
    finally:
        path.write_text(original)


def test_other_rows(evaluate, run, folder):
    (folder / "new.csv").write_text("extra,size,color,large\nx,1.5,red,1\ny,-1.5,green,0\nz,,blue,0\n")
    found = evaluate(run, "--data", folder / "new.csv")
    assert found["splits"]["new.csv"]["n"] == 3
    assert found["splits"]["new.csv"]["unknown_categories"] == {"color": 1}
    assert found["splits"]["new.csv"]["missing_values"] == {"size": 1}


def test_other_rows_need_the_columns(evaluate, run, folder):
    (folder / "new.csv").write_text("siez,color,large\n1.5,red,1\n")
    assert "no column 'size' (did you mean 'siez'?)" in evaluate(run, "--data", folder / "new.csv", code=4)


def test_runs_are_found_by_name(evaluate, run):
    expected = evaluate(run)["splits"]
    for reference in ("latest", "csv/latest", run.name, run.name[:8], f"csv/{run.name[:8]}"):
        assert evaluate(reference)["splits"] == expected
    assert "no such run" in evaluate("2031", code=5)


def test_an_unfinished_run_says_so(evaluate, run):
    shutil.rmtree(run / "checkpoints")
    assert "no checkpoint 'best'" in evaluate(run, code=5)


def test_split_and_data_exclude_each_other(evaluate, run):
    assert "both given" in evaluate(run, "--split", "test", "--data", "x.csv", code=2)


def test_a_run_without_test_rows_is_measured_on_validation(mltrain, config, tmp_path):
    done = mltrain("train", config(), "--run-dir", tmp_path / "run", "--quiet", "--set", "data.split.test=0")
    assert done.code == 0, done.err
    found = json.loads(mltrain("evaluate", tmp_path / "run", "--json").out)
    assert list(found["splits"]) == ["validation"]
    assert "the run has no test rows" in mltrain("evaluate", tmp_path / "run", "--split", "test").err


def test_swapped_rows_are_exit_5(evaluate, run):
    shutil.copy(run / "splits" / "train.npy", run / "splits" / "test.npy")
    assert "the row ids in splits/ are not what record.json says" in evaluate(run, code=5)


def test_changed_preprocessing_is_exit_5(evaluate, run):
    path = run / "preprocessing.json"
    content = json.loads(path.read_text())
    content["columns"][0]["scaling"]["center"] += 1.0
    path.write_text(json.dumps(content))
    assert "preprocessing.json is not what record.json says" in evaluate(run, code=5)


@pytest.mark.parametrize(
    ("source", "more", "layers", "said"),
    [
        (
            "{type: npz, path: known.npz}",
            "",
            "[{type: Embedding, input_dim: 5, output_dim: 2}, Flatten]",
            "new.npz[1]: column 'x': expected an index from 0 to 4, found {}",
        ),
        (
            "{type: csv, path: known.csv}",
            "  features: {a: {type: number, scale: none}, b: {type: number, scale: none}}\n",
            "[{type: Embedding, input_dim: 5, output_dim: 2}, Flatten]",
            "new.csv:3: column 'b': expected an index from 0 to 4, found {}",
        ),
    ],
    ids=["array", "columns"],
)
@pytest.mark.parametrize("index", [5, -1, 2_000_000_000])
def test_an_index_without_a_place_in_the_embedding_is_exit_4(mltrain, tmp_path, source, more, layers, said, index):
    known = np.arange(40).reshape(20, 2) % 5
    new = np.array([[0, 1], [2, index]])
    for name, values in (("known", known), ("new", new)):
        labels = np.arange(len(values)) % 2
        np.savez(tmp_path / f"{name}.npz", x=values, y=labels)
        rows = [f"{a},{b},{label}\n" for (a, b), label in zip(values, labels, strict=True)]
        (tmp_path / f"{name}.csv").write_text("a,b,y\n" + "".join(rows))
    (tmp_path / "config.yaml").write_text(
        f"data:\n  source: {source}\n  target: y\n{more}"
        f"model: {{type: sequential, layers: {layers}}}\ntraining: {{epochs: 1, batch_size: 8}}\n"
    )
    done = mltrain("train", "config.yaml", "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err
    assert mltrain("evaluate", "run").code == 0
    kind = "npz" if "npz" in source else "csv"
    assert mltrain("evaluate", "run", "--data", f"known.{kind}").code == 0
    done = mltrain("evaluate", "run", "--data", f"new.{kind}")
    assert done.code == 4, done.err
    assert said.format(f"{index:g}") in done.err
