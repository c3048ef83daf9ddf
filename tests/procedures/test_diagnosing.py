"""The diagnosis of real trainings: said at once, at the end, in metrics.json and by `show`."""

import csv
import json

import numpy as np
import pytest

pytestmark = pytest.mark.long


@pytest.fixture
def diagnosed(mltrain, tmp_path):
    """Train on a CSV file, and return what was found by name, and what was said."""

    def train(columns, training, model="{type: mlp, units: [8]}", more=""):
        header = ",".join(columns)
        rows = "\n".join(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))
        (tmp_path / "data.csv").write_text(f"{header}\n{rows}\n")
        (tmp_path / "config.yaml").write_text(
            "data: {source: {type: csv, path: data.csv}, target: y, scale: none}\n"
            f"model: {model}\ntraining: {training}\n{more}"
        )
        done = mltrain("train", "config.yaml", "--run-dir", "run")
        assert done.code == 0, done.err
        found = json.loads((tmp_path / "run" / "metrics.json").read_text())["diagnosis"]
        for each in found:
            assert f"{each['sentence']} [{each['key']}]" in mltrain("show", "run").out
        return {each["finding"]: each for each in found}, done.err

    return train


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_a_column_that_holds_the_answer_is_named(diagnosed):
    a, b = noise(2, 300)
    y = (a + b > 0).astype(int)
    found, _ = diagnosed({"a": a, "paid": np.where(y, "yes", "no"), "b": b, "y": y}, "{epochs: 3}")
    assert found["leaked_feature"]["key"] == "data.features.paid"


def test_honest_columns_are_left_alone(diagnosed):
    a, b = noise(2, 300)
    found, _ = diagnosed({"a": a, "b": b, "y": (a + b > 0).astype(int)}, "{epochs: 3}")
    assert "leaked_feature" not in found


def test_raw_inputs_are_said_after_the_first_epoch(diagnosed):
    a, b = 1e4 * noise(2, 300)
    found, said = diagnosed({"a": a, "b": b, "y": (noise(300, seed=1) > 0).astype(int)}, "{epochs: 3}")
    assert found["first_loss"]["key"] == "data.scale"
    lines = said.splitlines()
    (warning,) = (number for number, line in enumerate(lines) if line.startswith("warning: the training loss of the"))
    assert lines[warning - 1].startswith("epoch 1/3")


def test_overfitting_is_said_while_it_goes_on_and_once(diagnosed):
    x = noise(10, 160)
    columns = {f"x{number}": column for number, column in enumerate(x)}
    columns["y"] = (x[0] + 2.0 * noise(160, seed=1) > 0).astype(int)
    training = "{epochs: 60, optimizer: {type: Adam, learning_rate: 0.01}}"
    found, said = diagnosed(columns, training, "{type: mlp, units: [128, 128]}")
    lines = said.splitlines()
    (warning,) = (number for number, line in enumerate(lines) if line.startswith("warning: overfitting: "))
    assert any(line.startswith("epoch 60/60") for line in lines[warning:])
    assert found.keys() & {"overfitting", "memorising"}


def test_a_series_whose_loss_rises_for_a_while_is_not_called_overfitting(mltrain, tmp_path):
    """Months with a linear trend and a season: the validation loss rises from epoch 10 to 100, and is best near 400."""
    month = np.arange(144)
    season = 1 + 0.18 * np.sin(2 * np.pi * month / 12) + 0.08 * np.sin(4 * np.pi * month / 12)
    y = np.round((110 + 2.6 * month) * season + np.random.default_rng(0).normal(0, 5, 144))
    (tmp_path / "months.csv").write_text("month,y\n" + "".join(f"{each}\n" for each in map("{},{}".format, month, y)))
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: months.csv}, target: {column: y, scale: standard}, windows: {length: 24}, "
        "split: {type: time, column: month}}\nmodel: linear\nevaluation: {baselines: false}\n"
        "training: {epochs: 400, batch_size: 8, optimizer: {type: Adam, learning_rate: 0.01}}\n"
    )
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    with (tmp_path / "run" / "history.csv").open(newline="") as file:
        loss = [float(row["validation.loss"]) for row in csv.DictReader(file)]
    assert min(loss) < 0.7 * min(loss[:40])  # a user who stops then loses a third
    assert np.mean(loss[70:100]) > 1.1 * min(loss[:40])
    assert "warning: overfitting" not in done.err


def test_a_dead_layer(diagnosed):
    a, b = noise(2, 300)
    dead = (
        "{type: sequential, layers: [{type: Dense, units: 8, activation: relu, "
        "bias_initializer: {type: Constant, value: -50}}]}"
    )
    found, _ = diagnosed({"a": a, "b": b, "y": (a > 0).astype(int)}, "{epochs: 2}", dead)
    assert "8 of 8 in layer 1 (Dense) give 0" in found["dead_units"]["sentence"]
    assert "underfitting" in found


def test_another_task_and_no_held_out_rows(diagnosed):
    a, b = noise(2, 300)
    columns = {"a": a, "b": b, "y": 3 * a - b + noise(300, seed=2)}
    found, _ = diagnosed(columns, "{epochs: 40, optimizer: {type: Adam, learning_rate: 0.05}}")
    assert not found.keys() - {"plateau"}


def test_a_run_that_goes_on_remembers_its_epochs(mltrain, config):
    assert mltrain("train", config(), "--run-dir", "run").code == 0
    done = mltrain("resume", "run", "--epochs", "12")
    assert done.code == 0, done.err
    assert "of 12" in done.err


@pytest.mark.parametrize("value", ["[1]", '[{"sentence": 1, "key": "x"}]', '[{"key": "x"}]'])
def test_a_damaged_diagnosis_is_said(mltrain, small_run, value):
    path = small_run / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"diagnosis": json.loads(value)}))
    done = mltrain("show", "run")
    assert done.code == 5
    assert "diagnosis.0" in done.err
