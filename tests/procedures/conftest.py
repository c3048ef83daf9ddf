"""What several tests of procedures call."""

import shutil
import signal

import pytest

from mltrain.errors import InterruptedRunError
from mltrain.training.signals import Interruption
from tests.conftest import in_process


@pytest.fixture
def predict(folder, mltrain):
    """Run `mltrain predict` in the test's own folder of runs; return what it says where another code is expected."""

    def call(*arguments, code=0):
        done = mltrain("predict", *arguments)
        assert done.code == code, done.err
        return done.err if code else done

    return call


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """Return the run of a config, trained once for all tests of this process: whoever changes it copies it before."""
    runs = {}

    def train(text, *arguments):
        command = (text, *map(str, arguments))
        if command not in runs:
            folder = tmp_path_factory.mktemp("trained")
            (folder / "config.yaml").write_text(text)
            done = in_process(folder, "train", "config.yaml", "--run-dir", folder / "run", *arguments)
            assert done.code == 0, done.err
            runs[command] = folder / "run"
        return runs[command]

    return train


@pytest.fixture
def copy_trained(trained_once, tmp_path):
    """Return a copy of such a run in the test's own folder, beside its config."""

    def copy(text, name, *arguments):
        (tmp_path / "config.yaml").write_text(text)
        return shutil.copytree(trained_once(text, *arguments), tmp_path / name)

    return copy


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
