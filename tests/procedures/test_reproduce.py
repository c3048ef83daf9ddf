"""`mltrain reproduce`: a run is trained again from its record; the same, near enough, or different, and why."""

import json
import os
import shutil

import numpy as np
import pytest

from tests.conftest import in_process

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce")
    # A process sets it when TensorFlow starts; all commands here share one process, and a run records what was set.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    draw = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{int(a + b > 0)}" for a, b in draw.normal(size=(80, 2))]
    (folder / "data.csv").write_text("a,b,y\n" + "\n".join(rows) + "\n")
    (folder / "config.yaml").write_text(
        "name: again\n"
        "data: {source: {type: csv, path: data.csv}, target: y}\n"
        "model: {type: mlp, units: [4], dropout: 0.2}\n"
        "training: {epochs: 3, batch_size: 8}\n"
    )
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished / "run", tmp_path / "run")


@pytest.fixture
def reproduce(mltrain, run):
    def call(*arguments, code=0):
        done = mltrain("reproduce", run, "--quiet", *arguments)
        assert done.code == code, done.err + done.out
        return done.out.splitlines()

    return call


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_the_same_run_again_is_identical(reproduce, run, tmp_path):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    verdict, where = reproduce()
    assert verdict == "identical: weights, history and metrics are the same, bit for bit"
    again = (tmp_path / "runs" / "again-again" / "latest").resolve()
    assert where == f"run  {again}"
    assert not (tmp_path / "runs" / "again").exists()
    assert (again / "metrics.json").read_bytes() == (run / "metrics.json").read_bytes()
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_for_programs(reproduce, run, tmp_path):
    found = json.loads("\n".join(reproduce("--json", "--run-dir", tmp_path / "other")))
    assert found == {
        "run": str(run),
        "again": str(tmp_path / "other"),
        "verdict": "identical",
        "tolerance": 1e-3,
        "largest": 0.0,
        "reasons": [],
        "differences": [],
    }


def test_what_was_decided_then_is_stated_now(reproduce, run, tmp_path):
    edit(run / "record.json", lambda record: record["determinism"].update(xla=True, unrolled=False, fused=False))
    reproduce("--run-dir", tmp_path / "other", "--tolerance", 10)
    resolved = (tmp_path / "other" / "config.resolved.yaml").read_text()
    for line in ("  xla: true  # --set", "  fuse: false  # --set", "device: cpu  # --set"):
        assert line in resolved


def test_other_data_is_the_reason_and_comes_first(reproduce, finished):
    path = finished / "data.csv"
    original = path.read_text()
    path.write_text(original.replace("-0", "-3"))
    try:
        lines = reproduce(code=10)
    finally:
        path.write_text(original)
    assert lines[0].startswith("changed: data: ")
    assert "data.csv has changed (80 rows then, 80 now)" in lines[0]
    assert any(line.startswith("the best weights ") for line in lines)
    assert any(line.startswith("history.csv differs from epoch 1 on: train.loss ") for line in lines)
    assert lines[-2].startswith("different: metrics differ by ")


def test_other_versions_are_a_reason(reproduce, run):
    edit(run / "record.json", lambda record: record["versions"].update(keras="3.0.0"))
    lines = reproduce()
    assert lines[0].startswith("changed: versions.keras: 3.0.0 became ")
    assert lines[1].startswith("identical: ")


def test_near_enough_is_a_matter_of_tolerance(reproduce, run):
    def nudge(metrics):
        metrics["splits"]["test"]["metrics"]["loss"]["value"] += 1e-4

    edit(run / "metrics.json", nudge)
    *differences, verdict, _ = reproduce()
    assert verdict == "within tolerance: metrics differ by 0.0001 at most, 0.001 is allowed"
    (difference,) = differences
    assert difference.startswith("test.loss: ")
    assert reproduce("--tolerance", 1e-5, code=10)[-2].startswith("different: metrics differ by 0.0001 at most")


def test_a_metric_that_is_missing_is_different(reproduce, run):
    edit(run / "metrics.json", lambda metrics: metrics["splits"]["test"]["metrics"].pop("loss"))
    assert "different: a metric is missing" in reproduce("--tolerance", 1000, code=10)


def test_only_a_finished_run(mltrain, run):
    edit(run / "status.json", lambda status: status.update(state="interrupted"))
    done = mltrain("reproduce", run)
    assert done.code == 5
    assert "the run is interrupted; only a finished one can be reproduced" in done.err


@pytest.mark.parametrize("value", ["lambda: 1", "{a: [", "float64"])
def test_a_record_that_names_what_is_not(mltrain, run, value):
    edit(run / "record.json", lambda record: record["determinism"].update(precision=value))
    resolved = run / "config.resolved.yaml"
    resolved.write_text(resolved.read_text().replace("precision: float32", "precision: auto"))
    done = mltrain("reproduce", run)
    assert done.code == 5
    assert "record.json names what no experiment can have" in done.err
