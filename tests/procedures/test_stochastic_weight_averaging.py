"""The averaged weights of a run: what they are, that they are its model, and the same after an interruption."""

import json
import shutil

import numpy as np
import pytest

from mltrain.run.checkpoint_files import newest, numbers, read_checkpoint, remove, write_checkpoint
from tests.procedures.conftest import epochs_are_done

pytestmark = pytest.mark.long

CONFIG = """\
name: averaged
data:
  source: {type: synthetic, kind: blobs, rows: 76}
  split: {type: random, validation: 0.2, test: 0.1}
model: {type: sequential, layers: [{type: Dense, units: 6}, BatchNormalization, {type: Dropout, rate: 0.3}]}
training:
  optimizer: {type: SGD, learning_rate: 0.05, momentum: 0.9}
  epochs: 10
  batch_size: 8
  checkpoint: {every: 5 steps}
  callbacks: [CALLBACK]
evaluation: {baselines: false}
"""
AVERAGING = "{type: StochasticWeightAveraging, start: 6, every: 2}"


@pytest.fixture
def train(mltrain, copy_trained, tmp_path):
    def run(name, callback=AVERAGING, *arguments, code=0):
        text = CONFIG.replace("CALLBACK", callback)
        if code == 0:
            return copy_trained(text, name, *arguments)
        (tmp_path / "config.yaml").write_text(text)
        done = mltrain("train", "config.yaml", "--run-dir", tmp_path / name, *arguments)
        assert done.code == code, done.err
        return tmp_path / name

    return run


def weights(run, kind, epoch=None):
    folder = run / "checkpoints"
    return read_checkpoint(newest(folder, kind) if epoch is None else folder / f"{kind}-{epoch:06d}")[0]


def result(run):
    """Return what must be equal: metrics, history without seconds, the newest weights of each kind."""
    lines = [line.rpartition(",")[0] for line in (run / "history.csv").read_text().splitlines()]
    arrays = {
        kind: (newest(run / "checkpoints", kind) / "arrays.npz").read_bytes()
        for kind in ("best", "last", "state", "average")
    }
    return (run / "metrics.json").read_bytes(), lines, arrays


def normalized_statistics(run, arrays):
    """Return the mean and the variance of what BatchNormalization gets, over the batches of the training rows."""
    from mltrain.data.preparation import prepare
    from mltrain.procedures.stored_model import resolved_spec
    from mltrain.run.rundir import RunDirectory

    spec = resolved_spec(RunDirectory(run))
    x = prepare(spec.data, spec.seed, spec.task).examples["train"].x
    below = x @ arrays["weight-0000"] + arrays["weight-0001"]
    batches = [below[first : first + 8] for first in range(0, len(below), 8)]
    shares = [len(batch) for batch in batches]
    means, variances = zip(*((batch.mean(axis=0), batch.var(axis=0)) for batch in batches), strict=True)
    return np.average(means, axis=0, weights=shares), np.average(variances, axis=0, weights=shares)


def test_it_is_the_mean_of_the_weights_with_statistics_of_its_own(train, mltrain):
    run = train("run", f"{AVERAGING}, {{type: ModelCheckpoint, every: 1}}")
    averaged = weights(run, "average")
    assert read_checkpoint(newest(run / "checkpoints", "average"))[1] == {"epoch": 10, "step": 10 * 7}
    ends = [weights(run, "kept", epoch) for epoch in (6, 8, 10)]
    # Kernel, bias; gamma, beta, moving mean, moving variance; kernel, bias.
    for place in ("weight-0000", "weight-0001", "weight-0002", "weight-0003", "weight-0006", "weight-0007"):
        mean = np.mean([end[place].astype(np.float64) for end in ends], axis=0)
        assert averaged[place] == pytest.approx(mean, rel=1e-5, abs=1e-6)
        assert averaged[place].tobytes() != ends[-1][place].tobytes()
    mean, variance = normalized_statistics(run, averaged)
    assert averaged["weight-0004"] == pytest.approx(mean, rel=1e-4, abs=1e-4)
    assert averaged["weight-0005"] == pytest.approx(variance, rel=1e-4, abs=1e-4)
    assert weights(run, "last")["weight-0000"].tobytes() == ends[-1]["weight-0000"].tobytes()


def test_it_is_the_model_of_the_run_and_measured_as_such(train, mltrain):
    run = train("run")
    metrics = json.loads((run / "metrics.json").read_text())
    model = {name: metrics["model"][name] for name in ("weights", "averaged", "epoch", "epochs")}
    assert model == {"weights": "average", "averaged": 3, "epoch": 10, "epochs": 10}
    record = json.loads((run / "record.json").read_text())
    (decision,) = [each for each in record["decisions"] if each["what"] == "model of the run"]
    assert (decision["value"], decision["reason"]) == ("the averaged weights", "StochasticWeightAveraging")
    for split in ("validation", "test"):
        done = mltrain("evaluate", run, "--split", split, "--json")
        assert done.code == 0, done.err
        found = json.loads(done.out)
        assert found["model"] == {"weights": "average", "epoch": 10}
        assert found["splits"][split]["metrics"] == metrics["splits"][split]["metrics"]
    last = train("last", "{type: EarlyStopping, patience: 20}", "--set", "training.final=last")
    assert (run / "history.csv").read_text().splitlines()[0] == (last / "history.csv").read_text().splitlines()[0]
    assert weights(run, "last")["weight-0000"].tobytes() == weights(last, "last")["weight-0000"].tobytes()
    assert json.loads((last / "metrics.json").read_text())["splits"] != metrics["splits"]
    assert "the model has the average weights of 3 epochs of 10" in mltrain("show", run).out
    assert "average weights of 3 epochs of 10" in (run / "report.md").read_text()
    assert mltrain("reproduce", run).code == 0


def measuring_statistics(run):
    """Return a condition: the training has ended, and the average is not written yet."""
    return lambda: any(run.glob("checkpoints/last-*")) and not any(run.glob("checkpoints/average-*"))


@pytest.mark.parametrize("where", ["before the average", "in the average", "while the statistics are measured"])
def test_after_an_interruption_it_is_the_same(train, mltrain, tmp_path, interrupt_when, monkeypatch, where):
    whole, place = train("whole"), tmp_path / "run"
    epochs = {"before the average": 3, "in the average": 7}
    interrupt_when(epochs_are_done(place, epochs[where]) if where in epochs else measuring_statistics(place))
    run = train("run", code=143)
    monkeypatch.undo()
    if where == "before the average":
        refused = mltrain("evaluate", run)
        said = f"has no averaged weights yet; mltrain resume {run} finishes it"
        assert (refused.code, refused.err.strip().endswith(said)) == (5, True), refused.err
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert json.loads((run / "record.json").read_text())["resumed"][0]["step"] > 0
    assert result(run) == result(whole)


def test_a_longer_training_averages_as_if_it_had_been_asked_for(train, mltrain):
    share = "{type: StochasticWeightAveraging, start: 0.75}"
    run = train("run", share)
    assert json.loads((run / "metrics.json").read_text())["model"]["averaged"] == 3
    longer = train("longer", share, "--set", "training.epochs=16")
    before = result(run)
    refused = mltrain("resume", run, "--epochs", 12)  # from epoch 10 on, and 8 is the first of the mean
    assert refused.code == 5
    assert "the weights are averaged from epoch 10 on, and 10 epochs are already trained" in refused.err
    assert result(run) == before
    done = mltrain("resume", run, "--epochs", 16)
    assert done.code == 0, done.err
    assert result(run)[:2] == result(longer)[:2]
    assert result(run)[2]["average"] == result(longer)[2]["average"]


def test_where_training_ends_before_it_the_last_weights_are_the_model(train, mltrain):
    run = train("run", AVERAGING, "--set", "training.stop_when=train.loss > 0")
    model = json.loads((run / "metrics.json").read_text())["model"]
    assert (model["weights"], model["epoch"]) == ("last", 1)
    assert not numbers(run / "checkpoints", "average")
    done = mltrain("evaluate", run, "--json")
    assert json.loads(done.out)["model"] == {"weights": "last", "epoch": 1}


def test_epochs_that_share_a_call_are_averaged_as_well(train):
    settings = ("training.batch_size=full", "data.split.validation=0", "training.epochs=40")
    options = [part for setting in settings for part in ("--set", setting)]
    shared = train("shared", AVERAGING, *options, "--set", "training.checkpoint.every=60s")
    alone = train("alone", AVERAGING, *options, "--set", "training.checkpoint.every=7 epochs")
    assert json.loads((shared / "metrics.json").read_text())["model"]["averaged"] == 18
    assert result(shared)[:2] == result(alone)[:2]
    assert result(shared)[2]["average"] == result(alone)[2]["average"]


FORGED = (
    lambda arrays: {name: array for name, array in arrays.items() if not name.startswith("average")},
    lambda arrays: {name: array[..., :1] if "average" in name else array for name, array in arrays.items()},
    lambda arrays: {name: array > 0 if "average" in name else array for name, array in arrays.items()},
    lambda arrays: {**arrays, "average-weight-0099": np.zeros(3, np.float32)},
)


def test_a_mean_of_another_model_is_refused_not_a_bug(train, mltrain, tmp_path, interrupt_when, monkeypatch):
    interrupt_when(epochs_are_done(tmp_path / "interrupted", 8))
    interrupted = train("interrupted", code=143)
    monkeypatch.undo()
    for place, forge in enumerate(FORGED):
        run = shutil.copytree(interrupted, tmp_path / f"forged-{place}")
        folder = run / "checkpoints"
        path = newest(folder, "state")
        arrays, state = read_checkpoint(path)
        for number in numbers(folder, "state"):
            remove(folder, "state", number)
        write_checkpoint(folder, path.name, forge(arrays), state)
        done = mltrain("resume", run)
        assert done.code == 5, place
        assert "its averaged weights belong to another model" in done.err, place


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs: 10", "epochs: 10\n  final: best", ":9:10: training.final: with StochasticWeightAveraging"),
        (
            "every: 2}",
            "every: 2}, {type: EarlyStopping, restore_best_weights: true}",
            "restore_best_weights: with StochasticWeightAveraging the averaged weights are the model of the run",
        ),
        ("momentum: 0.9", "momentum: 0.9, use_ema: true", ":11:15: training.callbacks[0]: the optimizer already"),
        ("every: 2}", "every: 2}, StochasticWeightAveraging", "a run has one average of its weights"),
        ("epochs: 10", "epochs: 5", "start: epoch 6 will not be trained: training.epochs is 5"),
        ("start: 6", "start: 1.0", "training.callbacks[0].start"),
        ("start: 6", "start: 0", "training.callbacks[0].start"),
    ],
)
def test_what_contradicts_it_is_said_at_its_line(mltrain, tmp_path, old, new, said):
    text = CONFIG.replace("CALLBACK", AVERAGING)
    assert old in text
    (tmp_path / "config.yaml").write_text(text.replace(old, new))
    done = mltrain("validate", "config.yaml")
    assert done.code == 3
    assert said in done.err
