"""Every moment belongs to one phase: nested phases take theirs from the one around them, and the sum is the whole."""

import subprocess
import sys
import time

import pytest

from mltrain import stopwatch as module
from mltrain.stopwatch import NO_STOPWATCH, Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves; the process is 4 s old when the stopwatch is made."""

    class Clock:
        now = 100.0

        def perf_counter(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr(module, "_age", lambda: 4.0)
    return made


def seconds(stopwatch):
    return {phase: lap.seconds for phase, lap in stopwatch.laps().items()}


def times(stopwatch):
    return {phase: lap.times for phase, lap in stopwatch.laps().items()}


def test_what_is_inside_is_not_counted_twice(clock):
    stopwatch = Stopwatch()
    stopwatch.turn_to("other")
    for _ in range(2):
        with stopwatch.phase("steps"):
            clock.now += 10
            with stopwatch.phase("checkpoints"):
                clock.now += 3
            clock.now += 1
        clock.now += 0.5
    assert seconds(stopwatch) == {"start-up": 4, "other": 1, "steps": 22, "checkpoints": 6}
    assert times(stopwatch) == {"start-up": 1, "other": 1, "steps": 2, "checkpoints": 2}


def test_a_phase_inside_itself_is_one(clock):
    stopwatch = Stopwatch()
    with stopwatch.phase("steps"), stopwatch.phase("steps"):
        clock.now += 2
    assert seconds(stopwatch) == {"start-up": 4, "steps": 2}


def test_an_error_ends_the_phases_that_it_leaves(clock):
    stopwatch = Stopwatch()
    with pytest.raises(KeyError), stopwatch.phase("steps"), stopwatch.phase("checkpoints"):
        clock.now += 1
        raise KeyError
    clock.now += 5
    assert seconds(stopwatch) == {"start-up": 9, "steps": 0, "checkpoints": 1}


def test_it_runs_while_it_is_read(clock):
    stopwatch = Stopwatch()
    clock.now += 1
    assert seconds(stopwatch) == {"start-up": 5}
    clock.now += 1
    assert seconds(stopwatch) == {"start-up": 6}


def test_it_starts_with_the_process():
    code = "import time; time.sleep(0.3); from mltrain.stopwatch import Stopwatch as S; print(S().laps()['start-up'])"
    before = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # The system counts the age of a process in hundredths of a second.
    assert 0.3 <= float(done.stdout.split("seconds=")[1].split(",")[0]) + 0.02 <= time.monotonic() - before + 0.04


def test_none_measures_nothing():
    with NO_STOPWATCH.phase("steps"):
        NO_STOPWATCH.turn_to("other")
    assert NO_STOPWATCH.laps() == {}
