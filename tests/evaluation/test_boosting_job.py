"""A fit in a process of its own gives the bits of one in this process, and this one does it where there is no other."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mltrain.evaluation import boosting_job
from mltrain.evaluation.boosting import Learned, Plan
from mltrain.evaluation.boosting_job import BoostingJob, answer, answer_here


def job(task="regression", classes=0, targets=1, weights=False, stop=True):
    draw = np.random.default_rng(0)
    values = draw.normal(size=(300, 3)).astype(np.float32)
    values[:, 2] = draw.integers(0, 4, size=300)
    values[::7, 0] = np.nan
    score = np.nan_to_num(values).sum(axis=1)[:, None] + draw.normal(size=(300, targets))
    truth = np.digitize(score, [0, 3])[:, :targets] if classes else score
    rows = Learned(values, truth, draw.random(300) if weights else None)
    stopping = rows.take(np.arange(200, 300)) if stop else None
    train, held_out = rows.take(np.arange(200)), {"validation": values[200:], "test": values[:50]}
    return BoostingJob(task, classes, Plan(300, 20), 3, (False, False, True), train, stopping, held_out)


JOBS = {
    "numbers": job(),
    "classes": job("multiclass", 3, weights=True),
    "two targets, nothing to stop by": job(targets=2, stop=False),
}


@pytest.mark.parametrize("asked", JOBS.values(), ids=JOBS)
def test_both_give_the_same_bits(asked, monkeypatch):
    here = answer_here(asked)
    monkeypatch.setattr(boosting_job, "answer_here", lambda job: pytest.fail("it was to be done elsewhere"))
    monkeypatch.delitem(sys.modules, "sklearn.ensemble", raising=False)
    there = answer(asked)
    assert there.stopped == here.stopped and list(there.guesses) == list(here.guesses)
    for name, values in here.guesses.items():
        assert values.shape[:2] == (asked.train.truth.shape[1], len(asked.held_out[name]))
        assert np.array_equal(values, there.guesses[name])


def test_where_there_is_no_other_process_this_one_does_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "sklearn.ensemble", raising=False)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert answer(JOBS["numbers"]).guesses.keys() == {"validation", "test"}
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert answer(JOBS["numbers"]).guesses.keys() == {"validation", "test"}


def test_where_scikit_learn_is_there_or_the_rows_are_many_this_one_does_it(monkeypatch):
    monkeypatch.setattr(boosting_job, "_answer_elsewhere", lambda job: pytest.fail("another process was started"))
    assert "sklearn.ensemble" in sys.modules
    assert answer(JOBS["numbers"]).guesses
    monkeypatch.delitem(sys.modules, "sklearn.ensemble")
    monkeypatch.setattr(boosting_job, "_MOST_SENT", 100)
    assert answer(JOBS["numbers"]).guesses


def test_the_other_process_ends_with_this_one():
    """It waits for its rows for ever, and its parent is killed."""
    command = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'mltrain.evaluation.boosting_job'], "
    command += "stdin=subprocess.PIPE); print(p.pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen([sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    state = Path(f"/proc/{child}/stat")
    for _ in range(200):
        # Where nobody asks for its exit code, it stays in the list as a zombie.
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        subprocess.run(["sleep", "0.1"], check=True)
    pytest.fail("it is still there")
