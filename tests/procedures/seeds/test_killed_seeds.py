"""`kill -9` in the middle of the second seed: the same command continues, and ends with the same bytes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import in_process

pytestmark = pytest.mark.long

CONFIG = """\
data:
  source: {type: synthetic, kind: blobs, rows: 400}
model: {type: mlp, units: [16]}
training: {epochs: 30, batch_size: 4, checkpoint: {every: 1 epoch}}
"""
BYTES = ("seeds.json", *(f"seed-{seed}/metrics.json" for seed in (42, 43, 44)), "seed-43/history.csv")


def test_kill_9_in_the_second_seed(shell, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert in_process(tmp_path, "train", "config.yaml", "--seeds", 3, "--run-dir", "whole", "--quiet").code == 0
    command = [Path(sys.executable).parent / "mltrain", "train", "config.yaml", "--seeds", "3", "--run-dir", "killed"]
    command += ["--resume", "--quiet"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    history, deadline = tmp_path / "killed" / "seed-43" / "history.csv", time.monotonic() + 240
    while not (history.exists() and history.read_text().count("\n") > 2):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "seeds.json").exists()
    done = shell(" ".join(map(str, command)))
    assert done.code == 0, done.err
    for name in BYTES:
        whole, killed = ((tmp_path / run / name).read_text() for run in ("whole", "killed"))
        if name.endswith(".csv"):  # the seconds of an epoch are those of the clock
            whole, killed = (_without_seconds(text) for text in (whole, killed))
        assert killed == whole, name


def _without_seconds(text):
    rows = [line.split(",") for line in text.splitlines()]
    place = rows[0].index("seconds")
    return [row[:place] + row[place + 1 :] for row in rows]
