"""Workers that are lost or stopped, through the real command: all end within seconds, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mltrain.procedures.worker_processes import DRIVERS
from tests.conftest import in_process
from tests.own_parts import NETS
from tests.procedures.test_workers import command, free_addresses, rows_of, write

pytestmark = pytest.mark.long

ENDLESS = ("--set", "training.epochs=1000000", "--set", "training.checkpoint.every=2s")
# A worker that is stopped is missed after 6 s of silence; a machine with other work to do needs longer for the rest.
WITHIN = 20


def children(process):
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return sorted(map(int, found))


def alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def forks():
    """Return whether the launcher forks its workers on this machine."""
    return sys.platform == "linux" and not any(map(os.path.exists, DRIVERS))


def begun(folder, *arguments, **data):
    """Return a training by two workers, once some epochs are done, and the processes of these."""
    write(folder, "config.yaml", model="{type: mlp, units: [16, 8], dropout: 0.3}", **data)
    process = subprocess.Popen(
        [sys.executable, "-m", "mltrain", "train", "config.yaml", "--run-dir", "run", "--workers", "2", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    history, deadline = folder / "run" / "history.csv", time.monotonic() + 120
    while not (history.exists() and history.read_text().count("\n") > 5):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process, children(process)


def ended(process, workers):
    """Return exit code and errors of a command that ends by itself, with all of its workers."""
    _, err = process.communicate(timeout=WITHIN)
    assert not any(map(alive, workers))
    assert "Traceback" not in err
    return process.returncode, err


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_worker_ends_all(tmp_path, rank):
    process, workers = begun(tmp_path, *ENDLESS, "--quiet")
    os.kill(workers[rank], signal.SIGKILL)
    code, err = ended(process, workers)
    assert code == 13
    advice = f"`mltrain resume {tmp_path / 'run'} --workers 2` continues from the last checkpoint"
    assert err == f"error: worker {rank} of 2 was ended by SIGKILL; {advice}\n"
    assert (tmp_path / "run" / "workers" / "worker-1.log").is_file()
    # What was trained so far is there.
    more = command(tmp_path, "resume", "run", "--epochs", 8, "--quiet")
    assert more.returncode in (0, 2), more.stderr


@pytest.mark.parametrize("rank", [0, 1])
def test_a_stopped_worker_ends_all(tmp_path, rank):
    process, workers = begun(tmp_path, *ENDLESS, "--quiet")
    os.kill(workers[rank], signal.SIGSTOP)
    code, err = ended(process, workers)
    assert code == 13
    said = f"error: worker {rank} of 2 is lost: it has been silent for 6 s: it is stopped, or cut off; `mltrain resume "
    assert err.startswith(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whom", ["command", "first", "second"])
def test_a_signal_to_any_of_them_keeps_what_was_trained(tmp_path, whom, number):
    process, workers = begun(tmp_path, *ENDLESS, "--quiet")
    os.kill({"command": process.pid, "first": workers[0], "second": workers[1]}[whom], number)
    code, err = ended(process, workers)
    assert code == 128 + number
    assert f"stopped by {number.name}: kept up to step" in err
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("interrupted", 128 + number)


@pytest.mark.parametrize("whom", ["command", "first", "second"])
def test_a_signal_to_workers_that_have_just_started_stops_them(tmp_path, whom):
    write(tmp_path, "config.yaml")
    line = [sys.executable, "-m", "mltrain", "train", "config.yaml", "--run-dir", "run", "--workers", "2", "--quiet"]
    process = subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while len(workers := children(process)) < 2:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)
    os.kill({"command": process.pid, "first": workers[0], "second": workers[1]}[whom], signal.SIGTERM)
    code, err = ended(process, workers)
    assert (code, err) == (128 + signal.SIGTERM, "stopped by SIGTERM\n")


def test_a_second_signal_at_once_does_not_change_the_first(tmp_path):
    process, workers = begun(tmp_path, *ENDLESS, "--quiet")
    process.send_signal(signal.SIGINT)
    time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    code, err = ended(process, workers)  # its output ends with the last worker
    assert code == 128 + signal.SIGINT
    assert "stopped by SIGINT: kept up to step" in err
    assert json.loads((tmp_path / "run" / "status.json").read_text())["exit_code"] == code


def test_logs_that_cannot_be_kept_do_not_hide_how_the_training_ended(tmp_path):
    process, workers = begun(tmp_path, *ENDLESS, "--quiet")
    (tmp_path / "run" / "workers").write_text("a file in the place of the folder")
    process.terminate()
    code, err = ended(process, workers)
    assert code == 128 + signal.SIGTERM
    assert err.startswith("stopped by SIGTERM: kept up to step")
    assert err.count("\n") == 1


def test_workers_without_their_command_stop_and_leave_nothing_behind(tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    process, workers = begun(tmp_path, *ENDLESS, "--quiet")
    process.kill()
    process.communicate(timeout=WITHIN)  # until the workers, which have its streams, have ended too
    assert not any(map(alive, workers))
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "interrupted"
    assert not list(temporary.iterdir())
    assert (tmp_path / "run" / "workers" / "worker-1.log").is_file()


def test_workers_meet_at_ports_where_the_name_of_a_file_is_too_long(tmp_path, monkeypatch):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    write(tmp_path, "config.yaml")
    done = command(tmp_path, "train", "config.yaml", "--run-dir", "run", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert "they add their gradients over TCP" in " ".join(done.stderr.split())
    assert not list(folder.iterdir())


def test_restarts_end_as_if_nothing_had_happened(tmp_path):
    asked = ("--set", "training.epochs=150", "--set", "training.checkpoint.every=7 steps")
    process, workers = begun(tmp_path, *asked, "--restarts", "5")
    for rank in (1, 0):
        os.kill(workers[rank], signal.SIGKILL)
        deadline = time.monotonic() + WITHIN
        while process.poll() is None and (len(found := children(process)) < 2 or found == workers):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(4)
        if process.poll() is not None:
            break
        workers = children(process)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err.count("all workers are started again from the last checkpoint") >= 1
    whole = command(tmp_path, "train", "config.yaml", "--run-dir", "whole", "--workers", 2, *asked, "--quiet")
    assert whole.returncode == 0, whole.stderr
    run, other = tmp_path / "run", tmp_path / "whole"
    assert rows_of(run) == rows_of(other)
    assert (run / "metrics.json").read_bytes() == (other / "metrics.json").read_bytes()
    last = [next((each / "checkpoints").glob("last-*/arrays.npz")).read_bytes() for each in (run, other)]
    assert last[0] == last[1]


def test_restarts_of_workers_that_have_not_begun(tmp_path):
    """The first worker is killed as soon as it is there, and then the second one."""
    write(tmp_path, "config.yaml", model="{type: mlp, units: [16, 8], dropout: 0.3}")
    line = [sys.executable, "-m", "mltrain", "train", "config.yaml", "--quiet", "--run-dir"]
    several = ("--workers", "2", "--restarts", "2")
    process = subprocess.Popen([*line, "run", *several], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    before = []
    for rank in (0, 1):
        deadline = time.monotonic() + 120
        while len(workers := [each for each in children(process) if each not in before]) < 2:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(workers[rank], signal.SIGKILL)
        before += workers
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err.count("\n") == 2
    for rank, line in enumerate(err.splitlines()):
        assert line.startswith(f"warning: worker {rank} of 2 was ended by SIGKILL; all workers are started again"), err
    whole = command(tmp_path, "train", "config.yaml", "--run-dir", "whole", "--workers", 2, "--quiet")
    assert whole.returncode == 0, whole.stderr
    assert rows_of(tmp_path / "run") == rows_of(tmp_path / "whole")


def started(folder, addresses, rank, *arguments):
    """Return a worker that a scheduler has started, as `TF_CONFIG` describes it."""
    task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
    return subprocess.Popen(
        [sys.executable, "-m", "mltrain", "train", "config.yaml", "--quiet", *arguments],
        cwd=folder,
        env={**os.environ, "TF_CONFIG": json.dumps(task)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("rank", [0, pytest.param(1, marks=pytest.mark.torture)])
def test_a_worker_that_comes_back_continues_with_the_others(tmp_path, rank):
    """A scheduler ends one, and starts it again with the same index; the other one waits for it."""
    asked = ("--set", "training.epochs=150", "--set", "training.checkpoint.every=7 steps", "--restarts", "3")
    write(tmp_path, "config.yaml", model="{type: mlp, units: [16, 8], dropout: 0.3}")
    addresses = free_addresses(2)
    lines = [("--resume", "--run-dir", "run", *asked), asked]
    workers = [started(tmp_path, addresses, number, *lines[number]) for number in range(2)]
    history, deadline = tmp_path / "run" / "history.csv", time.monotonic() + 120
    while not (history.exists() and history.read_text().count("\n") > 5):
        assert workers[0].poll() is None, workers[0].stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers[rank].kill()
    workers[rank].communicate()
    workers[rank] = started(tmp_path, addresses, rank, *lines[rank])
    said = [each.communicate(timeout=200)[1] for each in workers]
    assert [each.returncode for each in workers] == [0, 0], said
    assert f"worker {rank} of 2 is lost: its process has ended; this worker starts again, and waits" in said[1 - rank]
    whole = command(tmp_path, "train", "config.yaml", "--run-dir", "whole", "--workers", 2, *asked[:4], "--quiet")
    assert whole.returncode == 0, whole.stderr
    assert rows_of(tmp_path / "run") == rows_of(tmp_path / "whole")
    assert (tmp_path / "run" / "metrics.json").read_bytes() == (tmp_path / "whole" / "metrics.json").read_bytes()


@pytest.mark.skipif(not forks(), reason="where a GPU is, workers are processes of their own, which read the data each")
def test_data_are_read_once_for_all_workers_and_for_those_that_start_again(tmp_path):
    """The file is gone before a worker is lost: nobody but the launcher has read it."""
    draw = np.random.default_rng(0)
    y = draw.integers(0, 3, 233)
    np.savez(tmp_path / "rows.npz", x=(draw.normal(size=(233, 2)) + y[:, None]).astype(np.float32), y=y.astype(str))
    data = {"source": "{type: npz, path: rows.npz}", "target": ", target: y"}
    process, workers = begun(tmp_path, *ENDLESS, "--quiet", "--restarts", "1", **data)
    (tmp_path / "rows.npz").unlink()
    os.kill(workers[1], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while set(children(process)) & set(workers) or len(children(process)) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again, history = children(process), tmp_path / "run" / "history.csv"
    before = history.stat().st_mtime_ns
    while history.stat().st_mtime_ns == before:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert ended(process, again)[0] == 143


def test_modules_of_the_working_directory_do_not_take_the_place_of_others(tmp_path):
    """Where the command is `mltrain`: `python -m mltrain` looks there first by itself."""
    write(tmp_path, "config.yaml")
    (tmp_path / "parts.py").write_text(NETS)  # it imports Keras, so that the workers are not forked
    (tmp_path / "queue.py").write_text("raise SystemExit('the wrong module')\n")
    program = "import sys; from mltrain.cli.app import main; main()"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mltrain").write_text(program)
    line = [sys.executable, "bin/mltrain", "train", "config.yaml", "--run-dir", "run", "--workers", "2", "--quiet"]
    done = subprocess.run(
        [*line, "--plugin", "parts.py"], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_directory_that_is_taken_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("mltrain.procedures.launching.launch", None)
    write(tmp_path, "config.yaml")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").touch()
    done = in_process(tmp_path, "train", "config.yaml", "--run-dir", "run", "--workers", 2)
    assert done.code == 6
    assert "mine.txt" in done.err or "not empty" in done.err
