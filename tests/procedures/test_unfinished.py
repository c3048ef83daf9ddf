"""The model of a run that is not finished, and of one that failed."""

import json

import numpy as np

CONFIG = """\
data: {source: {type: csv, path: d.csv}, target: y}
model: linear
training: {epochs: 2}
evaluation: {baselines: false}
"""


def rows(folder):
    draw = np.random.default_rng(0).normal(size=(60, 2))
    (folder / "d.csv").write_text("a,b,y\n" + "".join(f"{a},{b},{'ny'[int(a > 0)]}\n" for a, b in draw))


def test_an_unfinished_run_says_whose_weights_are_used(mltrain, tmp_path):
    rows(tmp_path)
    (tmp_path / "c.yaml").write_text(CONFIG)
    assert mltrain("train", "c.yaml", "--run-dir", "run").code == 0
    assert "not finished" not in mltrain("predict", "run", "d.csv", "--out", "a.csv").err
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    status |= {"state": "interrupted", "reason": "received SIGTERM", "exit_code": 143}
    (tmp_path / "run" / "status.json").write_text(json.dumps(status))
    done = mltrain("predict", "run", "d.csv", "--out", "b.csv", "--summary", "s.json")
    epoch = json.loads((tmp_path / "run" / "metrics.json").read_text())["model"]["epoch"]
    said = f"the run is not finished (it was interrupted: received SIGTERM): the weights of epoch {epoch}, the best so"
    assert (done.code, said in done.err) == (0, True), done.err
    assert json.loads((tmp_path / "s.json").read_text())["unfinished"].startswith(said)
    measured = mltrain("evaluate", "run")
    assert (measured.code, said in measured.err) == (0, True), measured.err


def test_a_failed_run_says_why(mltrain, tmp_path):
    rows(tmp_path)
    (tmp_path / "c.yaml").write_text(CONFIG.replace("target: y", "target: absent"))
    assert mltrain("train", "c.yaml", "--runs-dir", "runs").code != 0
    for command in (
        ("predict", "latest", "d.csv"),
        ("evaluate", "latest"),
        ("evaluate", "latest", "--gate", "test.f1>=0"),
    ):
        done = mltrain(*command, "--runs-dir", "runs")
        assert done.code != 0
        assert "the run failed, so that its model cannot be used: " in done.err
        assert "absent" in done.err
        assert "not there; the run ended" not in done.err
        assert done.err.count("\n") == 1


def test_a_start_that_failed_is_not_the_latest_run(mltrain, tmp_path):
    rows(tmp_path)
    (tmp_path / "c.yaml").write_text(CONFIG)
    good = mltrain("train", "c.yaml", "--runs-dir", "runs").run.name
    for wrong in ("target: absent", "target: a, inputs: {x: [absent]}"):
        (tmp_path / "c.yaml").write_text(CONFIG.replace("target: y", wrong))
        assert mltrain("train", "c.yaml", "--runs-dir", "runs").code in (3, 4)
    assert len(list((tmp_path / "runs" / "experiment").glob("2*"))) == 3
    assert (tmp_path / "runs" / "experiment" / "latest").resolve().name == good
    for reference in ("latest", "experiment/latest", "runs/experiment/latest"):
        shown = mltrain("show", reference, "--runs-dir", "runs", "--json")
        assert json.loads(shown.out)["status"]["state"] == "finished", shown.out
