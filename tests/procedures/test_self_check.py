"""A run that does not reproduce its own numbers fails, and says which."""

import json

import numpy as np
import pytest

from mltrain.run.checkpoint_files import write_checkpoint
from mltrain.run.locked_run import LockedRun
from mltrain.run.results import Results

pytestmark = pytest.mark.long


def status(run):
    return json.loads((run / "status.json").read_text())


@pytest.fixture
def fails(mltrain, config, tmp_path):
    """Train, expect the check to fail, and return what was said."""

    def train(*arguments):
        done = mltrain("train", config(), "--run-dir", tmp_path / "run", "--quiet", *arguments)
        assert done.code == 1, done.err
        (line,) = done.err.splitlines()
        assert line.startswith("error: the run does not reproduce its own numbers: ")
        assert status(tmp_path / "run")["state"] == "failed"
        assert status(tmp_path / "run")["exit_code"] == 1
        assert (tmp_path / "run" / "metrics.json").exists()
        assert (tmp_path / "run" / "model.keras").exists()
        return line

    return train


def test_other_numbers_in_the_file(fails, monkeypatch):
    write = LockedRun.write_results

    def other(run, results):
        values = results.as_json()
        values["splits"]["test"]["metrics"]["accuracy"]["value"] -= 1e-12
        write(run, Results.model_validate(values))

    monkeypatch.setattr(LockedRun, "write_results", other)
    assert "test.accuracy is " in fails()


def test_other_weights_in_the_checkpoint(fails, monkeypatch):
    def other(directory, name, arrays, state):
        if name.startswith("best-"):
            arrays = {key: np.nextafter(array, np.inf, dtype=array.dtype) for key, array in arrays.items()}
        return write_checkpoint(directory, name, arrays, state)

    monkeypatch.setattr("mltrain.procedures.checkpoints.write_checkpoint", other)
    assert "does not reproduce its own numbers: validation." in fails()


def test_other_preprocessing(fails, monkeypatch):
    write = LockedRun.write_preprocessing

    def other(run, values):
        values["columns"][0]["scaling"]["center"] += 1e-9
        write(run, values)

    monkeypatch.setattr(LockedRun, "write_preprocessing", other)
    assert "preprocessing.json is not what record.json says" in fails()


def test_another_experiment(fails, monkeypatch):
    write = LockedRun.write_resolved
    monkeypatch.setattr(LockedRun, "write_resolved", lambda run, text: write(run, text.replace(b"relu", b"tanh")))
    assert "config.resolved.yaml is another experiment than the one that was trained" in fails()


def test_other_rows(fails, monkeypatch):
    write = LockedRun.write_splits
    monkeypatch.setattr(
        LockedRun, "write_splits", lambda run, splits: write(run, {name: rows[::-1] for name, rows in splits.items()})
    )
    assert "the row ids in splits/ are not what record.json says" in fails()


def test_resume_measures_and_checks_once_more(fails, monkeypatch, mltrain, tmp_path):
    write = LockedRun.write_results

    def other(run, results):
        values = results.as_json()
        values["splits"]["test"]["metrics"]["accuracy"]["value"] -= 1e-12
        write(run, Results.model_validate(values))

    with monkeypatch.context() as broken:
        broken.setattr(LockedRun, "write_results", other)
        fails()
    done = mltrain("resume", tmp_path / "run")
    assert done.code == 0, done.err
    assert status(tmp_path / "run")["state"] == "finished"


@pytest.mark.parametrize(
    "override",
    [
        "data.split=none",
        "training.optimizer={type: Adam, use_ema: true}",
        "training.final=last",
        "precision=mixed_bfloat16",
        "objective=validation.roc_auc",
    ],
)
def test_every_kind_of_run_passes(mltrain, config, tmp_path, override):
    metrics = "evaluation.metrics=[accuracy, roc_auc]"
    done = mltrain("train", config(), "--run-dir", tmp_path / "run", "--set", override, "--set", metrics)
    assert done.code == 0, done.err


def test_an_objective_that_never_has_a_value_leaves_the_last_epoch(mltrain, tmp_path):
    rows = "\n".join(f"{n},{n % 2},{'validation' if n in (1, 3) else 'train'}" for n in range(20))
    (tmp_path / "data.csv").write_text(f"x,y,split\n{rows}\n")
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: data.csv}, target: y, split: {type: column, column: split}}\n"
        "model: {type: mlp, units: [2]}\n"
        "training: {epochs: 2}\nobjective: {metric: validation.roc_auc}\nevaluation: {metrics: [roc_auc]}\n"
    )
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    again = mltrain("evaluate", "run", "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["model"] == {"weights": "last", "epoch": 2}
