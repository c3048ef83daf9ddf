"""A training in stages, through the commands: what each trains, where it ends, and that a kill changes nothing."""

import csv
import json
import signal

import numpy as np
import pytest

from mltrain.errors import InterruptedRunError
from mltrain.procedures.resumption import record_differences
from mltrain.run.checkpoint_files import newest
from mltrain.run.rundir import RunDirectory
from mltrain.training.kept_outputs import LowerPart
from mltrain.training.signals import Interruption
from mltrain.training.training import Training

# Everything that keeps a state in a stage, and what goes on over all of them; the last batch is smaller.
STAGES = """\
name: stages
data:
  source: {type: synthetic, kind: blobs, rows: 150}
model:
  type: sequential
  layers:
    - {type: Dense, units: 8, name: first}
    - BatchNormalization
    - {type: Dropout, rate: 0.3}
    - {type: Dense, units: 6, name: second}
    - {type: Dropout, rate: 0.2}
training:
  batch_size: 16
  checkpoint: {every: 4 steps}
  callbacks:
    - {type: EarlyStopping, patience: 2, min_delta: 0.001}
    - {type: ReduceLROnPlateau, patience: 1, min_delta: 0.01}
    - {type: ModelCheckpoint, top: 2}
  stages:
    - {train: all, epochs: 3, learning_rate: 0.05}
    - {train: head, epochs: 3, optimizer: {type: SGD, momentum: 0.9, learning_rate: 0.1}}
    - {train: {last: 3 layers}, epochs: 4, learning_rate: 0.001, begin_with: last}
"""


def rows_of(run):
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def result(run):
    """Return what must be equal: metrics, history without seconds, the newest weights of each kind."""
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in rows_of(run)]
    arrays = {
        kind: (newest(run / "checkpoints", kind) / "arrays.npz").read_bytes() for kind in ("best", "last", "state")
    }
    return (run / "metrics.json").read_bytes(), rows, arrays


def weights_of(run, kind="last"):
    with np.load(newest(run / "checkpoints", kind) / "arrays.npz") as arrays:
        return {name: arrays[name] for name in arrays}


@pytest.fixture
def train(mltrain, tmp_path):
    def run(text, name, *arguments, code=0):
        (tmp_path / "config.yaml").write_text(text)
        done = mltrain("train", "config.yaml", "--run-dir", tmp_path / name, *arguments)
        assert done.code == code, done.err
        return tmp_path / name

    return run


def test_each_stage_trains_its_layers_and_no_others(train, mltrain):
    run = train(STAGES, "run")
    stages = [int(row["stage"]) for row in rows_of(run)]
    assert stages == sorted(stages)
    assert set(stages) == {1, 2, 3}
    recorded = json.loads((run / "model.json").read_text())["stages"]
    assert [each["parameters"] for each in recorded] == [115, 21, 75]
    decisions = {each["what"]: each for each in json.loads((run / "record.json").read_text())["decisions"]}
    assert decisions["training.stages[1]"]["value"] == "the head: 21 of 131 weights"
    assert "computed once for all rows" in decisions["training.stages[1]"]["reason"]
    done = mltrain("evaluate", run)
    assert done.code == 0, done.err


@pytest.mark.long
def test_the_layers_below_keep_their_weights(train):
    """Of the first layer nothing changes behind the first stage; what is held by the config stays as it was."""
    one = STAGES.replace("{train: head, epochs: 3,", "{train: head, epochs: 3, begin_with: last,")
    short = one[: one.index("    - {train: head")].replace("epochs: 3", "epochs: 2")
    whole = one.replace("{train: all, epochs: 3", "{train: all, epochs: 2")
    before, after = (weights_of(train(text, name)) for text, name in ((short, "short"), (whole, "whole")))
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    # first: kernel, bias; batch normalization: gamma, beta, mean, variance; second: kernel, bias; head: kernel, bias.
    assert changed == {"weight-0006", "weight-0007", "weight-0008", "weight-0009"}


@pytest.mark.parametrize(
    "where", [*(pytest.param(each, marks=pytest.mark.long) for each in ("before", "after")), "outputs"]
)
def test_a_signal_at_the_border_of_stages(train, mltrain, monkeypatch, trained_once, where):
    whole = trained_once(STAGES)

    def interrupted(*_, **__):
        raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

    with monkeypatch.context() as patched:
        if where == "outputs":
            patched.setattr(LowerPart, "of_rows", interrupted)
        else:
            begin = Training._next_stage
            called = []

            def at_the_border(self, say):
                called.append(self)
                if where == "after" or len(called) < 2:
                    begin(self, say)
                if len(called) == 2:
                    interrupted()

            patched.setattr(Training, "_next_stage", at_the_border)
        run = train(STAGES, "run", code=143)
    done = mltrain("resume", run)
    assert done.code == 0, done.err
    assert result(run) == result(whole)


@pytest.mark.long
@pytest.mark.parametrize(
    ("first", "step"),
    [
        pytest.param(0, 16, id="sample"),
        *(pytest.param(number, 4, id=f"from {number}", marks=pytest.mark.torture) for number in range(4)),
    ],
)
def test_a_signal_at_any_look(train, mltrain, monkeypatch, trained_once, tmp_path, first, step):
    expected, ended = result(trained_once(STAGES)), 0
    (tmp_path / "config.yaml").write_text(STAGES)
    for looks in range(6 + first, 200, step):
        seen = 0

        def raise_if_received(self, looks=looks):
            nonlocal seen
            seen += 1
            if seen == looks:
                raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

        with monkeypatch.context() as patched:
            patched.setattr(Interruption, "raise_if_received", raise_if_received)
            done = mltrain("train", "config.yaml", "--run-dir", f"run{looks}")
        if done.code == 0:
            break
        ended += 1
        done = mltrain("resume", f"run{looks}")
        assert done.code == 0, done.err
        assert result(tmp_path / f"run{looks}") == expected
    assert ended > 20 / step


@pytest.mark.long
def test_the_history_is_the_same_whether_outputs_are_kept(train, monkeypatch):
    text = STAGES.replace("name: stages", "name: kept")
    kept = train(text, "kept")
    monkeypatch.setattr("mltrain.procedures.staging.available_memory", lambda: 0)
    monkeypatch.setattr("mltrain.procedures.staging._free_disk", lambda folder: 0)
    each = train(text, "each")
    decisions = {one["what"]: one for one in json.loads((each / "record.json").read_text())["decisions"]}
    assert "which is too much" in decisions["training.stages[1]"]["reason"]
    for one, other in zip(rows_of(kept), rows_of(each), strict=True):
        for name in one.keys() - {"seconds"}:
            assert float(one[name]) == pytest.approx(float(other[name]), rel=1e-6, abs=1e-6)


def test_outputs_kept_in_a_file_give_the_same_bits(train, monkeypatch, trained_once):
    whole = trained_once(STAGES)
    monkeypatch.setattr("mltrain.procedures.staging.available_memory", lambda: 0)
    run = train(STAGES, "run")
    assert "in a file of the run" in (run / "record.json").read_text()
    assert result(run) == result(whole)
    assert {each.name for each in run.iterdir()} == {each.name for each in whole.iterdir()}


@pytest.mark.long
def test_more_epochs_make_the_last_stage_longer(train, mltrain):
    whole = STAGES.replace("    - {type: EarlyStopping, patience: 2, min_delta: 0.001}\n", "")
    run = train(whole, "run")
    longer = train(whole.replace("epochs: 4, learning_rate: 0.001", "epochs: 6, learning_rate: 0.001"), "longer")
    done = mltrain("resume", run, "--epochs", 12)
    assert done.code == 0, done.err
    assert result(run)[:2] == result(longer)[:2]


@pytest.mark.long
def test_fewer_epochs_than_the_stages_before_the_last(mltrain, copy_trained):
    run = copy_trained(STAGES, "run")
    (run / "status.json").write_text((run / "status.json").read_text().replace('"finished"', '"interrupted"'))
    done = mltrain("resume", run, "--epochs", 5)
    assert done.code == 2
    assert "the stages before the last have 6 epochs: ask for more" in done.err


@pytest.fixture
def in_stage_two(train, monkeypatch):
    """Return a run that a signal has ended behind the border of its first two stages."""
    begin = Training._next_stage

    def at_the_border(self, say):
        begin(self, say)
        raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Training, "_next_stage", at_the_border)
        return train(STAGES, "run", code=143)


def test_a_later_stage_can_change_with_a_word(mltrain, in_stage_two):
    change = ("--set", "training.stages[2].learning_rate=0.01")
    done = mltrain("resume", in_stage_two, *change)
    assert done.code == 5
    assert "training.stages[2].learning_rate: 0.001 became 0.01" in done.err
    done = mltrain("resume", in_stage_two, *change, "--allow-inexact")
    assert done.code == 0, done.err
    rates = [float(row["learning_rate"]) for row in rows_of(in_stage_two) if row["stage"] == "3"]
    assert rates[0] == pytest.approx(0.01)


def test_the_layers_of_a_stage_that_has_begun_cannot_change(mltrain, in_stage_two):
    done = mltrain("resume", in_stage_two, "--set", "training.stages[1].train=all", "--allow-inexact")
    assert done.code == 5
    assert "training.stages[1].train: head became all" in done.err
    assert "a training that has begun cannot use them" in done.err
    assert "also changed" not in done.err
    assert "determinism" not in done.err  # what the stage computes once follows from its layers


def test_what_a_stage_computes_once_is_compared_in_plain_words(in_stage_two):
    record = RunDirectory(in_stage_two).record()
    assert record.determinism["stage_2_kept"] is True
    other = record.with_values(determinism={**record.determinism, "stage_2_kept": False})
    assert list(record_differences(record, other)) == [
        "the frozen part of stage 2: computed once became computed in each step"
    ]


def test_stages_that_have_begun_must_stay(mltrain, in_stage_two):
    done = mltrain("resume", in_stage_two, "--set", "training.stages=[{epochs: 3}]", "--allow-inexact")
    assert done.code == 5
    assert "was written in stage 2 of the training, and training.stages now has 1" in done.err


def test_more_layers_than_there_are_is_an_error(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(STAGES.replace("{last: 3 layers}", "{last: 9999 layers}"))
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    said = "training.stages[2].train.last: the model has 6 layers: state a number up to that, or write `train: all`"
    assert said in done.err


def test_check_says_that_it_tries_the_first_stage(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(STAGES)
    done = mltrain("check", "config.yaml")
    assert done.code == 0, done.err
    assert "stage 1 was tried; stages 2 to 3 train other layers" in done.out


@pytest.mark.long
def test_a_retry_goes_back_to_the_begin_of_its_stage(mltrain, tmp_path):
    """The second stage diverges in its first steps."""
    text = STAGES.replace("momentum: 0.9, learning_rate: 0.1", "momentum: 0.9, learning_rate: 1.0e+38").replace(
        "  stages:", "  on_divergence: {retry: 1, learning_rate_factor: 1.0e-39}\n  stages:"
    )
    text = text.replace("    - {type: ReduceLROnPlateau, patience: 1, min_delta: 0.01}\n", "")
    (tmp_path / "config.yaml").write_text(text)
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    assert "retry 1 of 1 from step" in done.err
    assert {row["stage"] for row in rows_of(tmp_path / "run")} == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        ("learning_rate: 1.0e+38", "training.stages[1].learning_rate"),
        pytest.param(
            "optimizer: {type: SGD, learning_rate: 1.0e+38}",
            "training.stages[1].optimizer.learning_rate",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "optimizer: {type: SGD}, learning_rate: 1.0e+38", "training.stages[1].learning_rate", marks=pytest.mark.long
        ),
    ],
)
def test_advice_names_the_learning_rate_of_the_stage(train, mltrain, tmp_path, stated, key):
    text = STAGES[: STAGES.index("    - {train: head")] + f"    - {{train: all, epochs: 2, {stated}}}\n"
    (tmp_path / "config.yaml").write_text(text)
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 8, done.err
    assert f"try a smaller {key}, or clipnorm: 1.0" in done.err


def test_a_finding_names_the_setting_of_the_last_stage(train):
    """The loss falls in each epoch, and hardly at all."""
    text = """\
name: slow
data:
  source: {type: synthetic, kind: blobs, rows: 150}
model: {type: mlp, units: [4]}
training:
  batch_size: full
  optimizer: SGD
  stages:
    - {train: all, epochs: 2, learning_rate: 0.001}
    - {train: all, epochs: 6, learning_rate: 0.002}
"""
    run = train(text, "run")
    keys = {each["finding"]: each["key"] for each in json.loads((run / "metrics.json").read_text())["diagnosis"]}
    assert keys["low_learning_rate"] == "training.stages[1].learning_rate"
