"""`mltrain board`, as a user calls it."""

import signal
import subprocess
import sys
import urllib.request

from tests.board.runs import made_run


def start(*command, cwd):
    return subprocess.Popen(
        [sys.executable, *command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def read(url):
    with urllib.request.urlopen(url, timeout=30) as reply:  # noqa: S310 (an address of this machine)
        return reply.read().decode()


def test_it_prints_its_address_and_serves_until_it_is_interrupted(tmp_path):
    made_run(tmp_path / "runs")
    board = start("-m", "mltrain", "board", "--port", "0", cwd=tmp_path)
    try:
        url = board.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        assert "blobs" in read(url)
        board.send_signal(signal.SIGINT)
        out, err = board.communicate(timeout=30)
    finally:
        board.kill()
    assert (out, err) == ("", "")
    assert board.returncode == -signal.SIGINT  # a shell says 130


def test_the_folder_is_an_argument_or_that_of_the_environment(tmp_path, monkeypatch):
    made_run(tmp_path / "others", "others")
    monkeypatch.setenv("MLTRAIN_RUNS_DIR", "others")
    for arguments in ((), ("others",)):
        board = start("-m", "mltrain", "board", *arguments, "--port", "0", cwd=tmp_path)
        try:
            assert "others" in read(board.stdout.readline().strip())
        finally:
            board.kill()
            board.communicate()


def test_a_folder_that_is_not_there_is_an_error(mltrain):
    done = mltrain("board", "nowhere")
    assert (done.code, done.out) == (5, "")
    assert done.err.startswith("error: nowhere: the folder of runs does not exist")
