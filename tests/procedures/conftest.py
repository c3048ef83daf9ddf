"""What several tests of procedures call."""

import signal

import pytest

from mltrain.errors import InterruptedRunError
from mltrain.training.signals import Interruption


@pytest.fixture
def predict(folder, mltrain):
    """Run `mltrain predict` in the test's own folder of runs; return what it says where another code is expected."""

    def call(*arguments, code=0):
        done = mltrain("predict", *arguments)
        assert done.code == code, done.err
        return done.err if code else done

    return call


@pytest.fixture
def interrupt_when(monkeypatch):
    """Let the process get a signal when it looks for one and `condition` holds, until `monkeypatch.undo()`."""

    def when(condition):
        def raise_if_received(self):
            if condition():
                raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

        monkeypatch.setattr(Interruption, "raise_if_received", raise_if_received)

    return when


def epochs_are_done(run, count):
    """Return a condition: the history has so many epochs, and the next one has begun."""
    seen = []

    def holds():
        history = run / "history.csv"
        if history.exists() and history.read_text().count("\n") > count:
            seen.append(True)
        return len(seen) > 1

    return holds
