"""Counts through the commands: trained with the Poisson loss, measured, judged, resumed and explained as any task."""

import csv
import json

import keras
import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_poisson_deviance

from mltrain.run.rundir import RunDirectory
from tests.conftest import in_process
from tests.csv_files import read_csv

CONFIG = """\
version: 1
name: rentals
task: count
data: {source: {type: csv, path: rows.csv}, target: rentals}
model: {type: mlp, units: [16]}
training: {epochs: 12, optimizer: {type: Adam, learning_rate: 0.03}}
evaluation:
  slices: [day]
  explain: true
  gates: [test.poisson_deviance <= 3, "(test.poisson_deviance - mean).high < 0", "test.mae - poisson < 1"]
"""


def rows(draw, n=400):
    """Return a table of rentals whose expectation is known."""
    temperature, weekend = draw.normal(12, 8, n).round(1), draw.random(n) < 2 / 7
    rentals = draw.poisson(np.exp(0.5 + 0.07 * temperature - 0.8 * weekend))
    return [*zip(temperature, np.where(weekend, "weekend", "week"), rentals, strict=True)]


def write(path, table):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("temperature", "day", "rentals"), *table])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("count")
    write(folder / "rows.csv", rows(np.random.default_rng(4)))
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    trained = in_process(folder, "train", "config.yaml", "--run-dir", "run")
    assert trained.code == 0, trained.err
    return folder


def metrics_of(run):
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def test_metrics_baselines_and_intervals(folder):
    found = metrics_of(folder / "run")
    assert (found["task"], found["classes"]) == ("count", [])
    test = found["splits"]["test"]["metrics"]
    assert list(test) == ["loss", "mae", "poisson_deviance", "rmse"]
    stored = RunDirectory(folder / "run").predictions("test")
    assert (stored.values > 0).all()
    for name, oracle in (("poisson_deviance", mean_poisson_deviance), ("mae", mean_absolute_error)):
        each = test[name]
        assert each["value"] == pytest.approx(oracle(stored.target, stored.values), rel=1e-9)
        assert 0 < each["low"] < each["value"] < each["high"]
    loss = np.mean(stored.values - stored.target * np.log(stored.values))
    assert test["loss"]["value"] == pytest.approx(loss, rel=1e-4)  # the usual loss is Keras' Poisson
    assert set(found["baselines"]) == {"mean", "poisson", "boosting"}
    beaten = found["splits"]["test"]["baselines"]["mean"]
    assert beaten["difference"]["poisson_deviance"]["high"] < 0
    assert [each["passed"] for each in found["gates"]] == [True, True, True]
    assert {each["slice"] for each in found["splits"]["test"]["slices"]} == {"day=week", "day=weekend"}


def test_the_target_is_not_scaled_and_the_head_is_exponential(folder):
    record = json.loads((folder / "run/record.json").read_text(encoding="utf-8"))
    decided = {each["what"]: each["value"] for each in record["decisions"]}
    assert decided["head"] == "Dense 1 exponential"
    assert decided["training.loss"] == "Poisson"
    assert not {"target.scale", "task"} & set(decided)
    target = json.loads((folder / "run/preprocessing.json").read_text(encoding="utf-8"))["target"]
    assert (target["task"], target.get("center", 0), target.get("width", 1)) == ("count", 0, 1)


def test_evaluate_says_what_the_training_said(folder):
    said = in_process(folder, "evaluate", "run", "--split", "test", "--json")
    assert said.code == 0
    assert json.loads(said.out)["splits"]["test"]["metrics"] == metrics_of(folder / "run")["splits"]["test"]["metrics"]
    said = in_process(folder, "evaluate", "run", "--data", "rows.csv", "--gate", "data.poisson_deviance > 100")
    assert said.code == 10


def test_the_expected_count_is_predicted_and_explained(folder):
    done = in_process(folder, "predict", "run", "rows.csv", "--out", "predicted.csv", "--explain")
    assert done.code == 0, done.err
    assert "logarithm of the expected 'rentals'" in done.err
    found = read_csv(folder / "predicted.csv")
    names = ["temperature", "day", "rentals", "prediction", "explain.temperature", "explain.day"]
    assert list(found[0]) == names
    predicted, temperature, added, more = (
        np.array([float(row[name]) for row in found])
        for name in ("prediction", "temperature", "explain.temperature", "explain.day")
    )
    known = np.exp(0.5 + 0.07 * temperature - 0.8 * np.array([row["day"] == "weekend" for row in found]))
    assert np.corrcoef(predicted, known)[0, 1] > 0.95
    # What the columns add is on the scale of the logarithm.
    of_mean_row = np.log(predicted) - added - more
    assert np.ptp(of_mean_row) < 0.05
    refused = in_process(folder, "predict", "run", "rows.csv", "--out", "again.csv", "--proba")
    assert refused.code == 2
    assert "has no probabilities" in refused.err


def test_the_saved_model_predicts_the_same(folder):
    model = keras.models.load_model(folder / "run/model.keras")
    found = read_csv(folder / "rows.csv")
    inputs = {
        "temperature": np.array([[float(row["temperature"])] for row in found]),
        "day": np.array([[row["day"]] for row in found], dtype=object),
    }
    predicted = np.ravel(model.predict({name: keras.ops.convert_to_tensor(each) for name, each in inputs.items()}))
    in_process(folder, "predict", "run", "rows.csv", "--out", "model.csv")
    expected = [float(row["prediction"]) for row in read_csv(folder / "model.csv")]
    assert predicted == pytest.approx(expected, rel=1e-4)


def test_a_resumed_training_is_that_of_one_go(folder):
    assert in_process(folder, "train", "config.yaml", "--run-dir", "half", "--set", "training.epochs=5").code == 0
    done = in_process(folder, "resume", "half", "--epochs", "12")
    assert done.code == 0, done.err
    first, second = (RunDirectory(folder / name).predictions("test").values for name in ("half", "run"))
    assert first.tobytes() == second.tobytes()
    assert metrics_of(folder / "half")["splits"] == metrics_of(folder / "run")["splits"]


def test_report_compare_and_importance(folder):
    page = (folder / "run/report.html").read_text(encoding="utf-8")
    assert "poisson_deviance" in page
    assert "Poisson regression" in page
    explained = json.loads((folder / "run/explanation.json").read_text(encoding="utf-8"))
    assert explained["importance"]["metric"] == "poisson_deviance"
    smaller = ["--set", "model.units=[2]", "--set", "training.epochs=3", "--set", "evaluation.gates=[]"]
    in_process(folder, "train", "config.yaml", "--run-dir", "smaller", *smaller)
    compared = in_process(folder, "compare", "run", "smaller")
    assert compared.code == 0, compared.err
    assert "test.poisson_deviance" in compared.out
    assert "is worse than run 1: test.poisson_deviance" in compared.out


@pytest.mark.parametrize(("value", "said"), [("-3", "received -3"), ("2.5", "received 2.5"), ("many", "'many'")])
@pytest.mark.parametrize("command", ["train", "audit"])
def test_what_is_no_count_is_named_with_file_and_row(mltrain, tmp_path, command, value, said):
    table = rows(np.random.default_rng(4))
    table[6] = (*table[6][:2], value)
    write(tmp_path / "rows.csv", table)
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    found = mltrain(command, "config.yaml")
    assert found.code == 4
    assert "rows.csv" in found.err
    assert "8" in found.err.partition("rows.csv")[2]  # the line of the file
    assert said in found.err


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ("data.target={column: rentals, scale: standard}", 4, "data.target.scale is for regression"),
        ("data.target={column: rentals, positive: a}", 4, "data.target.positive is for classes, but the task is count"),
        ("data.target=[rentals, temperature]", 3, "count has one target, but data.target names 2 columns: state mixed"),
        ("training.loss=MeanAbsolutePercentageError", 3, "the task is count (expected: Huber, LogCosh, MeanAbs"),
        ("training.class_weight=balanced", 3, "a count task has no classes"),
        ("evaluation.metrics=[accuracy]", 3, "'accuracy' is a metric for binary"),
        ("evaluation.threshold=0.3", 3, "a threshold is for binary, the task is count"),
        ("evaluation.gates=[test.f1 > 0]", 3, "'f1' will not be measured"),
        ("evaluation.gates=[test.mae(a) < 1]", 3, "a count has no classes"),
        ("evaluation.gates=[test.mae - ridge < 0]", 3, "unknown baseline 'ridge'"),
    ],
)
def test_what_does_not_fit_counts_is_refused(folder, changed, code, said):
    found = in_process(folder, "train", "config.yaml", "--runs-dir", "refused", "--set", changed)
    assert said in found.err
    assert found.code == code


def test_counts_are_never_guessed(folder):
    fewer = ["--set", "evaluation.gates=[]", "--set", "training.epochs=1"]
    found = in_process(folder, "train", "config.yaml", "--run-dir", "guessed", "--set", "task=auto", *fewer)
    assert found.code == 0, found.err
    assert metrics_of(folder / "guessed")["task"] in ("multiclass", "regression")
    found = in_process(folder, "train", "config.yaml", "--run-dir", "refused", "--set", "task=auto")
    assert "poisson_deviance" in found.err and found.code == 3


def test_the_metric_of_keras_can_be_averaged(folder):
    metrics = "training.metrics=[Poisson, MeanSquaredError]"
    fewer = ["--set", "training.epochs=1", "--set", "evaluation.gates=[]"]
    done = in_process(folder, "train", "config.yaml", "--run-dir", "keras", "--set", metrics, *fewer)
    assert done.code == 0, done.err
    found = metrics_of(folder / "keras")["splits"]["test"]["metrics"]
    assert found["poisson"]["value"] == pytest.approx(found["loss"]["value"], rel=1e-5)


# The Poisson loss of large counts falls far below 0; and few rows, with columns that say nothing, are soon learned by
# heart.
MANY = """\
task: count
data:
  source: {type: csv, path: many.csv}
  target: sold
  split: {type: random, validation: 0.3, test: 0.2}
model: {type: mlp, units: [64, 64]}
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    draw = np.random.default_rng(3)
    inputs = draw.normal(size=(120, 12)).round(4)
    sold = draw.poisson(np.exp(2.5 + 0.4 * inputs[:, 0]))
    with (folder / "many.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([(*(f"x{n}" for n in range(12)), "sold"), *np.column_stack([inputs, sold]).tolist()])
    (folder / "many.yaml").write_text(MANY, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "epochs", "rate", "found"),
    [("too_long", 60, 0.003, "overfitting"), ("too_short", 12, 0.001, "still_falling")],
)
def test_a_training_with_losses_below_0_is_diagnosed(many, name, epochs, rate, found):
    training = f"training={{epochs: {epochs}, optimizer: {{type: adam, learning_rate: {rate}}}}}"
    trained = in_process(many, "train", "many.yaml", "--run-dir", name, "--set", training)
    assert trained.code == 0, trained.err
    named = {each["finding"]: each["sentence"] for each in metrics_of(many / name)["diagnosis"]}
    # Neither is better than the mean, which is told besides.
    assert set(named) - {"small_validation"} == {found, "worse_than_constant"}
    assert " from -" in named[found]
