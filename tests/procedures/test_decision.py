"""Threshold and temperature from a YAML file to what `evaluate` and `model.keras` do with them."""

import csv
import json

import numpy as np
import pytest

from mltrain.config.load import load
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.reading import read_rows
from mltrain.evaluation.calibration import fit_temperature
from mltrain.evaluation.threshold import choose_threshold
from mltrain.evaluation.threshold_aim import ThresholdAim
from mltrain.experiment.evaluation_section import CalibrationSpec, EvaluationSpec
from mltrain.outputs import KINDS
from mltrain.procedures.decision import choose
from mltrain.run.decision import DecisionRule
from mltrain.run.rundir import RunDirectory

CONFIG = """\
name: small
data:
  source: {type: synthetic, kind: blobs, classes: 2, rows: 300, noise: 4.0}
  split: {type: random, validation: 0.3, test: 0.3}
model: {type: mlp, units: [4]}
training: {optimizer: {type: Adam, learning_rate: 0.02}, epochs: 3}
"""
AIMS = [
    "{aim: f1}",
    "{aim: balanced_accuracy}",
    "{aim: recall, at_precision: 0.7}",
    "{aim: precision, at_recall: 0.9}",
    "{aim: cost, false_positive: 1.0, false_negative: 5.0}",
]


@pytest.fixture
def trained(mltrain, tmp_path):
    """Train the small experiment with an `evaluation` section and some values set."""

    def run(evaluation, *overrides, code=0):
        (tmp_path / "config.yaml").write_text(CONFIG + f"evaluation: {evaluation}\n")
        arguments = [part for override in overrides for part in ("--set", override)]
        done = mltrain("train", "config.yaml", "--run-dir", "run", *arguments)
        assert done.code == code, done.err
        return RunDirectory(tmp_path / "run"), done

    return run


def evaluated(mltrain, *arguments, code=0):
    done = mltrain("evaluate", "run", "--json", *arguments)
    assert done.code == code, done.err
    return json.loads(done.out) if code == 0 else done.err


@pytest.mark.parametrize("aim", [AIMS[0], *(pytest.param(aim, marks=pytest.mark.long) for aim in AIMS[1:])])
def test_a_threshold_for_an_aim_is_chosen_kept_and_applied(trained, mltrain, aim):
    run, done = trained(f"{{threshold: {aim}}}")
    metrics = run.results().as_json()
    found = metrics["threshold"]
    assert found["split"] == "validation"
    assert run.decision() == DecisionRule(threshold=found["value"])
    assert metrics["decision_sentences"][0] in done.err.replace("\n", " ")
    stored = run.predictions("test")
    right = KINDS["binary"].decide(stored.values, found["value"]) == stored.target
    assert metrics["splits"]["test"]["metrics"]["accuracy"]["value"] == right.mean()
    assert np.trace(metrics["splits"]["test"]["confusion_matrix"]) == right.sum()
    assert metrics["chance"]["correct"] == right.sum()
    again = evaluated(mltrain)
    assert again["threshold"] == {"value": found["value"]}
    metrics["splits"]["test"].pop("baselines")
    assert again["splits"] == {"test": metrics["splits"]["test"]}


def test_the_test_rows_choose_nothing(trained):
    run, _ = trained("{threshold: {aim: f1}, calibration: {temperature: true}}")
    first = run.decision()
    target = run.predictions("validation").target
    stored = run.predictions("validation").values  # with the temperature in them
    assert choose_threshold(ThresholdAim(aim="f1"), target, stored).threshold == first.threshold
    assert fit_temperature("binary", target, stored).value == pytest.approx(1.0, rel=1e-6)


def test_a_stated_threshold_is_applied_and_the_usual_one_leaves_no_file(trained, mltrain):
    run, _ = trained("{threshold: 0.3}")
    assert run.decision() == DecisionRule(threshold=0.3)
    stored = run.predictions("test")
    recall = run.results().as_json()["splits"]["test"]["metrics"]["recall"]["value"]
    assert recall == (stored.values[stored.target == 1] > 0.3).mean()
    assert evaluated(mltrain)["splits"]["test"]["metrics"]["recall"]["value"] == recall


def test_without_a_word_nothing_is_done_to_the_probabilities(trained):
    run, _ = trained("{}")
    assert not run.has_decision()
    assert run.decision() == DecisionRule()
    metrics = run.results().as_json()
    assert metrics["threshold"] == {"value": 0.5}
    assert "temperature" not in metrics
    calibration = metrics["splits"]["test"]["calibration"]
    assert sum(each["n"] for each in calibration["bins"]) == 90
    assert 0 <= calibration["ece"]["value"] <= 1
    assert "calibration" not in metrics["splits"]["train"]


@pytest.mark.parametrize(
    ("classes", "logits"),
    [(2, True), *(pytest.param(*each, marks=pytest.mark.long) for each in ((2, False), (3, False), (3, True)))],
)
def test_the_temperature_is_in_what_is_stored_evaluated_and_exported(trained, mltrain, classes, logits):
    import keras

    more = []
    if logits:
        units = 1 if classes == 2 else 3
        loss = "BinaryCrossentropy" if classes == 2 else "SparseCategoricalCrossentropy"
        more = [
            f"model={{type: sequential, layers: [{{type: Dense, units: {units}}}]}}",
            f"training.loss={{type: {loss}, from_logits: true}}",
        ]
    run, _ = trained("{calibration: {temperature: true}}", f"data.source.classes={classes}", *more)
    metrics = run.results().as_json()
    assert metrics["temperature"] == run.decision().temperature != 1
    stored = run.predictions("test")
    assert stored.values.dtype == np.float64
    losses = {split: metrics["splits"][split]["metrics"] for split in ("validation", "test")}
    assert losses["validation"]["log_loss"]["value"] <= losses["validation"]["loss"]["value"] + 1e-6
    metrics["splits"]["test"].pop("baselines")
    assert evaluated(mltrain)["splits"] == {"test": metrics["splits"]["test"]}

    spec = load(run.path / "config.resolved.yaml").spec
    table = read_rows(spec.data, spec.seed, spec.task).take(stored.rows)
    raw = Preprocessing.from_json(run.preprocessing()).raw(table)
    exported = keras.models.load_model(run.model)(raw).numpy()
    assert exported == pytest.approx(stored.values.reshape(exported.shape), abs=1e-6)


@pytest.mark.parametrize(("true", "taken"), [(1.0, False), (2.0, True)])
def test_auto_takes_a_temperature_where_it_gains_more_than_chance(true, taken):
    draw = np.random.default_rng(0)
    logits = draw.normal(size=2000) * 2
    truth = (draw.random(2000) < 1 / (1 + np.exp(-logits / true))).astype(int)
    spec = EvaluationSpec(calibration=CalibrationSpec(temperature="auto"))
    chosen = choose(spec, "binary", truth, 1 / (1 + np.exp(-logits)))
    (said,) = chosen.results["decision_sentences"]
    assert (chosen.rule.temperature is not None) == taken == ("temperature" in chosen.results)
    assert ("is not used" in said) != taken


def test_predictions_without_a_value_choose_nothing():
    spec = EvaluationSpec(threshold=ThresholdAim(aim="f1"), calibration=CalibrationSpec(temperature=True))
    chosen = choose(spec, "binary", np.array([0, 1]), np.array([0.2, np.nan]))
    assert chosen.rule == DecisionRule()
    assert "NaN or infinite" in chosen.results["decision_sentences"][0]


def test_a_condition_that_no_threshold_meets_is_said():
    spec = EvaluationSpec(threshold=ThresholdAim(aim="recall", at_precision=0.9))
    chosen = choose(spec, "binary", np.array([1, 0, 1, 0]), np.array([0.1, 0.9, 0.2, 0.8]))
    assert chosen.results["threshold"].reached is False
    (said,) = chosen.results["decision_sentences"]
    assert "no threshold gives the recall at a precision of at least 0.9 on validation" in said
    assert "the highest precision, 0.5000" in said


@pytest.mark.parametrize(
    ("evaluation", "overrides", "said"),
    [
        ("{threshold: {aim: f1}}", ["data.split.validation=0"], "chosen on validation rows, and there are none"),
        ("{threshold: {aim: f1}}", ["data.source.classes=3"], "a threshold is for binary, the task is multiclass"),
        ("{threshold: 0.4}", ["task=multiclass"], "a threshold is for binary, the task is multiclass"),
        ("{threshold: {aim: recall}}", [], "the aim recall needs at_precision"),
        ("{threshold: 1.5}", [], "expected a number greater than 0 and less than 1"),
        ("{calibration: {temperature: true}}", ["data.split.validation=0"], "fitted on validation rows"),
        ("{calibration: {temperature: true}}", ["task=regression"], "a temperature is for classes"),
    ],
)
def test_what_cannot_be_chosen_is_said_at_its_line(trained, evaluation, overrides, said):
    _, done = trained(evaluation, *overrides, code=3)
    assert said in done.err.replace("\n", " ")
    assert "config.yaml:7" in done.err


def test_validation_rows_of_one_class_are_said_before_the_training(mltrain, tmp_path):
    rows = [f"{value},{int(value % 2)},{'validation' if value in (1, 3, 5) else 'train'}" for value in range(30)]
    (tmp_path / "data.csv").write_text("\n".join(["x,y,part", *rows]) + "\n")
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: data.csv}, target: y, split: {type: column, column: part}}\n"
        "model: linear\n"
        "evaluation: {threshold: {aim: f1}}\n"
    )
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 3, done.err
    assert "config.yaml:3" in done.err
    assert "none is '0'" in done.err
    assert not (tmp_path / "run" / "history.csv").exists()


def test_a_changed_or_removed_decision_is_exit_5(trained, mltrain):
    run, _ = trained("{threshold: {aim: f1}}")
    path = run.path / "decision.json"
    text = path.read_text()
    path.write_text(text.replace('"threshold": 0.', '"threshold": 0.0'))
    assert "decision.json is not what record.json says" in evaluated(mltrain, code=5)
    path.unlink()
    assert "decision.json is not what record.json says" in evaluated(mltrain, code=5)
    path.write_text('{"format": 1, "threshold": 7.0, "temperature": null}')
    assert "threshold" in evaluated(mltrain, code=5)
    path.write_text(text)
    record = json.loads((run.path / "record.json").read_text())
    (run.path / "record.json").write_text(json.dumps(record | {"decision": None}))
    assert "and the run has not ended" in evaluated(mltrain, code=5)


def test_predict_decides_as_the_run_does(mltrain, tmp_path):
    rows = [f"{number / 100},{number % 7},{int(number % 100 + number % 7 * 5 > 60)}" for number in range(400)]
    (tmp_path / "rows.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: rows.csv}, target: y}\nmodel: {type: linear}\n"
        "training: {epochs: 3}\nevaluation: {threshold: 0.2, calibration: {temperature: true}}\n"
    )
    done = mltrain("train", tmp_path / "config.yaml", "--run-dir", tmp_path / "run")
    assert done.code == 0, done.err
    done = mltrain("predict", tmp_path / "run", tmp_path / "rows.csv", "--out", tmp_path / "out.csv", "--proba")
    assert done.code == 0, done.err
    with (tmp_path / "out.csv").open() as file:
        predicted = list(csv.DictReader(file))
    assert all((float(row["probability_1"]) > 0.2) == (row["prediction"] == "1") for row in predicted)
    ids = np.load(tmp_path / "run" / "predictions" / "test.rows.npy")
    stored = np.load(tmp_path / "run" / "predictions" / "test.predictions.npy")
    found = [float(predicted[row]["probability_1"]) for row in ids]
    np.testing.assert_allclose(found, stored, atol=1e-6)
