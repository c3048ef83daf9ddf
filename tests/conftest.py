"""How tests call mltrain: as a user does, through a shell, or inside this process where TensorFlow is there."""

import contextlib
import functools
import gc
import importlib
import io
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main

from tests.chromium import CHROMIUM
from tests.flushes import leave_flushing_to_the_system
from tests.pictures_once import draw_pictures_of_a_kind_once

REPOSITORY = Path(__file__).parent.parent
CONFIGS = REPOSITORY / "configs"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def run(self) -> Path:
        """The run directory: the only line on stdout."""
        (line,) = self.out.splitlines()
        return Path(line)


@pytest.fixture(scope="module")
def browser():
    """Chromium, or a reason to skip what needs it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install '.[test]'")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as started:
        # Chromium's sandbox needs a user of its own; the pages are ours.
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shell(tmp_path):
    """Run a line of bash in an empty folder, with `mltrain` on the PATH."""

    def run(line: str, *, stdin: str = "", cwd: Path = tmp_path, timeout: float = 300, **environment: str) -> Outcome:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "PATH": path, "COLUMNS": "80", **environment},
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


def pytest_configure() -> None:
    # Where scikit-learn is there, gradient boosting is fitted in this process: another would import it each time.
    importlib.import_module("sklearn.ensemble")
    # A script starts what runs in its background with SIGINT ignored, and so would be what the tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    leave_flushing_to_the_system()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    # The tests themselves stay until the end, as what they import does: the garbage collector need not look through
    # them again and again, which takes 5 % of the time.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# Typer makes its commands anew in each call: 33 of the 43 ms that `mltrain show` takes here.
typer.main.get_command = functools.cache(typer.main.get_command)


def in_process(folder: Path, *arguments: object) -> Outcome:
    """Run the real `main()` inside this process: TensorFlow's import is paid once for all tests."""
    from mltrain.cli.app import main

    draw_pictures_of_a_kind_once()
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    handler = signal.getsignal(signal.SIGINT)
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.argv = ["mltrain", *map(str, arguments)]
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            sys.argv = argv
            signal.signal(signal.SIGINT, handler)
    return Outcome(code, out.getvalue(), err.getvalue())


@pytest.fixture
def mltrain(tmp_path):
    """Run mltrain inside this process, in an empty folder."""

    def run(*arguments: object) -> Outcome:
        return in_process(tmp_path, *arguments)

    return run


@pytest.fixture(scope="session")
def small_trained(tmp_path_factory):
    """Train the small experiment once for all tests of this process: whoever changes its run copies it before."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "config.yaml").write_text(SMALL)
    done = in_process(folder, "train", "config.yaml", "--run-dir", folder / "run")
    assert done.code == 0, done.err
    return done


@pytest.fixture
def small_run(small_trained, tmp_path):
    """Return a copy of that run in the test's own folder."""
    return shutil.copytree(small_trained.run, tmp_path / "run")


@pytest.fixture
def config(tmp_path):
    """Write a small experiment that trains in a moment; parts of its text can be replaced."""

    def write(**replaced: str) -> Path:
        text = SMALL
        for old, new in replaced.items():
            assert f"{old}:" in text, old
            lines = [new if line.lstrip().startswith(f"{old}:") else line for line in text.splitlines()]
            text = "\n".join(lines) + "\n"
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


SMALL = """\
version: 1
name: small
data:
  source: {type: synthetic, kind: blobs, rows: 60}
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: mlp, units: [4]}
training:
  optimizer: {type: Adam, learning_rate: 0.01}
  epochs: 2
  batch_size: 8
"""
