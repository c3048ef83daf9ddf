"""Labels and several numbers through the commands: train, evaluate, predict, compare, resume, report."""

import csv
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mltrain.evaluation.catalogue import R2
from mltrain.evaluation.intervals import intervals
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.own_metrics import METRICS
from mltrain.evaluation.several import rows_of
from mltrain.run.rundir import RunDirectory
from tests.conftest import in_process
from tests.csv_files import read_csv

CONFIG = """\
version: 1
name: weather
data:
  source: {{type: csv, path: rows.csv}}
  target: {target}
  split: {split}
  features: {{{ignored}: ignore, who: ignore}}
model: {{type: mlp, units: [8]}}
training:
  epochs: 5
  callbacks: [{{type: EarlyStopping, patience: 3}}]
evaluation: {{slices: [city], gates: ["{gate}", "(test.{metric} - {baseline}).low > -1e9"]}}
"""
OWN = """\
from mltrain import metric


@metric("binary", direction="max", takes="classes")
def often_right(target, predictions):
    return float((target == predictions).mean())
"""
KINDS = {
    "labels": {
        "target": "[rain, wind, fog]",
        "split": "{type: random}",
        "ignored": "height",
        "gate": "test.f1(rain).low >= 0.01",
        "metric": "f1",
        "baseline": "majority",
    },
    "numbers": {
        "target": "{columns: [height, depth], scale: standard}",
        "split": "{type: group, column: who, validation: 0.2, test: 0.2}",
        "ignored": "fog",
        "gate": "test.r2(depth) >= -100",
        "metric": "r2",
        "baseline": "ridge",
    },
}


@pytest.fixture(scope="module", params=KINDS)
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(240, 3))
    z = x @ generator.normal(size=(3, 3)) + 0.3 * generator.normal(size=(240, 3))
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "who", "city", "rain", "wind", "fog", "height", "depth"])
        for place, (one, three) in enumerate(zip(x, z, strict=True)):
            known = [*(f"{each:.4f}" for each in one), f"p{place // 3}"]
            labels = ["yes" if three[0] > 0 else "no", int(three[1] > 0.5), "true" if three[2] > 0 else "false"]
            writer.writerow([*known, "xyz"[int(abs(three[0] * 10)) % 3], *labels, 900 + 50 * three[0], three[1]])
    (folder / "c.yaml").write_text(CONFIG.format(**KINDS[request.param]), encoding="utf-8")
    done = in_process(folder, "train", "c.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    return folder, request.param, json.loads((folder / "run/metrics.json").read_text()), done.err


def test_all_targets_and_each_by_itself_are_measured(trained):
    _, kind, metrics, said = trained
    names = ["rain", "wind", "fog"] if kind == "labels" else ["height", "depth"]
    test = metrics["splits"]["test"]
    assert metrics["task"] == ("multilabel" if kind == "labels" else "multiregression")
    assert list(test["outputs"]) == names
    key = "f1" if kind == "labels" else "r2"
    values = [test["outputs"][name]["metrics"][key]["value"] for name in names]
    assert test["metrics"][key]["value"] == pytest.approx(np.mean(values), abs=1e-12)
    assert test["metrics"][key]["low"] <= test["metrics"][key]["value"] <= test["metrics"][key]["high"]
    assert {each["slice"] for each in test["slices"]} == {"city=x", "city=y", "city=z"}
    assert len(test["baselines"]) == 3 and all(gate["passed"] for gate in metrics["gates"])
    assert "test, by target" in said or f"… and {len(names)} targets" in said  # as far as there is room
    assert "low" not in metrics["splits"]["train"]["outputs"][names[0]]["metrics"][key]


def test_rows_that_belong_together_are_drawn_together_for_each_target(trained):
    folder, kind, metrics, _ = trained
    if kind == "labels":
        return
    stored = RunDirectory(folder / "run").predictions("test")
    of_one = ([R2()], rows_of("regression", stored.target[:, 1], stored.values[:, 1], ()))
    grouped = intervals(*of_one, seed=0, groups=stored.groups)["r2"]
    recorded = metrics["splits"]["test"]["outputs"]["depth"]["metrics"]["r2"]
    assert (recorded["low"], recorded["high"]) == pytest.approx((grouped.low, grouped.high), abs=1e-12)
    assert intervals(*of_one, seed=0)["r2"].low != pytest.approx(grouped.low, abs=1e-4)


def test_evaluate_gives_the_same_numbers(trained):
    folder, _, metrics, _ = trained
    done = in_process(folder, "evaluate", "run", "--json")
    assert done.code == 0, done.err
    again = json.loads(done.out)["splits"]["test"]
    recorded = {**metrics["splits"]["test"]}
    del recorded["baselines"]
    assert again == recorded
    other = in_process(folder, "evaluate", "run", "--data", "rows.csv", "--gate", "data.accuracy(snow) > 0")
    assert other.code == 10 and "there is no target in the results" in other.err


def test_predict_adds_a_column_a_target(trained):
    folder, kind, _, _ = trained
    given = read_csv(folder / "rows.csv")[:20]
    missing = "rain" if kind == "labels" else "height"  # targets need not be in new rows
    lines = [[name for name in given[0] if name != missing]]
    lines += [[row[name] for name in lines[0]] for row in given]
    (folder / "new.csv").write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
    proba = ["--proba"] if kind == "labels" else []
    done = in_process(folder, "predict", "run", "new.csv", "--out", "out.csv", "--quiet", *proba)
    assert done.code == 0, done.err
    rows = read_csv(folder / "out.csv")
    if kind == "labels":
        for row in rows:
            assert row["prediction_rain"] == ("yes" if float(row["probability_rain"]) > 0.5 else "no")
            assert row["prediction_wind"] == str(int(float(row["probability_wind"]) > 0.5))
            assert row["prediction_fog"] == ("true" if float(row["probability_fog"]) > 0.5 else "false")
    else:
        assert np.mean([float(row["prediction_height"]) for row in rows]) > 500
        assert abs(np.mean([float(row["prediction_depth"]) for row in rows])) < 10
        refused = in_process(folder, "predict", "run", "new.csv", "--proba")
        assert refused.code == 2 and "--proba" in refused.err


def test_the_keras_archive_gives_all_targets_in_their_units(trained):
    folder, kind, metrics, _ = trained
    model = keras.models.load_model(folder / "run/model.keras")
    rows = np.load(folder / "run/predictions/test.rows.npy")
    expected = np.load(folder / "run/predictions/test.predictions.npy")
    assert expected.shape == (metrics["splits"]["test"]["n"], 3 if kind == "labels" else 2)
    table = read_csv(folder / "rows.csv")
    taken = [table[row] for row in rows]
    raw = {}
    for name in model.input:
        if name in ("city", "rain"):
            raw[name] = tf.constant([[row[name]] for row in taken])
        else:
            values = [[float({"true": 1, "false": 0}.get(row[name], row[name]))] for row in taken]
            raw[name] = tf.constant(values, tf.float64)
    assert np.asarray(model(raw)) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_two_runs_are_compared_on_the_same_rows(trained):
    folder, _, _, _ = trained
    done = in_process(folder, "train", "c.yaml", "--run-dir", "other", "--set", "model.units=[2]", "--quiet")
    assert done.code == 0, done.err
    compared = in_process(folder, "compare", "run", "other", "--json")
    assert compared.code == 0, compared.err
    (pair,) = json.loads(compared.out)["pairs"]
    assert pair["paired"] is not None, pair["why_not_paired"]


def test_a_run_goes_on_for_longer(trained):
    folder, _, _, _ = trained
    done = in_process(folder, "train", "c.yaml", "--run-dir", "short", "--set", "training.epochs=2", "--quiet")
    assert done.code == 0, done.err
    assert in_process(folder, "resume", "short", "--epochs", "5", "--quiet").code == 0
    for name in ("run", "short"):
        splits = json.loads((folder / name / "metrics.json").read_text())["splits"]
        if name == "run":
            expected = splits
    assert splits == expected


def test_the_report_has_a_row_and_a_chart_a_target(trained):
    folder, kind, _, _ = trained
    page = (folder / "run/report.html").read_text(encoding="utf-8")
    card = (folder / "run/report.md").read_text(encoding="utf-8")
    assert "By target" in page and "test, by target" in card
    drawings = {path.stem for path in (folder / "run/plots").glob("*.svg")}
    if kind == "labels":
        assert {"roc", "precision-recall", "calibration", "confusion-rain", "confusion-wind"} <= drawings
        assert "rain: predicted (true)" in page and "Labels: rain, wind, fog" in card
        assert "Labels of the train rows." in page
    else:
        assert {"predicted-height", "predicted-depth"} <= drawings


def test_importance_is_of_all_targets_and_one_score_is_not_divided(trained):
    folder, kind, _, _ = trained
    done = in_process(folder, "explain", "run", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)["importance"]
    assert found["metric"] == ("roc_auc" if kind == "labels" else "r2")
    assert {each["column"] for each in found["columns"]} >= {"a", "b", "c", "city"}
    assert all(each["low"] < each["value"] < each["high"] for each in found["columns"][:2])
    refused = in_process(folder, "predict", "run", "rows.csv", "--explain")
    assert refused.code == 2 and "--explain divides one score among the columns, but this run has" in refused.err


def test_folds_are_taken_together_over_all_targets(trained):
    folder, kind, _, _ = trained
    command = (
        "cross-validate",
        "c.yaml",
        "--folds",
        "2",
        "--run-dir",
        "folds",
        "--set",
        "training.epochs=2",
        "--quiet",
    )
    done = in_process(folder, *command)
    assert done.code == 0, done.err
    found = json.loads((folder / "folds/folds.json").read_text())
    stored = [RunDirectory(folder / f"folds/fold-{fold}").predictions("test") for fold in (1, 2)]
    target, values = (np.concatenate([getattr(each, name) for each in stored]) for name in ("target", "values"))
    metric = METRICS.specs["log_loss" if kind == "labels" else "r2"]()
    names = ("rain", "wind", "fog") if kind == "labels" else ()
    expected = measure([metric], rows_of(found["task"], target, values, names))[0][metric.name]
    assert found["pooled"]["metrics"][metric.name]["value"] == pytest.approx(expected, abs=1e-12)
    assert found["pooled"]["n"] == 240 and found["pooled"]["confusion_matrix"] == []
    assert ("roc_auc" in found["pooled"]["left_out"]) == (kind == "labels")
    place = folder / "folds/fold-2/predictions/test.target.npy"
    np.save(place, np.load(place)[:, 0])
    refused = in_process(folder, *command, "--resume")
    assert refused.code == 5 and "\n" not in refused.err.strip(), refused.err


def test_results_that_lack_a_target_are_refused(trained):
    folder, _, _, _ = trained
    written = (folder / "run/metrics.json").read_bytes()
    metrics = json.loads(written)
    del metrics["splits"]["test"]["outputs"][next(iter(metrics["splits"]["test"]["outputs"]))]
    (folder / "run/metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    refused = in_process(folder, "report", "run")
    (folder / "run/metrics.json").write_bytes(written)
    assert refused.code == 5 and "splits.test.outputs does not have the results of each" in refused.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.class_weight=balanced", "class weights need one target with classes"),
        ("evaluation.threshold=0.4", "a threshold is for binary, the task is multilabel"),
        ("evaluation.calibration.temperature=auto", "a temperature is for one column of classes"),
        ("task=binary", "binary has two classes, but data.target names 3 columns"),
        ("data.target=[rain, rain]", "column 'rain' is listed twice"),
        ("data.target={column: rain, columns: [rain, wind]}", "expected the name of a column"),
        ("data.target={columns: [rain, wind], positive: 'yes'}", "it is for one column"),
        ("evaluation.metrics=[{type: f1, average: samples}, mcc, r2]", "'mcc' is a metric for binary and multiclass"),
        (
            "evaluation.metrics=[{type: f1, average: samples}, often_right]",
            "'often_right' is a metric for binary, the task is multilabel",
        ),
    ],
)
def test_what_needs_one_target_is_refused_before_training(tmp_path, change, message):
    text = CONFIG.format(**{**KINDS["labels"], "gate": "test.loss < 9", "metric": "f1_samples"})
    (tmp_path / "c.yaml").write_text(text.replace("version: 1", "version: 1\ntask: multilabel"), encoding="utf-8")
    (tmp_path / "rows.csv").write_text("a,rain,wind,fog,height,city\n1,1,1,1,1,1\n", encoding="utf-8")
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    done = in_process(tmp_path, "train", "c.yaml", "--plugin", "own.py", "--set", change)
    assert done.code == 3 and message in done.err, done.err
