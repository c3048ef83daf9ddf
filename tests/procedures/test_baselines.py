"""Baselines beside the model in a real run: on the same rows, and honest about what they tell."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from mltrain.run.rundir import RunDirectory
from tests.conftest import CONFIGS


@pytest.fixture
def trained(mltrain, config, tmp_path):
    def run(*overrides, path=None):
        two_classes = () if path else ("data.source.classes=2",)
        arguments = [part for override in (*two_classes, *overrides) for part in ("--set", override)]
        done = mltrain("train", path or config(), "--run-dir", tmp_path / "run", *arguments)
        assert done.code == 0, done.err
        return RunDirectory(tmp_path / "run"), done.err

    return run


def test_every_held_out_split_has_them_with_intervals_and_differences(trained):
    run, said = trained()
    metrics = run.results().as_json()
    assert metrics["baselines"] == {
        "majority": {"rows": 36, "of": 36},
        "logistic": {"rows": 36, "of": 36},
        "boosting": {"left_out": "of fewer than 40 training rows a tree makes no two leaves"},
    }
    assert "baselines" not in metrics["splits"]["train"]
    for split in ("validation", "test"):
        measured = metrics["splits"][split]
        assert set(measured["baselines"]) == {"majority", "logistic"}
        for found in measured["baselines"].values():
            for name in ("accuracy", "f1", "roc_auc", "log_loss"):
                value, other = measured["metrics"][name]["value"], found["metrics"][name]["value"]
                difference = found["difference"][name]
                assert difference["value"] == pytest.approx(value - other)
                assert difference["low"] <= difference["value"] <= difference["high"]
            assert found["metrics"]["accuracy"]["low"] <= found["metrics"]["accuracy"]["value"]
    assert len(metrics["baseline_sentences"]) == 2
    assert all(sentence in said.replace("\n", " ") for sentence in metrics["baseline_sentences"])


def test_the_commonest_class_is_that_of_the_training_rows(trained):
    run, _ = trained()
    stored, train = run.predictions("test"), run.results().as_json()["splits"]["train"]["confusion_matrix"]
    shares = np.sum(train, axis=1) / np.sum(train)
    found = run.results().as_json()["splits"]["test"]["baselines"]["majority"]["metrics"]
    guess = np.full(len(stored.target), int(shares[1] > 0.5))
    assert found["accuracy"]["value"] == accuracy_score(stored.target, guess)
    assert found["log_loss"]["value"] == pytest.approx(log_loss(stored.target, np.full(len(guess), shares[1])))


def test_they_can_be_left_out(trained):
    run, said = trained("evaluation.baselines=false")
    assert "baselines" not in run.results().as_json()
    assert "baselines" not in run.results().as_json()["splits"]["test"]
    assert "always" not in said


def test_dummy_labels_are_no_better(trained):
    run, _ = trained(path=CONFIGS / "mlp_784.yaml")
    sentences = run.results().as_json()["baseline_sentences"]
    assert len(sentences) == 2
    assert all("no significant difference from" in sentence for sentence in sentences)


def test_twelve_students_are_too_few_to_tell(trained):
    run, _ = trained(path=CONFIGS / "pass_fail.yaml")
    (sentence,) = run.results().as_json()["baseline_sentences"]
    assert "12 rows are too few to hold some out" in sentence


def test_twelve_students_with_some_held_out_are_too_few_to_tell(trained):
    run, _ = trained("data.split={type: random, test: 0.25, stratify: false}", path=CONFIGS / "pass_fail.yaml")
    sentences = run.results().as_json()["baseline_sentences"]
    assert all("too few rows to compare with" in sentence and "on 3 test rows" in sentence for sentence in sentences)


def test_a_regression_has_the_mean_and_ridge(trained):
    run, _ = trained(path=CONFIGS / "linear_regression.yaml")
    found = run.results().as_json()["splits"]["test"]["baselines"]
    assert set(found) == {"mean", "ridge", "boosting"}
    assert found["ridge"]["metrics"]["r2"]["value"] > 0.9
    assert abs(found["mean"]["metrics"]["r2"]["value"]) < 0.5
    assert "better than" in run.results().as_json()["baseline_sentences"][0]


def test_equal_runs_write_equal_bytes(mltrain, config):
    runs = [mltrain("train", config(), "--run-dir", name, "--quiet").run for name in ("one", "two")]
    one, two = ((run / "metrics.json").read_bytes() for run in runs)
    assert one == two
    assert json.loads(one)["baselines"]


def test_two_classes_that_are_stated_to_be_several_have_baselines_too(trained):
    run, _ = trained("task=multiclass", "data.source.rows=200", "training.epochs=1")
    baselines = run.results().as_json()["splits"]["test"]["baselines"]
    assert {"majority", "logistic", "boosting"} <= baselines.keys()
