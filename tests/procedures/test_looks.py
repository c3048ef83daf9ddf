"""How often the test rows of a run were looked at: counted beside the run's own files, and said."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL, in_process

LOOKS = "test_looks.jsonl"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looked")
    (folder / "config.yaml").write_text(SMALL)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err
    return folder / "run"


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def looks(run):
    return [json.loads(line) for line in (run / LOOKS).read_text().splitlines()]


def test_training_counts_once(run, mltrain):
    (look,) = looks(run)
    assert look["command"] == ["mltrain", "train", "config.yaml", "--run-dir", "run", "--quiet"]
    assert look["time"].endswith("Z")
    assert "the test rows of this run have been used once" in mltrain("show", run).out
    assert json.loads(mltrain("show", run, "--json").out)["test_looks"] == 1


def test_each_evaluation_on_test_rows_counts_and_says_so(run, mltrain):
    for expected in (2, 3):
        done = mltrain("evaluate", run)
        said = f"the test rows of this run have been used {expected} times. Do not use them to choose a model"
        assert done.err.splitlines() == [said]
    assert len(looks(run)) == 3
    assert looks(run)[-1]["command"] == ["mltrain", "evaluate", str(run)]
    assert said in mltrain("show", run).out
    assert json.loads(mltrain("evaluate", run, "--split", "test", "--json").out)["test_looks"]["count"] == 4


def test_other_rows_do_not_count(run, mltrain):
    for split in ("train", "validation"):
        done = mltrain("evaluate", run, "--split", split)
        assert (done.code, done.err) == (0, "")
    assert len(looks(run)) == 1


def test_a_run_that_is_trained_for_longer_counts_again(run, mltrain):
    assert mltrain("resume", run, "--epochs", 3, "--quiet").code == 0
    assert [look["command"][1] for look in looks(run)] == ["train", "resume"]


def test_a_run_without_test_rows_has_none(mltrain, config, tmp_path):
    done = mltrain("train", config(), "--run-dir", tmp_path / "run", "--quiet", "--set", "data.split.test=0")
    assert done.code == 0, done.err
    assert not (tmp_path / "run" / LOOKS).exists()
    assert "have been looked at" not in mltrain("show", tmp_path / "run").out


@pytest.mark.long
def test_two_at_once_both_count(run):
    command = [Path(sys.executable).parent / "mltrain", "evaluate", run, "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    counts = {json.loads(process.communicate(timeout=120)[0])["test_looks"]["count"] for process in both}
    assert len(looks(run)) == 3
    assert max(counts) == 3


def test_a_half_line_of_a_lost_machine_does_not_count(run, mltrain):
    with (run / LOOKS).open("a") as file:
        file.write('{"time": "2026')
    assert json.loads(mltrain("show", run, "--json").out)["test_looks"] == 1


@pytest.mark.parametrize("line", ["[]", "{}", '{"time": 1, "command": []}', "\x1b[2J", '{"time": NaN}'])
def test_a_damaged_count_is_said(run, mltrain, line):
    with (run / LOOKS).open("a") as file:
        file.write(f"{line}\n")
    shown = mltrain("show", run)
    assert shown.code == 5
    assert f"{LOOKS}:2" in shown.err
    assert "\x1b" not in shown.err
    measured = mltrain("evaluate", run)
    assert measured.code == 0
    assert "this look at the test rows is not counted" in measured.err


def test_a_planted_link_is_not_followed(run, mltrain, tmp_path):
    (tmp_path / "mine.txt").write_text("mine\n")
    (run / LOOKS).unlink()
    (run / LOOKS).symlink_to(tmp_path / "mine.txt")
    done = mltrain("evaluate", run)
    assert done.code == 0
    assert "this look at the test rows is not counted" in done.err
    assert (tmp_path / "mine.txt").read_text() == "mine\n"


def test_a_planted_pipe_does_not_hang(run, mltrain):
    (run / LOOKS).unlink()
    os.mkfifo(run / LOOKS)
    done = mltrain("evaluate", run)
    assert done.code == 0
    assert "this look at the test rows is not counted" in done.err
