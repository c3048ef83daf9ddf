"""Two commands on one run: the second is refused at once, before the seconds that TensorFlow takes to import."""

import sys

import pytest

from mltrain.run.opening import lock_run

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    "command", ["resume run", "train config.yaml --run-dir run", "train config.yaml --run-dir run --resume"]
)
@pytest.mark.parametrize("state", ["new", "interrupted"])
def test_the_loser_is_refused_before_tensorflow_is_imported(shell, config, tmp_path, command, state):
    config()
    run = tmp_path / "run"
    run.mkdir()
    if state == "interrupted":
        for name in ("config.resolved.yaml", "record.json", "status.json"):
            (run / name).write_text("{}")
    (run / "config.yaml").write_text("")  # by this, `resume` knows a run
    with lock_run(run):
        # -X importtime prints every import on stderr, also those that fail.
        done = shell(f"{sys.executable} -X importtime -m mltrain {command}")
        held = (run / ".lock").read_text()
    assert done.code == 6, done.err
    assert "error: run: in use by process" in done.err or "exists and is not empty" in done.err
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines()}
    assert "mltrain" in imported
    assert not imported & {"tensorflow", "keras", "numpy"}
    assert held.startswith("process ")


def test_an_empty_directory_that_is_locked_is_refused_too(shell, config, tmp_path):
    config()
    (tmp_path / "run").mkdir()
    with lock_run(tmp_path / "run"):
        for option in ("", "--resume"):
            done = shell(f"mltrain train config.yaml --run-dir run {option}")
            assert done.code == 6
            assert "in use by process" in done.err
