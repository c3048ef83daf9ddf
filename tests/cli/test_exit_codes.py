"""The exit codes are a contract: each through a real shell, as a script would meet it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

# What a user's own sitecustomize could do to us: make a part of mltrain fail as a bug would.
BUG = """
import mltrain.config.load
def broken(*arguments, **options):
    raise KeyError("a bug")
mltrain.config.load.load = broken
"""


def test_0_done(shell, config):
    done = shell(
        f"set -euo pipefail; run=$(mltrain train {config()}); mltrain evaluate $run --json > result.json; echo $run"
    )
    assert done.code == 0, done.err
    assert (done.run / "metrics.json").is_file()


def test_1_a_bug_of_ours_is_one_line_and_keeps_its_traceback(shell, config, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(BUG)
    done = shell(f"mltrain validate {config()}", PYTHONPATH=str(tmp_path), TMPDIR=str(tmp_path))
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert line.startswith("bug in mltrain: KeyError: 'a bug'")
    (kept,) = tmp_path.glob("mltrain-bug-*.txt")
    assert str(kept) in line
    assert "Traceback" in kept.read_text()


@pytest.mark.parametrize(
    "line",
    [
        "mltrain train",
        "mltrain train no.yaml",
        "mltrain validate no.yaml",
        "mltrain train config.yaml --set",
        "mltrain nothing",
        "mltrain train config.yaml --runs-dir a --run-dir b",
        "mltrain list sorces",
    ],
)
def test_2_wrong_command_line(shell, config, line):
    config()
    done = shell(line)
    assert done.code == 2
    assert "Traceback" not in done.err


def test_3_config_invalid(shell, config):
    done = shell(f"mltrain validate {config(epochs='  epoch: 2')}")
    assert done.code == 3
    assert "config.yaml:9:3: training.epoch: unknown key (did you mean 'epochs'?)" in done.err
    assert done.err.count("^") == len("epoch")


CSV = "  source: {type: csv, path: data.csv}\n  target: y"


def assert_data_invalid(done, said):
    assert done.code == 4, done.err
    assert said in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


def test_4_data_invalid(shell, config, tmp_path):
    (tmp_path / "data.csv").write_text("a,b,y\n1,2,0\n3,x,1\n5,6,0\n7,8,1\n")  # text in a column of numbers
    assert_data_invalid(shell(f"mltrain train {config(source=CSV)}"), "data.csv:3")


@pytest.mark.parametrize(
    ("text", "said"),
    [("a,b,y\n1,2,0\n3,1\n", "data.csv:3"), ("", "data.csv"), (None, "data.csv")],
    ids=["ragged row", "empty", "missing file"],
)
def test_4_data_invalid_in_other_ways(mltrain, config, tmp_path, text, said):
    """Through the same `main()`, without a process for each."""
    if text is not None:
        (tmp_path / "data.csv").write_text(text)
    assert_data_invalid(mltrain("train", config(source=CSV)), said)


def test_6_run_directory_exists(shell, config, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    done = shell(f"mltrain train {config()} --run-dir taken")
    assert done.code == 6
    assert done.out == ""
    assert [entry.name for entry in (tmp_path / "taken").iterdir()] == ["thesis.txt"]


def test_7_cannot_write(shell, config, tmp_path):
    config()
    # Files of more than 8 blocks of 1 KiB are refused, as on a disk that is full.
    done = shell("ulimit -f 8; mltrain train config.yaml --runs-dir runs")
    assert done.code == 7, done.err
    assert "cannot write" in done.err
    assert "Traceback" not in done.err


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_7_read_only_place(shell, config, tmp_path):
    config()
    (tmp_path / "locked").mkdir(mode=0o500)
    assert shell("mltrain train config.yaml --runs-dir locked/runs").code == 7


@pytest.mark.long  # tests/cli/test_gates.py has it without another process
def test_10_a_gate_is_missed(shell, config):
    done = shell(f"mltrain train {config()} --gate 'test.accuracy > 1'")
    assert done.code == 10
    assert (done.run / "model.keras").is_file()
    assert done.err.splitlines()[-1].startswith("error: 1 of 1 gate missed: test.accuracy > 1 (")


@pytest.mark.long
def test_10_a_run_that_cannot_be_reproduced(shell, small_run):
    resolved = small_run / "config.resolved.yaml"
    resolved.write_text(resolved.read_text().replace("\nseed: 42", "\nseed: 7"))
    done = shell("mltrain reproduce run --quiet --tolerance 0")
    assert done.code == 10, done.err
    assert "changed: seeds.experiment: 42 became 7" in done.out
    assert "different: metrics differ by " in done.out


def test_12_no_gpu(shell, config):
    done = shell(f"mltrain train {config()} --set device=gpu", CUDA_VISIBLE_DEVICES="-1")
    assert done.code == 12
    assert "no GPU found (" in done.err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)]
)
def test_130_and_143_a_signal_keeps_what_was_trained(config, tmp_path, number, code):
    command = Path(sys.executable).parent / "mltrain"
    process = subprocess.Popen(
        [command, "train", config(epochs="  epochs: 1000000"), "--run-dir", tmp_path / "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    history, deadline = tmp_path / "run" / "history.csv", time.monotonic() + 120
    while not (history.exists() and history.read_text().count("\n") > 3):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert out.strip() == str(tmp_path / "run")
    assert "Traceback" not in err
    assert '"interrupted"' in (tmp_path / "run" / "status.json").read_text()
    kept = [entry.name for entry in (tmp_path / "run" / "checkpoints").iterdir()]
    assert any(name.startswith("state-") for name in kept)
    assert any(name.startswith("best-") for name in kept)


@pytest.mark.parametrize(
    "processes", [pytest.param(12, marks=pytest.mark.long), pytest.param(1000, marks=pytest.mark.torture)]
)
def test_threads_that_still_read_change_no_exit_code(shell, processes):
    done = shell(f"python -m benchmarks.exit_codes {processes}", cwd=REPOSITORY, timeout=3600)
    assert done.out == f"{{4: {processes}}}\n", done.err


def test_what_is_registered_for_the_end_runs_and_is_written(shell):
    program = (
        "import atexit, sys; sys.argv = ['mltrain', 'list', 'task']; "
        "atexit.register(lambda: print('at the end', end='')); "
        "from mltrain.cli.app import main; main()"
    )
    done = shell(f'echo "{program}" > mltrain; python mltrain')
    assert done.out.endswith("at the end")
