"""NaN and Inf: training stops with exit 8, or goes back to the last good checkpoint with a smaller learning rate."""

import json
import re

import pytest

from mltrain.procedures.checkpoints import newest_valid
from mltrain.run.rundir import RunDirectory

HUGE = "training.optimizer={type: SGD, learning_rate: 1e30}"


@pytest.fixture
def train(mltrain, config, tmp_path):
    def run(*overrides):
        arguments = [part for override in overrides for part in ("--set", override)]
        return mltrain("train", config(), "--run-dir", tmp_path / "run", *arguments), tmp_path / "run"

    return run


def test_the_last_checkpoint_is_finite(train):
    done, run = train(HUGE, "training.checkpoint={every: 1 steps}")
    assert done.code == 8
    saved = newest_valid(RunDirectory(run))
    assert saved is not None
    assert all(abs(array).max() < float("inf") for array in saved.arrays.values() if array.dtype.kind == "f")


def test_a_single_epoch_that_ends_in_nan_is_not_finished(train):
    done, _ = train(
        "training.optimizer={type: SGD, learning_rate: 1e38}", "training.epochs=1", "training.batch_size=full"
    )
    assert done.code == 8, done.err


# Of finite predictions beyond 1e19 the squares are infinite in float32, and the absolute errors are not.
FAR = (
    "training={loss: mae, epochs: 3, batch_size: full, optimizer: {type: SGD, learning_rate: 1e22}, metrics: [mse]}",
    "model=linear",
    "data.source={type: synthetic, kind: linear, rows: 60}",
    "data.target={column: y, scale: none}",
    "evaluation.metrics=[mae]",
    "objective=train.loss",
)


def test_a_metric_that_is_infinite_stops_a_training_whose_loss_is_finite(train):
    done, run = train(*FAR)
    assert done.code == 8, done.err
    words = r"training diverged: validation\.mse is inf in epoch 1 \(step 1, learning rate 1e\+22\)"
    assert re.search(words, done.err.splitlines()[-1]), done.err
    assert not (run / "history.csv").exists()


def test_a_metric_that_has_no_value_for_these_rows_is_no_divergence(train, tmp_path):
    rows = ["x,y,split", *(f"{number},{number % 2},train" for number in range(20)), "1,1,validation", "3,1,validation"]
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    done, run = train(
        "data={source: {type: csv, path: rows.csv}, target: y, split: {type: column, column: split}}",
        "task=binary",
        "evaluation.metrics=[accuracy, roc_auc]",
        "objective=validation.roc_auc",
        "training.final=last",
    )
    assert done.code == 0, done.err
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["splits"]["validation"]["metrics"]["roc_auc"]["value"] is None
    assert metrics["objective"]["best"] is None


def test_a_retry_goes_back_with_a_smaller_learning_rate(train):
    done, run = train(HUGE, "training.on_divergence={retry: 3, learning_rate_factor: 1e-11}")
    assert done.code == 0, done.err
    assert "retry 3 of 3 from step" in done.err
    assert json.loads((run / "status.json").read_text())["state"] == "finished"
    assert "1e-03" not in done.err


def test_no_retry_is_left_at_last(train):
    done, _ = train(HUGE, "training.on_divergence={retry: 1, learning_rate_factor: 0.5}")
    assert done.code == 8
    assert "retry 1 of 1" in done.err


def test_a_schedule_and_retries_exclude_each_other(train):
    schedule = "training.optimizer={type: SGD, learning_rate: {type: ExponentialDecay, initial_learning_rate: 1,"
    done, _ = train(schedule + " decay_steps: 5, decay_rate: 0.5}}", "training.on_divergence={retry: 1}")
    assert done.code == 3
    assert "training.on_divergence" in done.err
