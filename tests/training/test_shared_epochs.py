"""Epochs that share a call of the compiled loop, against the same epochs one call each: bit for bit the same run."""

import csv
import json
import tempfile

import numpy as np
import pytest

from mltrain.procedures import stages_of_run
from mltrain.run.checkpoint_files import newest, read_checkpoint
from mltrain.training import shared_epochs
from mltrain.training.early_stopping import RunningEarlyStopping
from mltrain.training.spec import OWN_CALLBACKS

pytestmark = pytest.mark.long

CONFIG = """\
version: 1
name: line
data:
  source: {type: synthetic, kind: linear, rows: 40, slope: 2, intercept: 1, noise: 0.1}
  target: y
  split: {type: random, validation: 0, test: 0.25}
model: {type: mlp, units: [4], activation: tanh}
training:
  optimizer: OPTIMIZER
  epochs: 60
  batch_size: full
  shuffle: true
  final: best
  callbacks: CALLBACKS
objective: {metric: train.loss}
"""
OPTIMIZERS = {
    "adam": "{type: Adam, learning_rate: 0.02}",
    "schedule": "{type: SGD, momentum: 0.9, learning_rate: {type: CosineDecay, initial_learning_rate: 0.2, "
    "decay_steps: 60}}",
}
CALLBACKS = {
    "none": "[]",
    "stops": "[{type: EarlyStopping, patience: 7, min_delta: 0.02}]",
    "plateau": "[{type: ReduceLROnPlateau, patience: 4, min_delta: 0.02, cooldown: 2}]",
    "both": "[{type: ReduceLROnPlateau, patience: 3, min_delta: 0.02}, {type: EarlyStopping, patience: 11, "
    "min_delta: 0.02}]",
    "kept": "[{type: ModelCheckpoint, top: 2}]",
    "averaged": "[{type: StochasticWeightAveraging, start: 0.5}]",
}


@pytest.fixture
def left(mltrain, tmp_path, monkeypatch):
    """Return what a run leaves, with shared epochs or without, and how many epochs each call had."""

    def run(name, optimizer, callbacks, shared, *options, code=0):
        calls = []
        if shared:
            whole = shared_epochs.SharedEpochs.run

            def counted(self, orders):
                calls.append(len(orders))
                return whole(self, orders)

            monkeypatch.setattr(shared_epochs.SharedEpochs, "run", counted)
        else:
            monkeypatch.setattr(stages_of_run.SharedEpochs, "of", lambda loop: None)
        config = tmp_path / f"{name}.yaml"
        text = CONFIG.replace("OPTIMIZER", OPTIMIZERS[optimizer]).replace("CALLBACKS", CALLBACKS[callbacks])
        # The averaged weights are the model of the run, so that there is nothing to choose.
        config.write_text(text.replace("final: best", "final: auto") if callbacks == "averaged" else text)
        done = mltrain("train", config, "--run-dir", tmp_path / name, *options)
        assert done.code == code, done.err
        monkeypatch.undo()
        return _of(tmp_path / name), calls

    return run


def _of(run):
    with (run / "history.csv").open() as file:
        rows = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]
    weights = {kind: read_checkpoint(newest(run / "checkpoints", kind)) for kind in ("best", "last")}
    arrays = {(kind, name): array.tobytes() for kind, (found, _) in weights.items() for name, array in found.items()}
    metrics = json.loads((run / "metrics.json").read_text())
    return rows, arrays, [state for _, state in weights.values()], metrics["splits"], metrics["model"]


# A schedule and a plateau would both set the learning rate, which a rule refuses.
@pytest.mark.parametrize(
    ("optimizer", "callbacks"), [*(("adam", each) for each in CALLBACKS), ("schedule", "none"), ("schedule", "stops")]
)
def test_a_shared_call_changes_no_bit(left, optimizer, callbacks):
    together, calls = left("together", optimizer, callbacks, True)
    alone, _ = left("alone", optimizer, callbacks, False)
    assert together == alone
    assert max(calls) > 1


@pytest.mark.parametrize("callback", OWN_CALLBACKS, ids=lambda each: each.__name__)
def test_every_callback_is_tried_with_shared_epochs(callback):
    assert any(f"type: {callback.__name__}," in text for text in CALLBACKS.values())


def test_a_callback_that_acts_too_early_is_a_bug_and_not_another_number_of_epochs(mltrain, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # the traceback of a bug is written there
    monkeypatch.setattr(RunningEarlyStopping, "epochs_until_asked", lambda self: 60)
    config = tmp_path / "early.yaml"
    config.write_text(CONFIG.replace("OPTIMIZER", OPTIMIZERS["adam"]).replace("CALLBACKS", CALLBACKS["stops"]))
    done = mltrain("train", config, "--run-dir", tmp_path / "early")
    assert done.code == 1
    assert "before `epochs_until_asked` said" in done.err


def test_an_epoch_in_which_a_callback_may_act_is_the_last_of_its_call(left):
    (rows, *_), calls = left("run", "adam", "stops", True)
    assert sum(calls) == len(rows) < 60
    assert max(calls) <= 7


def test_divergence_is_of_the_epoch_in_which_it_comes(left, tmp_path, mltrain):
    config = tmp_path / "diverges.yaml"
    text = CONFIG.replace("OPTIMIZER", "{type: SGD, learning_rate: 1.0e+20}").replace("CALLBACKS", "[]")
    config.write_text(text.replace("activation: tanh", "activation: linear"))
    done = mltrain("train", config, "--run-dir", tmp_path / "diverges")
    assert done.code == 8
    assert "training diverged: train.loss is" in done.err
    with (tmp_path / "diverges" / "history.csv").open() as file:
        assert all(np.isfinite(float(row["train.loss"])) for row in csv.DictReader(file))


def test_a_checkpoint_is_of_an_epoch_that_the_variables_are_at(left, tmp_path, mltrain):
    done, _ = left("whole", "adam", "none", True)
    left("parts", "adam", "none", True, "--set", "training.epochs=37", "--set", "training.checkpoint.every=0.001s")
    resumed = mltrain("resume", tmp_path / "parts", "--epochs", "60")
    assert resumed.code == 0, resumed.err
    assert _of(tmp_path / "parts")[:3] == done[:3]


@pytest.mark.parametrize(
    "setting",
    ["training.checkpoint.every=3 epochs", "training.stop_when=train.loss < 0", "training.optimizer.use_ema=true"],
)
def test_where_something_happens_between_epochs_each_has_a_call_of_its_own(left, setting):
    _, calls = left("run", "adam", "none", True, "--set", setting)
    assert not calls
