from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mltrain.errors import RunExistsError, WriteError
from mltrain.run.lock import Lock

HOLD = """
import sys
from pathlib import Path
from mltrain.run.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_another_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with hold(tmp_path / ".lock") as process:
        with pytest.raises(RunExistsError, match=f"in use by process {process.pid} on ") as caught:
            Lock(tmp_path / ".lock")
        assert caught.value.exit_code == 6
        process.kill()


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    with hold(tmp_path / ".lock") as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        Lock(tmp_path / ".lock").release()


def test_the_same_process_is_refused_until_it_gives_the_lock_back(tmp_path: Path) -> None:
    lock = Lock(tmp_path / ".lock")
    with pytest.raises(RunExistsError):
        Lock(tmp_path / ".lock")
    lock.release()
    lock.release()
    Lock(tmp_path / ".lock").release()


def test_of_many_at_once_exactly_one_wins(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from mltrain.errors import RunExistsError
from mltrain.run.opening import create_run
sys.stdin.readline()
try:
    run = create_run(Path("unused"), "x", Path(sys.argv[1]))
    run.write_config(b"")
    print("won", flush=True)
except RunExistsError:
    print("lost", flush=True)
sys.stdin.readline()
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.stdout.readline() for process in processes if process.stdout]
    for process in processes:
        process.communicate("end\n")
    assert sorted(answers) == ["lost\n", "lost\n", "won\n"]


def test_what_a_stranger_put_into_the_lock_file_is_not_repeated(tmp_path: Path) -> None:
    lock = Lock(tmp_path / ".lock")
    (tmp_path / ".lock").write_text("process \x1b[2J")
    with pytest.raises(RunExistsError, match="in use by another process"):
        Lock(tmp_path / ".lock")
    lock.release()


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / ".lock").symlink_to(tmp_path / "victim")
    with pytest.raises(WriteError, match="cannot lock"):
        Lock(tmp_path / ".lock")
    assert (tmp_path / "victim").read_text() == "precious"
