"""What follows from the model and the rows where the training section says auto."""

import csv
import json

import pytest

from mltrain.experiment.settled import settled, settling_decisions
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.components import make
from mltrain.task import DataInfo, Input, Output
from mltrain.training.schedule import Schedule
from tests.known_data import known_data

CONFIG = """\
data:
  source: {type: synthetic, kind: blobs, rows: 60}
  split: {type: random, validation: 0.25}
model: {type: tabular, units: [4]}
training: {epochs: 2}
"""


def experiment(model=None, **training):
    given = {"data": {"source": {"type": "sklearn", "name": "iris"}}, "training": training}
    return ExperimentSpec.model_validate(given | ({} if model is None else {"model": {"type": model}}))


def info(rows, shape=(4,)):
    return known_data("regression", shape=shape, rows=rows)


def test_other_models_are_trained_as_ever():
    training = settled(experiment("mlp"), info(1000)).training
    assert (training.epochs, training.batch_size, training.schedule) == (100, 32, "none")
    assert training.optimizer == make("optimizer", "Adam")
    assert settling_decisions(experiment("mlp"), info(1000)) == ()


@pytest.mark.parametrize(
    ("rows", "epochs", "batch_size"), [(100, 250, 32), (1_000, 110, 32), (4_000, 35, 128), (1_000_000, 10, 256)]
)
def test_tabular_sees_few_rows_often_and_many_in_large_batches(rows, epochs, batch_size):
    training = settled(experiment("tabular"), info(rows)).training
    assert (training.epochs, training.batch_size) == (epochs, batch_size)
    assert training.schedule == Schedule(type="cosine")
    said = {each.what: each.value for each in settling_decisions(experiment("tabular"), info(rows))}
    assert said["training.epochs"] == str(epochs)


def test_what_is_stated_stays():
    stated = experiment("tabular", epochs=7, batch_size="full", optimizer={"type": "SGD"})
    training = settled(stated, info(1000)).training
    assert (training.epochs, training.batch_size, training.optimizer.type) == (7, "full", "SGD")
    # The usual schedule belongs to the usual learning rate.
    assert training.schedule == "none"
    assert settled(settled(stated, info(1000)), info(1000)) == settled(stated, info(1000))


def test_a_learning_rate_alone_is_that_of_the_optimizer():
    training = settled(experiment("tabular", learning_rate=0.5), info(1000)).training
    # It is the usual optimizer with its usual schedule, from another learning rate on.
    assert training.optimizer == make("optimizer", "Adam", learning_rate=0.5)
    assert training.schedule == Schedule(type="cosine")
    assert settled(experiment("mlp", learning_rate=0.5, optimizer="sgd"), info(9)).training.optimizer == make(
        "optimizer", "SGD", learning_rate=0.5
    )
    decay = {"type": "ExponentialDecay", "initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5}
    training = settled(experiment("tabular", learning_rate=decay), info(1000)).training
    assert training.optimizer.argument("learning_rate").plain().items() >= decay.items()
    assert training.schedule == "none"


@pytest.mark.parametrize(
    "more", [{"callbacks": [{"type": "ReduceLROnPlateau", "patience": 2}]}, {"on_divergence": {"retry": 1}}]
)
def test_one_hand_is_on_the_learning_rate(more):
    assert settled(experiment("tabular", **more), info(1000)).training.schedule == "none"


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ((Input("table", (2,), "float32", ("a", "b")),), "tabular"),
        ((Input("table", (1,), "float32", ("a",)), Input("b", (1,), "int32", indices=5)), "tabular"),
        ((Input("x", (4,), "float32"),), "tabular"),
        ((Input("x", (8, 8, 3), "float32"),), "cnn"),
        ((Input("x", (10, 2), "float32"),), "cnn"),
        ((Input("said", (10,), "int32", indices=50),), "pooled"),
        ((Input("table", (1,), "float32", ("a",)), Input("x", (8, 8, 3), "float32")), "fusion"),
    ],
)
def test_auto_takes_the_model_that_fits(given, model):
    data = DataInfo(given, (Output("y", "regression", 1),), 100)
    assert settled(experiment(), data).model.type == model
    (decision, *_) = settling_decisions(experiment(), data)
    assert (decision.what, decision.value) == ("model", model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "training.callbacks=[{type: ReduceLROnPlateau}]",
            "cannot change a learning rate that follows a schedule",
        ),
        ("training.on_divergence={retry: 1}", "cannot reduce a learning rate that follows a schedule"),
        (
            "training.optimizer={type: Adam, learning_rate: {type: CosineDecay, initial_learning_rate: 0.1, "
            "decay_steps: 9}}",
            "training.schedule: the learning rate of the optimizer already follows a schedule",
        ),
    ],
)
def test_two_hands_on_the_learning_rate_are_refused_at_their_line(mltrain, tmp_path, change, message):
    (tmp_path / "config.yaml").write_text(CONFIG + "  # end\n")
    done = mltrain("validate", "config.yaml", "--set", "training.schedule=cosine", "--set", change)
    assert done.code == 3
    assert message in done.err


@pytest.mark.long
def test_the_learning_rate_follows_the_schedule_and_a_longer_training_says_what_becomes_of_it(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("train", "config.yaml", "--run-dir", "run", "--set", "training.schedule=linear")
    assert done.code == 0, done.err
    header, *rows = csv.reader((done.run / "history.csv").read_text().splitlines())
    rates = [float(row[header.index("learning_rate")]) for row in rows]
    # After each of two epochs, the rate of the step that follows.
    assert rates == pytest.approx([0.005, 0.0], abs=1e-8)
    longer = mltrain("resume", done.run, "--epochs", 4)
    assert longer.code == 0, longer.err
    assert "training.schedule now goes over 4 epochs, and the learning rate continues at 0.005" in longer.err
    decisions = {
        each["what"]: each["value"] for each in json.loads((done.run / "record.json").read_text())["decisions"]
    }
    assert decisions["training.batch_size"] == "32"


def test_epochs_that_are_not_stated_are_known_where_they_do_not_follow_from_the_data(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG.replace("training: {epochs: 2}\n", ""))
    kept = ("--set", "training.callbacks=[{type: ModelCheckpoint, keep: [240]}]")
    done = mltrain("validate", "config.yaml", *kept, "--set", "model=mlp")
    assert done.code == 3
    assert "epoch 240 will not be trained: training.epochs is 100" in done.err
    assert mltrain("validate", "config.yaml", *kept).code == 0  # of few rows there are 250
    late = ("--set", "training.callbacks=[{type: ModelCheckpoint, keep: [251]}]")
    assert mltrain("validate", "config.yaml", *late).code == 0
    done = mltrain("train", "config.yaml", *late)
    assert done.code == 3
    assert "epoch 251 will not be trained: training.epochs is 250" in done.err
