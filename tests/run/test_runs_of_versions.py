"""Runs that earlier versions wrote are still read, measured, used and resumed.

`tests/runs_of_versions/` holds them as they were written, without plots, report.html and model.keras; only the paths
and the name of the machine in them were changed. The one of the forecast was killed in epoch 14 of 60. Another
processor rounds the last digits differently, so numbers are compared with a tolerance.
"""

from __future__ import annotations

import json
import shutil

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.long

RUNS = sorted((REPOSITORY / "tests" / "runs_of_versions").glob("*/*"))
FINISHED = [path for path in RUNS if path.name != "forecast"]
KILLED = [path for path in RUNS if path.name == "forecast"]


def name(path):
    return f"{path.parent.name}-{path.name}"


@pytest.fixture
def copied(tmp_path):
    def copy(path):
        shutil.copytree(path, tmp_path / "run")
        return tmp_path / "run"

    return copy


def test_there_is_a_table_an_image_and_a_forecast():
    assert {path.name for path in RUNS} == {"table", "image", "forecast"}


@pytest.mark.parametrize("path", RUNS, ids=name)
def test_it_is_shown(mltrain, copied, path):
    copied(path)
    shown = mltrain("show", "run", "--json")
    assert shown.code == 0, shown.err
    assert mltrain("show", "run").code == 0


@pytest.mark.parametrize("path", FINISHED, ids=name)
def test_it_is_measured_as_it_was(mltrain, copied, path):
    recorded = json.loads((copied(path) / "metrics.json").read_text())
    for split in ("validation", "test"):
        done = mltrain("evaluate", "run", "--split", split, "--json")
        assert done.code == 0, done.err
        found = json.loads(done.out)["splits"][split]["metrics"]
        assert found.keys() == recorded["splits"][split]["metrics"].keys()
        for metric, value in recorded["splits"][split]["metrics"].items():
            assert found[metric]["value"] == pytest.approx(value["value"], rel=1e-4), metric


@pytest.mark.parametrize("path", FINISHED, ids=name)
def test_its_report_is_made_again_and_it_is_compared_with_itself(mltrain, copied, path):
    run = copied(path)
    assert mltrain("report", "run").code == 0
    assert (run / "report.html").stat().st_size > 10_000
    shutil.copytree(path, run.parent / "other")
    assert mltrain("compare", "run", "other").code == 0


@pytest.mark.parametrize("path", FINISHED, ids=name)
def test_it_is_trained_for_longer(mltrain, copied, path):
    run = copied(path)
    epochs = json.loads((run / "metrics.json").read_text())["model"]["epochs"]
    done = mltrain("resume", "run", "--epochs", epochs + 1, "--allow-inexact", "--quiet")
    assert done.code == 0, done.err
    assert json.loads((run / "metrics.json").read_text())["model"]["epochs"] == epochs + 1


@pytest.mark.parametrize("path", KILLED, ids=name)
def test_a_killed_one_is_finished(mltrain, copied, path):
    run = copied(path)
    before = (run / "history.csv").read_text().splitlines()
    done = mltrain("resume", "run", "--set", "training.epochs=20", "--allow-inexact", "--quiet")
    assert done.code == 0, done.err
    after = (run / "history.csv").read_text().splitlines()
    assert len(after) == 21
    assert after[:11] == before[:11]  # its checkpoint is that of epoch 10
    for old, new in zip(before[11:], after[11:], strict=False):  # trained again: the same epochs
        assert [float(each) for each in new.split(",")[:-1]] == pytest.approx(
            [float(each) for each in old.split(",")[:-1]], rel=1e-3
        )
    measured = mltrain("evaluate", "run", "--json")
    assert measured.code == 0, measured.err
