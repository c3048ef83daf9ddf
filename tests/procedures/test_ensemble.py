"""Several networks in one, whose mean is the prediction: from `ensemble: 3` to the spread beside a prediction."""

import csv
import io
import json

import keras
import numpy as np
import pytest

from mltrain.procedures.stored_model import read_model
from mltrain.run.rundir import RunDirectory

CONFIG = """\
data:
  source: {type: csv, path: data.csv}
  target: TARGET
  features: {kind: ignore, price: ignore}
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: mlp, units: [6], dropout: 0.2}
ensemble: 3
training: {epochs: 3, batch_size: 16}
"""


@pytest.fixture
def data(tmp_path):
    """Rows with a class, and with a number, as targets."""
    draw = np.random.default_rng(3)
    x = draw.normal(size=(120, 2))
    price = 1000 + 100 * x[:, 0] + 10 * draw.normal(size=120)
    lines = [f"{a:.3f},{b:.3f},{'good' if a > b else 'bad'},{c:.2f}" for (a, b), c in zip(x, price, strict=True)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,kind,price", *lines]) + "\n")
    for target in ("kind", "price"):
        text = CONFIG.replace("TARGET", target)
        (tmp_path / f"{target}.yaml").write_text(
            text.replace(f"{target}: ignore, ", "").replace(f", {target}: ignore", "")
        )
    return tmp_path


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_classes_get_the_mean_of_the_probabilities_and_the_spread_of_the_chosen_one(mltrain, data):
    done = mltrain("train", "kind.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    again = mltrain("evaluate", done.run)
    assert again.code == 0, again.err
    predicted = mltrain("predict", done.run, data / "data.csv", "--proba", "--explain")
    assert predicted.code == 0, predicted.err
    rows = rows_of(predicted.out)
    assert [*rows[0]][4:8] == ["prediction", "probability_bad", "probability_good", "spread"]
    stored = read_model(RunDirectory(done.run))
    network = stored.network()
    table = np.array([[float(row["a"]), float(row["b"])] for row in rows])
    x = network_inputs(stored, table)
    each = np.stack([model(x).numpy()[:, 0] for model in network.models])
    assert len({tuple(weights[0, :2]) for weights in (model.get_weights()[0] for model in network.models)}) == 3
    mean = [float(row["probability_good"]) for row in rows]
    np.testing.assert_allclose(mean, each.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose([float(row["spread"]) for row in rows], each.std(axis=0), atol=1e-6)
    # What a column adds is in log-odds: all together they lead from the mean row to this one.
    added = [sum(float(value) for name, value in row.items() if name.startswith("explain.")) for row in rows]
    odds = np.log(mean) - np.log1p(-np.array(mean))
    assert np.std(odds - added) < 0.01


def network_inputs(stored, table):
    scalings = [encoder.number_scaling for encoder in stored.preprocessing.columns]
    return np.stack([scaling.apply(table[:, n]) for n, scaling in enumerate(scalings)], axis=1)


def test_the_first_network_begins_as_it_would_alone(mltrain, data):
    keep = ("--set", "training.optimizer={type: SGD, learning_rate: 1.0e-30}")
    run = mltrain("train", "kind.yaml", "--run-dir", "run", *keep).run
    alone = mltrain("train", "kind.yaml", "--run-dir", "alone", *keep, "--set", "ensemble=null").run
    three, one = (read_model(RunDirectory(each)).network() for each in (run, alone))
    for a, b in zip(three.models[0].get_weights(), one.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-29)


def test_each_network_learns_by_its_own_loss(mltrain, data):
    """What one of them becomes does not depend on the others: a loss of the mean would tie them together."""
    options = ("--set", "model.dropout=0", "--set", "training.final=last", "--set", "training.optimizer={type: SGD}")
    # SGD takes a third of the step, as the loss is the mean of three.
    run = mltrain(
        "train", "kind.yaml", "--run-dir", "run", *options, "--set", "training.optimizer.learning_rate=0.3"
    ).run
    alone = ("--set", "ensemble=null", "--set", "training.optimizer.learning_rate=0.1")
    single = mltrain("train", "kind.yaml", "--run-dir", "alone", *options, *alone).run
    three, one = (read_model(RunDirectory(each)).network() for each in (run, single))
    for a, b in zip(three.models[0].get_weights(), one.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.long
def test_numbers_have_a_spread_in_their_own_units(mltrain, data):
    config = ("--set", "model={type: tabular, units: [8], members: 2}")
    done = mltrain("train", "price.yaml", "--run-dir", "run", *config, "--verify-export")
    assert done.code == 0, done.err
    rows = rows_of(mltrain("predict", done.run, data / "data.csv").out)
    stored = read_model(RunDirectory(done.run))
    network = stored.network()
    x = network_inputs(stored, np.array([[float(row["a"]), float(row["b"])] for row in rows]))
    # A network in the ensemble has two members of its own, whose mean is what it says.
    scores = np.stack([model(x).numpy().mean(axis=1)[:, 0] for model in network.models])
    values = network.target.restore(scores)
    np.testing.assert_allclose([float(row["spread"]) for row in rows], values.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose([float(row["prediction"]) for row in rows], values.mean(axis=0), rtol=1e-5)


def test_model_keras_has_the_mean(mltrain, data):
    run = mltrain("train", "kind.yaml", "--run-dir", "run").run
    rows = rows_of(mltrain("predict", run, data / "data.csv", "--proba").out)
    model = keras.models.load_model(run / "model.keras")
    found = model.predict({name: np.array([[float(row[name])] for row in rows]) for name in ("a", "b")}, verbose=0)
    np.testing.assert_allclose(found[:, 0], [float(row["probability_good"]) for row in rows], atol=1e-6)


@pytest.mark.parametrize("stated", ["1", "51", "{members: 0}"])
def test_too_few_or_too_many_are_refused_at_their_line(mltrain, data, stated):
    done = mltrain("validate", "kind.yaml", "--set", f"ensemble={stated}")
    assert done.code == 3
    assert "ensemble" in done.err


def metrics_of(done):
    return json.loads((done.run / "metrics.json").read_text())


BY_FOLD = ("--set", "ensemble={members: 3, by: fold}")


@pytest.mark.long
def test_out_of_fold_predictions_are_of_the_network_that_has_not_learned_from_the_row(mltrain, data):
    """A row with another target changes all networks but the one that leaves it out."""
    last = (*BY_FOLD, "--set", "training.final=last", "--set", "data.target.scale=none")
    first = mltrain("train", "price.yaml", "--run-dir", "first", *last)
    assert first.code == 0, first.err
    run = RunDirectory(first.run)
    rows = run.splits()["train"]
    lines = (data / "data.csv").read_text().splitlines()
    changed = int(rows[7])
    lines[1 + changed] = lines[1 + changed].rpartition(",")[0] + ",2000"
    (data / "data.csv").write_text("\n".join(lines) + "\n")
    second = mltrain("train", "price.yaml", "--run-dir", "second", *last)
    networks = [read_model(RunDirectory(each)).network().models for each in (first.run, second.run)]
    same = [
        all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
        for one, other in zip(*networks, strict=True)
    ]
    assert sum(same) == 1
    # Its prediction of the row is the one that is kept.
    stored = run.predictions("out_of_fold")
    assert list(stored.rows) == list(rows)
    table = np.array([[float(value) for value in line.split(",")[:2]] for line in lines[1:]])[rows]
    model = networks[0][same.index(True)]
    found = model(network_inputs(read_model(run), table)).numpy()[7, 0]
    assert stored.values[7] == pytest.approx(found, rel=1e-6)


def test_out_of_fold_rows_are_measured_as_a_split(mltrain, data):
    tempered = ("--set", "evaluation.calibration.temperature=true")
    done = mltrain("train", "kind.yaml", "--run-dir", "run", *BY_FOLD, *tempered)
    assert done.code == 0, done.err
    assert "ensemble.by: 3 folds (" in done.err
    results = metrics_of(done)
    assert [*results["splits"]] == ["train", "out_of_fold", "validation", "test"]
    found = results["splits"]["out_of_fold"]
    assert found["n"] == results["splits"]["train"]["n"]
    assert found["metrics"]["accuracy"]["low"] < found["metrics"]["accuracy"]["value"]
    assert found["calibration"]
    again = mltrain("evaluate", done.run, "--split", "out_of_fold", "--json", "--gate", "out_of_fold.accuracy >= 0.2")
    assert again.code == 0, again.err
    assert json.loads(again.out)["splits"]["out_of_fold"] == found
    said = "out_of_fold: the training rows, each predicted by the network of the ensemble that has not learned from it"
    assert said in again.err
    assert said in mltrain("show", done.run).out
    assert said in (done.run / "report.html").read_text()


def test_every_kind_of_model_and_target_can_leave_out_a_fold(mltrain, data):
    config = ("--set", "model={type: tabular, units: [8], members: 2}")
    done = mltrain("train", "price.yaml", "--run-dir", "run", *config, *BY_FOLD)
    assert done.code == 0, done.err
    assert metrics_of(done)["splits"]["out_of_fold"]["metrics"]["rmse"]["high"]
    again = mltrain("evaluate", done.run, "--split", "out_of_fold", "--json")
    assert json.loads(again.out)["splits"]["out_of_fold"] == metrics_of(done)["splits"]["out_of_fold"]


@pytest.mark.parametrize(
    ("options", "key", "words"),
    [
        (("ensemble={members: 40, by: fold}", "data.split={type: random, validation: 80}"), "members", "row"),
        (("ensemble=3", "evaluation.gates=['out_of_fold.f1 > 0']"), "gates", "an ensemble by fold"),
        (
            ("ensemble={members: 3, by: fold}", "evaluation.gates=['out_of_fold.f1 - majority > 0']"),
            "gates",
            "no out-of-fold values",
        ),
        (("ensemble={members: 3, by: folds}",), "by", "fold"),
    ],
)
def test_what_cannot_be_left_out_is_refused_at_its_line(mltrain, data, options, key, words):
    done = mltrain("train", "kind.yaml", "--run-dir", "run", *(part for each in options for part in ("--set", each)))
    assert done.code == 3, done.err
    assert key in done.err
    assert words in done.err


def test_a_run_without_folds_has_no_such_split(mltrain, data):
    run = mltrain("train", "kind.yaml", "--run-dir", "run").run
    done = mltrain("evaluate", run, "--split", "out_of_fold")
    assert done.code != 0
    assert "no out_of_fold rows (it has: train, validation, test)" in done.err
