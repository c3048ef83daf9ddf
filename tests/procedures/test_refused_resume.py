"""A resumption that is refused or fails leaves the run byte for byte what it was; a change is used or refused."""

import hashlib
import json
import shutil
import signal
import socket
import subprocess

import numpy as np
import pytest

from mltrain.errors import InterruptedRunError
from mltrain.run import durable
from mltrain.run.checkpoint_files import newest, read_checkpoint
from mltrain.run.history import HistoryFile
from mltrain.run.lock import Lock
from mltrain.training.signals import Interruption
from tests.conftest import in_process

pytestmark = pytest.mark.long

CONFIG = """\
name: kept
seed: 1
data: {source: {type: csv, path: data.csv}, target: y}
model: {type: mlp, units: [4], dropout: 0.1}
training:
  epochs: 4
  batch_size: 16
  optimizer: {type: Adam, learning_rate: 0.05}
  callbacks: [{type: ReduceLROnPlateau, patience: 1, min_delta: 10, factor: 0.5}]
"""
SCHEDULE = "{type: ExponentialDecay, initial_learning_rate: 0.05, decay_steps: 10, decay_rate: 0.9}"
RATE = "training.optimizer.learning_rate"


def write_data(folder, rows=120, seed=0):
    draw = np.random.default_rng(seed)
    lines = [f"{a:.3f},{b:.3f},{'yes' if a + b > 0 else 'no'}" for a, b in draw.normal(size=(rows, 2))]
    (folder / "data.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    write_data(folder)
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def run(trained, tmp_path):
    write_data(trained)
    return shutil.copytree(trained / "run", tmp_path / "run")


def tree(run):
    return {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in run.rglob("*")
        if path.is_file()
    }


def rates(run):
    lines = [line.split(",") for line in (run / "history.csv").read_text().splitlines()]
    return [float(line[lines[0].index("learning_rate")]) for line in lines[1:]]


def last_resumption(run):
    return json.loads((run / "record.json").read_text())["resumed"][-1]


def leave_unfinished(run):
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "state": "interrupted"}))


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (["model.units=[64]"], 5, "model.units: [4] became [64]"),
        (["model.units=[4,4]"], 5, "model.units: [4] became [4, 4]"),
        (["task=multiclass"], 5, "task: auto became multiclass"),
        (
            ["data.source={type: synthetic, kind: blobs, rows: 300}", "data.target=null"],
            5,
            "splits: other rows than before",
        ),
        (["data.split.test=0.5"], 5, "splits: other rows than before (train: "),
        (["data.source.path=absent.csv"], 4, "absent.csv"),
        (["data.features={b: ignore}"], 5, "data.features"),
        (["seed=2", "data.split.seed=1"], 5, "seed: 1 became 2"),
        (["training.loss=BinaryFocalCrossentropy"], 5, "training.loss: null became"),
        (["training.metrics=[Precision]"], 5, "training.metrics: null became"),
        (["training.optimizer=RMSprop"], 5, "training.optimizer.type: Adam became RMSprop"),
        (["training.optimizer.amsgrad=true"], 5, "training.optimizer.amsgrad: false became true"),
        (["training.optimizer.use_ema=true"], 5, "training.optimizer.use_ema: false became true"),
        (["evaluation.metrics=[f1]"], 5, "evaluation.metrics: null became"),
        (["objective=train.loss"], 5, "objective.metric: null became train.loss"),
        (["training.optimizer.learning_rate=fast"], 3, "learning_rate"),
        (["evaluation.metrics=[agreement]"], 3, "agreement"),
        (["training.epoch=9"], 3, "did you mean"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_refused_changes_no_byte(mltrain, run, changes, code, words):
    before = tree(run)
    overrides = [part for change in changes for part in ("--set", change)]
    done = mltrain("resume", run, "--epochs", 6, *overrides, "--allow-inexact")
    assert done.code == code, done.err
    assert words in done.err
    assert tree(run) == before


def test_after_a_refusal_the_run_is_as_good_as_before(mltrain, run, trained):
    looked = mltrain("evaluate", run, "--split", "validation", "--quiet").out
    assert mltrain("resume", run, "--epochs", 6, "--set", "model.units=[64]", "--allow-inexact").code == 5
    assert mltrain("evaluate", run, "--split", "validation", "--quiet").out == looked
    assert mltrain("predict", run, trained / "data.csv", "--out", "p.csv").code == 0
    assert mltrain("resume", run, "--epochs", 5).code == 0


def test_train_resume_with_another_config(mltrain, run, trained, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG.replace("[4]", "[64]").replace("epochs: 4", "epochs: 6"))
    shutil.copy(trained / "data.csv", tmp_path)
    before = tree(run)
    done = mltrain("train", "--resume", "config.yaml", "--run-dir", run, "--allow-inexact")
    assert done.code == 5
    assert "model.units: [4] became [64]" in done.err
    assert tree(run) == before


def test_changed_and_missing_data(mltrain, run, trained):
    before = tree(run)
    write_data(trained, rows=121)
    assert mltrain("resume", run, "--epochs", 6, "--allow-inexact").code == 5
    (trained / "data.csv").write_text("a,b,y\n1,2\n")
    assert mltrain("resume", run, "--epochs", 6).code == 4
    (trained / "data.csv").unlink()
    assert mltrain("resume", run, "--epochs", 6).code == 4
    assert tree(run) == before


def test_damaged_checkpoints(mltrain, run):
    for path in (run / "checkpoints").glob("state-*/arrays.npz"):
        path.write_bytes(path.read_bytes()[:-1])
    before = tree(run)
    assert mltrain("resume", run, "--epochs", 6).code == 5
    assert tree(run) == before


def test_a_run_that_is_in_use(mltrain, run):
    lock = Lock(run / ".lock")
    before = tree(run)
    try:
        assert mltrain("resume", run, "--epochs", 6).code == 6
    finally:
        lock.release()
    assert tree(run) == before


def test_fewer_epochs_than_are_trained(mltrain, run):
    leave_unfinished(run)
    before = tree(run)
    done = mltrain("resume", run, "--epochs", 3)
    assert done.code == 5
    assert "training.epochs: 3 is less than the 4 epochs that are already trained" in done.err
    assert tree(run) == before


@pytest.mark.parametrize(
    "where",
    [
        "mltrain.procedures.setup.build_network",
        "mltrain.training.training.Training._validate",
        "mltrain.procedures.finish.check_itself",
    ],
)
@pytest.mark.parametrize(("error", "code"), [(MemoryError(), 9), (ValueError("a bug"), 1)], ids=["memory", "bug"])
def test_a_failure_brings_a_finished_run_back(mltrain, run, monkeypatch, where, error, code):
    before = tree(run)

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(where, fail)
    done = mltrain("resume", run, "--epochs", 6)
    assert done.code == code, done.err
    assert tree(run) == before


class Full:
    """A disk that is full from its n-th operation on."""

    def __init__(self, at):
        self.at, self.count = at, 0

    def perform(self, operation, *arguments, **options):
        self.count += 1
        if self.count >= self.at:
            raise OSError(28, "No space left on device")
        return operation(*arguments, **options)


def test_a_full_disk_brings_a_finished_run_back(mltrain, run, tmp_path, monkeypatch):
    counting = Full(10**9)
    monkeypatch.setattr(durable, "perform", counting.perform)
    assert mltrain("resume", shutil.copytree(run, tmp_path / "other"), "--epochs", 6).code == 0
    before = tree(run)
    for at in (1, 30, counting.count // 2, counting.count - 40):
        monkeypatch.setattr(durable, "perform", Full(at).perform)
        done = mltrain("resume", run, "--epochs", 6)
        assert done.code == 7, done.err
        assert tree(run) == before


def test_a_kill_between_the_first_files_is_undone(mltrain, run, monkeypatch):
    before = tree(run)

    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    monkeypatch.setattr("mltrain.run.locked_run.LockedRun.write_architecture", kill)
    # As of a process that is gone.
    monkeypatch.setattr("mltrain.procedures.run_context.RunContext.ended", lambda *_: None)
    with pytest.raises(Killed):
        mltrain("resume", run, "--epochs", 6, "--set", f"{RATE}=0.001", "--allow-inexact")
    monkeypatch.undo()
    assert "learning_rate: 0.001" in (run / "config.resolved.yaml").read_text()
    assert mltrain("resume", run, "--epochs", 6, "--set", "seed=5").code == 5
    after = tree(run)
    assert {**after, ".lock": before[".lock"]} == before


def test_progress_of_an_unfinished_run_is_kept(mltrain, run, monkeypatch):
    # A disk that is full after hours costs no hours: only a finished run is worth more than what came after it.
    leave_unfinished(run)
    known = newest(run / "checkpoints", "state").name

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("mltrain.procedures.finish.check_itself", fail)
    assert mltrain("resume", run, "--epochs", 6).code == 9
    monkeypatch.undo()
    assert newest(run / "checkpoints", "state").name > known
    assert json.loads((run / "status.json").read_text())["state"] == "failed"
    steps = json.loads((run / "status.json").read_text())["step"]
    assert mltrain("resume", run).code == 0
    assert last_resumption(run)["step"] == steps


def test_a_signal_before_everything_is_read_changes_no_byte(mltrain, run, monkeypatch):
    def received(self):
        raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

    monkeypatch.setattr(Interruption, "raise_if_received", received)
    before = tree(run)
    assert mltrain("resume", run, "--epochs", 6).code == 143
    assert tree(run) == before


def test_a_new_learning_rate_is_used(mltrain, run):
    assert rates(run)[-1] < 0.05  # the plateau has reduced it
    done = mltrain("resume", run, "--epochs", 5, "--set", f"{RATE}=0.001", "--allow-inexact")
    assert done.code == 0, done.err
    assert rates(run)[4:] == [pytest.approx(0.001)]
    assert f"{RATE}: 0.05 became 0.001" in last_resumption(run)["inexact"]
    assert mltrain("resume", run, "--epochs", 6).code == 0
    assert rates(run)[5] == pytest.approx(0.0005)  # the plateau continues from there
    assert last_resumption(run)["inexact"] == []
    done = mltrain("reproduce", run)
    assert done.code == 5
    assert f"it was resumed with changes ({RATE}: 0.05 became 0.001), so it cannot be reproduced in one go" in done.err


def test_the_learning_rate_of_the_config_is_stated_again_after_a_plateau(mltrain, run):
    now = float(read_checkpoint(newest(run / "checkpoints", "state"))[0]["optimizer-0001"])
    arguments = ("resume", run, "--epochs", 5, "--set", f"{RATE}=0.05")
    done = mltrain(*arguments)
    assert done.code == 5
    assert f"{RATE}: {now:g} became 0.05" in done.err
    assert mltrain(*arguments, "--allow-inexact").code == 0
    assert rates(run)[4] == pytest.approx(0.05)


def test_a_schedule_in_place_of_a_number_and_back(mltrain, run):
    plain = ("--set", "training.callbacks=[]", "--allow-inexact")
    done = mltrain("resume", run, "--epochs", 5, "--set", f"{RATE}={SCHEDULE}", *plain)
    assert done.code == 0, done.err
    steps = json.loads((run / "status.json").read_text())["step"]
    assert rates(run)[4] == pytest.approx(0.05 * 0.9 ** (steps / 10), rel=1e-5)
    assert mltrain("resume", run, "--epochs", 6).code == 0
    assert rates(run)[5] == pytest.approx(0.05 * 0.9 ** (steps * 6 / 5 / 10), rel=1e-5)
    other = SCHEDULE.replace("0.05", "0.01")
    assert mltrain("resume", run, "--epochs", 7, "--set", f"{RATE}={other}", *plain).code == 0
    assert rates(run)[6] == pytest.approx(0.01 * 0.9 ** (steps * 7 / 5 / 10), rel=1e-5)
    assert mltrain("resume", run, "--epochs", 8, "--set", f"{RATE}=0.002", *plain).code == 0
    assert rates(run)[7] == pytest.approx(0.002)


def test_more_epochs_after_early_stopping(mltrain, run):
    stopping = "training.callbacks=[{type: EarlyStopping, patience: 2, min_delta: 10}]"
    done = mltrain("resume", run, "--epochs", 9, "--set", stopping, "--allow-inexact")
    assert done.code == 0, done.err
    # As if it had always been there: the first epoch was the best, and 3 have not improved on it.
    assert len(rates(run)) == 5
    done = mltrain("resume", run, "--epochs", 10)
    assert done.code == 0, done.err
    assert "early stopping counts its patience of 2 epochs from 0 again" in done.err
    assert len(rates(run)) == 7
    assert mltrain("reproduce", run).code == 5


def test_an_attribute_takes_effect(mltrain, run):
    done = mltrain("resume", run, "--epochs", 5, "--set", "model.dropout=0.5", "--allow-inexact")
    assert done.code == 0, done.err
    assert "model.dropout: 0.1 became 0.5" in last_resumption(run)["inexact"]


def test_a_run_that_was_resumed_with_changes_says_so(mltrain, run):
    changed = ["--set", "training.batch_size=8", "--set", "training.epochs=5"]
    sentence = "resumed with changes: training.batch_size: 16 became 8"
    assert "resumed with changes" not in mltrain("show", run).out
    done = mltrain("resume", run, *changed, "--allow-inexact")
    assert done.code == 0, done.err
    assert sentence in done.err.splitlines()
    # Also where a later resumption is exact.
    done = mltrain("resume", run, "--epochs", 6)
    assert done.code == 0, done.err
    assert sentence in done.err.splitlines()
    assert sentence in [line.strip() for line in mltrain("show", run).out.splitlines()]
    assert json.loads(mltrain("show", run, "--json").out)["changes"] == sentence
    in_report = "Resumed with changes: training.batch_size: 16 became 8."
    assert in_report in (run / "report.html").read_text()
    assert in_report in (run / "report.md").read_text().replace("\\_", "_")


def test_a_finished_run_takes_more_epochs_from_set(mltrain, run):
    done = mltrain("resume", run, "--set", "training.epochs=6")
    assert done.code == 0, done.err
    assert len(rates(run)) == 6
    assert last_resumption(run)["inexact"] == []
    assert "trained again" not in done.err


@pytest.mark.parametrize("arguments", [["--epochs", 2], ["--epochs", 4], ["--set", "training.epochs=3"]])
def test_epochs_that_a_finished_run_has_already(mltrain, run, arguments):
    before = tree(run)
    done = mltrain("resume", run, *arguments)
    assert (done.code, done.out) == (0, f"{run}\n")
    assert done.err == "nothing to do: the run already has 4 epochs\n"
    assert tree(run) == before


@pytest.mark.parametrize("arguments", [[], ["--epochs", 4], ["--set", "training.epochs=2"]])
def test_a_setting_without_effect_is_refused(mltrain, run, arguments):
    before = tree(run)
    done = mltrain("resume", run, "--set", "training.batch_size=8", *arguments)
    assert done.code == 2
    assert "--set training.batch_size=8 has no effect: the run is finished; use --epochs to train longer" in done.err
    assert tree(run) == before


def test_a_run_whose_process_is_gone(mltrain, trained, tmp_path, monkeypatch):
    """As kill -9 after three epochs leaves it: a copy of what is there at that moment."""
    appended, rows = HistoryFile.append, []

    def append(self, row):
        appended(self, row)
        rows.append(row)
        if len(rows) == 3:
            shutil.copytree(tmp_path / "killed", run)

    run = tmp_path / "run"
    monkeypatch.setattr(HistoryFile, "append", append)
    rarely = ["--set", "training.checkpoint.every=100 epochs"]
    done = mltrain("train", trained / "config.yaml", "--run-dir", tmp_path / "killed", "--quiet", *rarely)
    assert done.code == 0, done.err
    monkeypatch.undo()
    assert "status    running: training" in mltrain("show", run).out.splitlines()
    gone = subprocess.Popen(["true"])
    gone.wait()
    (run / ".lock").write_text(f"process {gone.pid} on {socket.gethostname()}\n")
    said = mltrain("show", run).out
    assert f"status    interrupted (its process is gone); `mltrain resume {run}` continues it" in said.splitlines()
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert done.err.startswith("resumed from step 0, checkpoint state-")
    assert done.err.splitlines()[0].endswith("; epochs 1 to 3 had ended after this step, and are trained again")
    assert (run / "metrics.json").read_bytes() == (tmp_path / "killed" / "metrics.json").read_bytes()


def test_a_damaged_history_is_that_of_the_checkpoint_again(mltrain, run):
    whole = (run / "history.csv").read_text().splitlines()
    leave_unfinished(run)
    (run / "history.csv").write_text("epoch,loss\n1,many\n")
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert "trained again" not in done.err
    assert (run / "history.csv").read_text().splitlines() == whole
