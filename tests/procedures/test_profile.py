"""`--profile`: where the time of a process went, in the run and in the terminal, at no price for the numbers."""

import json
import os
import shutil

import pytest

from mltrain.run.checkpoint_files import newest, read_checkpoint
from mltrain.run.profile import Profile
from mltrain.run.rundir import RunDirectory
from tests.conftest import SMALL, in_process


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiled")
    # A process sets it when TensorFlow starts; all commands here share one process, and a run records what was set.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    (folder / "config.yaml").write_text(SMALL)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--profile")
    assert done.code == 0, done.err
    return done


@pytest.fixture
def profiled(trained, tmp_path):
    """A copy of a run with a profile, and what was said when it was made."""
    return shutil.copytree(trained.run, tmp_path / "run"), trained


def profile(run) -> Profile:
    found = RunDirectory(run).profile()
    assert found is not None
    return found


def times(run):
    return {phase.phase: phase.times for phase in profile(run).phases}


@pytest.mark.long
def test_the_phases_are_the_whole_and_almost_all_has_a_name(shell, config):
    done = shell(f"time -p mltrain train {config()} --run-dir run --profile")
    assert done.code == 0, done.err
    found = profile(done.run)
    seconds = {phase.phase: phase.seconds for phase in found.phases}
    assert sum(seconds.values()) == pytest.approx(found.seconds, abs=1e-4)
    assert sum(phase.share for phase in found.phases) == pytest.approx(1)
    assert seconds["other"] < 0.05 * found.seconds + 0.1
    wall = float(next(line for line in done.err.splitlines() if line.startswith("real")).split()[1])
    # The age of a process is known in hundredths. What comes after the writing is the end of Python.
    assert 0.95 * wall - 0.5 <= found.seconds <= wall + 0.02
    # Python and TensorFlow take longer to import than an experiment of 36 rows to train.
    assert seconds["start-up"] > 0.05
    assert seconds["importing TensorFlow"] > seconds["steps"]


def test_every_phase_is_there(profiled):
    run, done = profiled
    assert times(run) == {
        "start-up": 1,
        "run files": 5,
        "importing TensorFlow": 1,
        "reading the data": 1,
        "data audit": 1,
        "building the model": 2,
        "other": 1,
        "checkpoints": times(run)["checkpoints"],
        "tracing": 1,
        "callbacks": times(run)["callbacks"],
        "steps": 2,
        "history and terminal": times(run)["history and terminal"],
        "validation": 2,
        "measuring the splits": 1,
        "baselines": 1,
        "model.keras": 1,
        "plots": 1,
        "diagnosis": 1,
        "self-check": 1,
        "report": 2,
    }
    table = done.err[done.err.index("\ntime ") :].splitlines()[1:]
    assert table[0].split() == ["time", "times", "seconds", "share"]
    assert len(table) == 1 + len(times(run)) + 1
    assert table[-1].split()[0] == "sum"


def test_show_shows_it(profiled, mltrain):
    run, done = profiled
    table = done.err[done.err.index("\ntime ") :]
    assert mltrain("show", run).out.endswith(table)
    shown = json.loads(mltrain("show", run, "--json").out)["profile"]
    assert shown == json.loads((run / "profile.json").read_text())


def test_without_it_nothing_is_written_and_the_numbers_are_the_same(profiled, mltrain, config, tmp_path):
    run, _ = profiled
    plain = tmp_path / "plain"
    done = mltrain("train", config(), "--run-dir", plain)
    assert "start-up" not in done.err
    assert {path.name for path in run.iterdir()} - {path.name for path in plain.iterdir()} == {"profile.json"}
    assert json.loads(mltrain("show", plain, "--json").out)["profile"] is None
    assert (run / "metrics.json").read_bytes() == (plain / "metrics.json").read_bytes()
    for kind in ("best", "last"):
        one, other = (read_checkpoint(newest(each / "checkpoints", kind))[0] for each in (run, plain))
        assert {name: array.tobytes() for name, array in one.items()} == {
            name: array.tobytes() for name, array in other.items()
        }


def test_quiet_says_nothing_and_writes_it(mltrain, config, tmp_path):
    done = mltrain("train", config(), "--run-dir", tmp_path / "run", "--profile", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert times(tmp_path / "run")["steps"] == 2


def test_resume_counts_what_it_did_itself(profiled, mltrain):
    run, _ = profiled
    done = mltrain("resume", run, "--epochs", 5, "--profile")
    assert done.code == 0, done.err
    assert times(run)["steps"] == 3
    assert "\ntime " in done.err


def test_train_resume_takes_up_with_it(mltrain, config, tmp_path):
    started = ("train", config(), "--run-dir", tmp_path / "run", "--resume", "--profile")
    assert mltrain(*started).code == 0
    assert mltrain(*started, "--set", "training.epochs=3").code == 0
    assert times(tmp_path / "run")["steps"] == 1


DAMAGES = {
    "empty": lambda text: "",
    "half": lambda text: text[: len(text) // 2],
    "no object": lambda text: "[]",
    "another format": lambda text: text.replace('"format": 1', '"format": 2'),
    "a phase that is none": lambda text: text.replace('"steps"', '"\\u001b[2Jsteps"'),
    "negative": lambda text: text.replace('"seconds": ', '"seconds": -', 1),
    "NaN": lambda text: text.replace('"share": ', '"share": NaN, "was": ', 1),
    "a text": lambda text: text.replace('"times": 1', '"times": "often"', 1),
    "another key": lambda text: text.replace('"format": 1', '"format": 1, "more": 2'),
    "huge": lambda text: text.replace('"seconds": ', '"seconds": 1e999, "was": ', 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_said(profiled, mltrain, damage):
    run, _ = profiled
    text = (run / "profile.json").read_text()
    damaged = DAMAGES[damage](text)
    assert damaged != text
    (run / "profile.json").write_text(damaged)
    done = mltrain("show", run)
    assert done.code == 5, done.out
    assert "profile.json: " in done.err
    assert "Traceback" not in done.err
    assert "\x1b" not in done.err


def test_a_link_is_not_followed(profiled, mltrain, tmp_path):
    run, _ = profiled
    (tmp_path / "secret").write_text((run / "profile.json").read_text())
    (run / "profile.json").unlink()
    (run / "profile.json").symlink_to(tmp_path / "secret")
    assert mltrain("show", run).code == 5
