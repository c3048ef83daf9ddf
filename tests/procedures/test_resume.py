"""A run that was interrupted and resumed is the run that never was: bit for bit, through the command."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mltrain.errors import InterruptedRunError
from mltrain.run.checkpoint_files import newest
from mltrain.training.signals import Interruption

pytestmark = pytest.mark.long

# Everything that keeps a state: dropout, batch normalization, augmentation, plateau, early stopping, a partial batch.
IMAGES = """\
name: images
data:
  source: {type: synthetic, kind: shapes, rows: 150}
model:
  type: sequential
  layers:
    - {type: RandomTranslation, height_factor: 0.1, width_factor: 0.1}
    - {type: Conv2D, filters: 4, kernel_size: 3}
    - BatchNormalization
    - GlobalAveragePooling2D
    - {type: Dropout, rate: 0.3}
training:
  epochs: 6
  batch_size: 16
  checkpoint: {every: 4 steps}
  callbacks: [{type: EarlyStopping, patience: 5}, {type: ReduceLROnPlateau, patience: 1, min_delta: 0.01}]
"""
AVERAGED = """\
name: averaged
data:
  source: {type: synthetic, kind: blobs, rows: 150}
model: {type: mlp, units: [8], dropout: 0.2}
training:
  optimizer:
    type: AdamW
    learning_rate: {type: CosineDecay, initial_learning_rate: 0.05, decay_steps: 40}
    use_ema: true
    ema_momentum: 0.9
  class_weight: balanced
  epochs: 6
  batch_size: 16
  checkpoint: {every: 1 epoch}
"""
SEQUENCES = """\
name: sequences
data:
  source: {type: synthetic, kind: sequences, rows: 150}
model: {type: sequential, layers: [{type: LSTM, units: 4, dropout: 0.2}, {type: GaussianNoise, stddev: 0.1}]}
training:
  optimizer: {type: SGD, learning_rate: 0.1, momentum: 0.9}
  epochs: 6
  batch_size: 16
  checkpoint: {every: 3 steps}
"""
# A whole batch is computed in halves, the last one of an epoch is smaller and is not.
FUSED = """\
name: fused
data:
  source: {type: synthetic, kind: sequences, rows: 150}
model:
  type: sequential
  layers: [{type: LSTM, units: 4, return_sequences: true}, {type: GRU, units: 4, dropout: 0.2}]
training:
  epochs: 6
  batch_size: 64
  fuse: true
  checkpoint: {every: 3 steps}
"""

RESTORING = """\
data: {source: {type: sklearn, name: diabetes}}
model: {type: mlp, units: [8]}
training:
  epochs: 12
  batch_size: 16
  callbacks: [{type: EarlyStopping, monitor: train.loss, patience: 4, restore_best_weights: true}]
  checkpoint: {every: 3 steps}
"""


def result(run):
    """Return what must be equal: metrics, history without seconds, the newest weights of each kind."""
    lines = [line.rpartition(",")[0] for line in (run / "history.csv").read_text().splitlines()]
    arrays = {
        kind: (newest(run / "checkpoints", kind) / "arrays.npz").read_bytes() for kind in ("best", "last", "state")
    }
    return (run / "metrics.json").read_bytes(), lines, arrays


def resumptions(run):
    return json.loads((run / "record.json").read_text())["resumed"]


@pytest.fixture
def train(mltrain, tmp_path):
    def run(text, name, *arguments, code=0):
        (tmp_path / "config.yaml").write_text(text)
        done = mltrain("train", "config.yaml", "--run-dir", tmp_path / name, *arguments)
        assert done.code == code, done.err
        return tmp_path / name

    return run


@pytest.fixture
def interrupt(monkeypatch):
    """Let the process get a signal at its n-th look-up."""

    def after(looks):
        seen = 0

        def raise_if_received(self):
            nonlocal seen
            seen += 1
            if seen == looks:
                raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

        monkeypatch.setattr(Interruption, "raise_if_received", raise_if_received)

    return after


@pytest.fixture(scope="module")
def kept_interrupted():
    return {}


@pytest.fixture
def interrupted(train, interrupt, monkeypatch, kept_interrupted, tmp_path_factory, tmp_path):
    """Return a run that got a signal at its n-th look-up: trained once for all tests, and copied for each."""

    def run(text, looks):
        if (text, looks) in kept_interrupted:
            (tmp_path / "config.yaml").write_text(text)
            return shutil.copytree(kept_interrupted[text, looks], tmp_path / "run")
        interrupt(looks)
        run = train(text, "run", code=143)
        monkeypatch.undo()
        kept_interrupted[text, looks] = shutil.copytree(run, tmp_path_factory.mktemp("interrupted") / "run")
        return run

    return run


@pytest.mark.parametrize("text", [IMAGES, AVERAGED, SEQUENCES, FUSED], ids=["images", "averaged", "sequences", "fused"])
# Four looks are between the phases, before the first step.
@pytest.mark.parametrize("looks", [7, 12, 18])
def test_an_interrupted_run_ends_as_if_it_had_not_been(trained_once, interrupted, mltrain, text, looks):
    whole = trained_once(text)
    run = interrupted(text, looks)
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    (taken_up,) = resumptions(run)
    assert taken_up["step"] > 0
    assert f"resumed from step {taken_up['step']}" in done.err
    assert result(run) == result(whole)


def test_an_interrupted_run_restores_the_best_epoch_of_its_monitor(trained_once, interrupted, mltrain):
    """Of a regression whose target is scaled by the default."""
    whole = trained_once(RESTORING)
    run = interrupted(RESTORING, 12)
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert resumptions(run)[0]["step"] > 0
    assert result(run) == result(whole)
    assert json.loads((run / "metrics.json").read_text())["objective"]["metric"] == "train.loss"


def test_many_interruptions(trained_once, train, mltrain, interrupt, monkeypatch):
    whole = trained_once(IMAGES)
    interrupt(8)
    run = train(IMAGES, "run", code=143)
    rounds, training = 0, True
    while training:
        interrupt(11)
        training = "kept up to step" in mltrain("resume", run).err  # else it came while the splits were measured
        rounds += 1
    monkeypatch.undo()
    assert rounds > 3
    assert mltrain("resume", run).code == 0
    steps = [taken_up["step"] for taken_up in resumptions(run)]
    assert steps == sorted(steps)
    assert len(set(steps)) >= rounds  # only what came while the splits were measured has the same step twice
    assert result(run) == result(whole)


def test_kill_9_and_train_resume(trained_once, shell, tmp_path):
    whole = trained_once(IMAGES)
    (tmp_path / "config.yaml").write_text(IMAGES)
    command = [
        Path(sys.executable).parent / "mltrain",
        "train",
        "--resume",
        "config.yaml",
        "--run-dir",
        "run",
        "--quiet",
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    history, deadline = tmp_path / "run" / "history.csv", time.monotonic() + 120
    while not (history.exists() and history.read_text().count("\n") > 2):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = shell(" ".join(map(str, command)))
    assert done.code == 0, done.err
    assert resumptions(tmp_path / "run")[0]["step"] > 0
    assert result(tmp_path / "run") == result(whole)


def test_a_finished_run_is_not_touched(copy_trained, mltrain):
    run = copy_trained(AVERAGED, "run")

    def tree():
        return {path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in run.rglob("*")}

    before = tree()
    done = mltrain("resume", run)
    assert (done.code, done.out) == (0, f"{run}\n")
    assert "nothing to do" in done.err
    assert mltrain("train", "--resume", "config.yaml", "--run-dir", run).code == 0
    assert tree() == before


def test_more_epochs_are_those_that_a_longer_run_has(copy_trained, train, mltrain):
    longer = train(SEQUENCES, "longer", "--set", "training.epochs=9")
    run = copy_trained(SEQUENCES, "run")
    done = mltrain("resume", run, "--epochs", 9)
    assert done.code == 0, done.err
    assert result(run)[0] == result(longer)[0]
    assert result(run)[1] == result(longer)[1]


def test_a_damaged_checkpoint_is_passed_over_and_said(trained_once, interrupted, mltrain):
    whole = trained_once(IMAGES)
    run = interrupted(IMAGES, 18)
    arrays = newest(run / "checkpoints", "state") / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 4
    arrays.write_bytes(content)
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert "newer ones are damaged" in done.err
    assert result(run) == result(whole)


def test_where_no_checkpoint_is_valid_nothing_starts_afresh(interrupted, mltrain):
    run = interrupted(IMAGES, 18)
    for path in (run / "checkpoints").glob("state-*/arrays.npz"):
        path.write_bytes(path.read_bytes()[:-1])
    before = (run / "status.json").read_bytes()
    done = mltrain("resume", run)
    assert done.code == 5
    assert "no checkpoint is valid" in done.err
    assert (run / "status.json").read_bytes() == before


def test_what_changes_the_result_is_refused_and_listed(interrupted, mltrain):
    run = interrupted(IMAGES, 18)
    other = ["--set", "training.batch_size=8", "--set", "seed=1"]
    done = mltrain("resume", run, *other)
    assert done.code == 5
    assert "training.batch_size: 16 became 8" in done.err
    assert "seed: 42 became 1" in done.err
    assert "splits: other rows" in done.err
    assert mltrain("resume", run, "--set", "training.batch_size=8", "--allow-inexact").code == 0
    assert resumptions(run)[-1]["inexact"] == ["training.batch_size: 16 became 8"]


def test_the_cadence_of_checkpoints_may_change(trained_once, interrupted, mltrain):
    whole = trained_once(IMAGES)
    run = interrupted(IMAGES, 18)
    done = mltrain("resume", run, "--set", "training.checkpoint.every=1 epoch", "--set", "training.progress_every=3")
    assert done.code == 0, done.err
    assert result(run) == result(whole)


def test_other_versions_are_refused(interrupted, mltrain):
    run = interrupted(IMAGES, 18)
    record = json.loads((run / "record.json").read_text())
    record["versions"]["tensorflow"] = "2.20.0"
    (run / "record.json").write_text(json.dumps(record))
    done = mltrain("resume", run)
    assert done.code == 5
    assert "versions.tensorflow: 2.20.0 became" in done.err


@pytest.mark.parametrize("kept", [(), ("config.yaml",), ("config.yaml", "config.resolved.yaml", "record.json")])
def test_a_half_made_run_is_started_again(trained_once, mltrain, tmp_path, kept):
    whole = trained_once(AVERAGED)
    (tmp_path / "config.yaml").write_text(AVERAGED)
    half = tmp_path / "half"
    half.mkdir()
    for name in kept:
        shutil.copy(whole / name, half / name)
    done = mltrain("train", "--resume", "config.yaml", "--run-dir", half)
    assert done.code == 0, done.err
    assert result(half)[:2] == result(whole)[:2]


def test_a_run_that_died_before_its_first_checkpoint_starts_at_step_0(
    trained_once, train, mltrain, interrupt, monkeypatch
):
    whole = trained_once(AVERAGED)
    interrupt(2)  # after TensorFlow's import
    run = train(AVERAGED, "run", code=143)
    monkeypatch.undo()
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert "resumed from step 0: no checkpoint had been written yet" in done.err
    assert result(run)[:2] == result(whole)[:2]


def test_what_has_no_record_is_no_run_yet(copy_trained, mltrain):
    run = copy_trained(AVERAGED, "run")
    (run / "record.json").unlink()
    (run / "status.json").unlink()
    done = mltrain("resume", run)
    assert done.code == 5
    assert f"`mltrain train --resume CONFIG --run-dir {run}` starts it again" in done.err


@pytest.mark.parametrize("again", [("resume",), ("train", "--resume", "config.yaml", "--run-dir")], ids=" ".join)
def test_a_signal_before_the_first_file_leaves_a_run_that_can_go_on(trained_once, train, mltrain, monkeypatch, again):
    whole = trained_once(AVERAGED)
    monkeypatch.setattr("mltrain.cli.train.print_run", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    run = train(AVERAGED, "run", code=143)
    monkeypatch.undo()
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("interrupted", 143)
    done = mltrain(*again, run)
    assert done.code == 0, done.err
    assert "resumed from step 0" in done.err
    assert result(run) == result(whole)


def test_a_run_without_a_status_goes_on(trained_once, interrupted, mltrain):
    whole = trained_once(AVERAGED)
    run = interrupted(AVERAGED, 12)
    (run / "status.json").unlink()
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert result(run) == result(whole)


# Of the splits, before metrics.json, and between the plots.
@pytest.mark.parametrize("look", [1, 2, 4, 7])
def test_a_signal_after_the_training_is_noticed_and_the_end_is_the_same(
    trained_once, train, mltrain, monkeypatch, tmp_path, look
):
    experiment = AVERAGED + "evaluation: {batch_size: 16}\n"  # else each split is measured in one call
    whole = trained_once(experiment)
    seen = 0

    def raise_if_received(self):
        nonlocal seen
        status = tmp_path / "run" / "status.json"
        seen += status.exists() and '"evaluating"' in status.read_text()
        if seen == look:
            raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

    monkeypatch.setattr(Interruption, "raise_if_received", raise_if_received)
    run = train(experiment, "run", code=143)
    assert seen == look
    monkeypatch.undo()
    assert json.loads((run / "status.json").read_text())["state"] == "interrupted"
    assert (run / "metrics.json").exists() == (look == 7)
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert resumptions(run)[0]["step"] > 0
    assert result(run) == result(whole)


def test_who_set_a_value_first_is_not_forgotten(train, mltrain, interrupt, monkeypatch):
    interrupt(12)
    run = train(AVERAGED, "run", "--set", "training.epochs=7", code=143)
    interrupt(7)
    before = (run / "config.resolved.yaml").read_text()
    assert mltrain("resume", run).code == 143
    assert (run / "config.resolved.yaml").read_text() == before
    monkeypatch.undo()
    done = mltrain("resume", run, "--set", "training.progress_every=3")
    assert done.code == 0, done.err
    set_line = "  progress_every: 3  # resume --set #1\n"
    after = before.replace("  progress_every: 1  # default\n", set_line)
    assert set_line in after
    assert "  epochs: 7  # --set #1\n" in after
    assert (run / "config.resolved.yaml").read_text() == after


def test_json_says_from_which_step_it_went_on(interrupted, mltrain):
    run = interrupted(IMAGES, 18)
    for command in (("resume", run), ("train", "--resume", "config.yaml", "--run-dir", run)):  # the second: finished
        said = json.loads(mltrain(*command, "--json").out)
        (taken_up,) = resumptions(run)
        assert said["run"] == str(run)
        assert said["resumed"] == [{"step": taken_up["step"], "checkpoint": taken_up["checkpoint"]}]
        assert taken_up["step"] > 0
    assert json.loads(mltrain("train", "config.yaml", "--run-dir", run.parent / "new", "--json").out)["resumed"] == []


def test_resume_needs_a_place_and_touches_no_other(mltrain, config, tmp_path):
    assert "--resume needs --run-dir" in mltrain("train", "--resume", config()).err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    done = mltrain("train", "--resume", config(), "--run-dir", tmp_path / "mine")
    assert done.code == 6
    assert "thesis.txt" in done.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
