"""Targets of different kinds that are learned together, through the commands, and their losses by hand."""

from __future__ import annotations

import csv
import json
import math
import shutil

import numpy as np
import pytest

from tests.conftest import in_process

ROWS = 230
CONFIG = """\
name: mixed
data:
  source: {{type: csv, path: rows.csv}}
  target: {{columns: [price, sold, kind], missing: skip, each: {{sold: {{positive: "yes"}}}}}}
  split: {{type: random, validation: 0.2, test: 0.3}}
model: {model}
training:
  epochs: {epochs}
  batch_size: 16
  outputs: {{price: {{weight: 0.5}}, sold: {{class_weight: balanced}}, kind: {{class_weight: {{boat: 3}}}}}}
objective: validation.f1(sold)
evaluation:
  slices: [place]
  outputs:
    sold: {{metrics: [f1, roc_auc, log_loss], threshold: {{aim: f1}}, temperature: true}}
  gates:
    - test.r2(price) >= -10
    - test.recall(kind=car).low >= 0
    - test[place=in].f1(sold) >= 0
    - (test.accuracy(kind) - majority).low >= -1
    - test.loss(price) < 100
    - test.r2(price).low >= 2
"""
MODELS = {
    "mlp": "{type: mlp, units: [8]}",
    "linear": "linear",
    "sequential": "{type: sequential, layers: [{type: Dense, units: 8, activation: relu}, {type: Dropout, rate: 0.1}]}",
    "fusion": "{type: fusion, units: [8]}",
    "graph": "{type: graph, layers: [{name: a, type: Dense, units: 8}, {name: b, type: Dense, units: 4}], "
    "outputs: {price: a, sold: b, kind: b}}",
}


def write_rows(folder, missing=0.15):
    draw = np.random.default_rng(3)
    area, age = draw.normal(100, 20, ROWS), draw.normal(30, 10, ROWS)
    kind = np.array(["boat", "car", "house"])[np.digitize(area, [90, 110])]
    price = 3000 * area - 500 * age + draw.normal(0, 5000, ROWS)
    sold = np.where(price + draw.normal(0, 20000, ROWS) > 285000, "yes", "no")
    place = draw.choice(["in", "out"], ROWS)
    columns = {"price": [f"{each:.2f}" for each in price], "sold": sold.tolist(), "kind": kind.tolist()}
    for name, values in columns.items():
        lacking = draw.random(ROWS) < missing
        columns[name] = ["" if lacks else value for lacks, value in zip(lacking, values, strict=True)]
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["area", "age", "place", *columns])
        writer.writerows(zip(area.round(3), age.round(3), place, *columns.values(), strict=True))


def train(folder, model="mlp", epochs=4, *options):
    (folder / "config.yaml").write_text(CONFIG.format(model=MODELS.get(model, model), epochs=epochs))
    return in_process(folder, "train", "config.yaml", "--run-dir", "run", *options)


@pytest.fixture
def rows(tmp_path):
    write_rows(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixed")
    write_rows(folder)
    done = train(folder, "mlp", 4, "--verify-export")
    assert done.code == 10, done.err  # the last gate cannot be passed
    return folder, done


def results(folder):
    return json.loads((folder / "run" / "metrics.json").read_text())


def history(folder):
    with (folder / "run" / "history.csv").open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_model_keras_predicts_each_target_in_another_process(trained):
    _, done = trained
    assert "model.keras, opened in another process, predicts the same for 64 raw test rows" in done.err


def test_each_target_is_measured_on_the_rows_that_have_it(trained):
    folder, _ = trained
    with (folder / "rows.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    test = np.load(folder / "run" / "splits" / "test.npy")
    outputs = results(folder)["splits"]["test"]["outputs"]
    assert {name: each["task"] for name, each in outputs.items()} == {
        "price": "regression",
        "sold": "binary",
        "kind": "multiclass",
    }
    for name, each in outputs.items():
        there = [row for row in test if table[row][name]]
        assert 0 < len(there) < len(test)
        assert each["n"] == len(there)
        assert set(each["baselines"]) == (
            {"mean", "ridge", "boosting"} if name == "price" else {"majority", "logistic", "boosting"}
        )
        assert {one["slice"] for one in each["slices"]} == {"place=in", "place=out"}
    assert list(outputs["sold"]["metrics"]) == ["f1", "roc_auc", "log_loss"]
    assert sum(map(sum, outputs["kind"]["confusion_matrix"])) == outputs["kind"]["n"]


def test_the_metrics_of_a_target_are_those_of_its_predictions(trained):
    folder, _ = trained
    target, values = (
        np.load(folder / "run" / "predictions" / f"test.{name}.npy") for name in ("target", "predictions")
    )
    assert target.shape[1] == 3
    assert values.shape == (len(target), 1 + 1 + 3)
    metrics = results(folder)["splits"]["test"]["metrics"]
    there = ~np.isnan(target[:, 0])
    error = values[there, 0] - target[there, 0]
    assert metrics["mae(price)"]["value"] == pytest.approx(np.abs(error).mean(), rel=1e-12)
    known = ~np.isnan(target[:, 2])
    right = values[known, 2:].argmax(axis=1) == target[known, 2]
    assert metrics["accuracy(kind)"]["value"] == pytest.approx(right.mean(), rel=1e-12)
    threshold = json.loads((folder / "run" / "decision.json").read_text())["outputs"]["sold"]["threshold"]
    labelled = ~np.isnan(target[:, 1])
    said, true = values[labelled, 1] > threshold, target[labelled, 1] == 1
    assert metrics["f1(sold)"]["value"] == pytest.approx(2 * (said & true).sum() / (said.sum() + true.sum()), rel=1e-12)


def test_the_losses_are_means_over_the_rows_that_have_the_target(trained):
    """By hand: also where the last block of an evaluation is partial, which Keras' own losses of a list of outputs
    count as one row."""
    folder, _ = trained
    target, values = (
        np.load(folder / "run" / "predictions" / f"test.{name}.npy") for name in ("target", "predictions")
    )
    parts = json.loads((folder / "run" / "preprocessing.json").read_text())["target"]["parts"]
    metrics = results(folder)["splits"]["test"]["metrics"]
    there = ~np.isnan(target[:, 0])
    scaled = (values[there, 0] - target[there, 0]) / parts[0]["width"]
    price = (scaled**2).mean()
    assert metrics["loss(price)"]["value"] == pytest.approx(price, rel=1e-5)
    # The temperature of `sold` is in the kept probabilities, and not in the loss; `kind` has none.
    known = ~np.isnan(target[:, 2])
    kind = -np.log(values[known, 2:][np.arange(known.sum()), target[known, 2].astype(int)]).mean()
    assert metrics["loss(kind)"]["value"] == pytest.approx(kind, rel=1e-5)
    total = 0.5 * price + metrics["loss(sold)"]["value"] + kind
    assert metrics["loss"]["value"] == pytest.approx(total, rel=1e-5)


def test_the_history_has_the_loss_and_the_metrics_of_each(trained):
    folder, _ = trained
    for row in history(folder):
        for split in ("train", "validation"):
            losses = [row[f"{split}.loss({name})"] for name in ("price", "sold", "kind")]
            assert row[f"{split}.loss"] == pytest.approx(0.5 * losses[0] + losses[1] + losses[2], rel=1e-5)
        assert 0 <= row["validation.f1(sold)"] <= 1
    best = max(row["validation.f1(sold)"] for row in history(folder))
    objective = results(folder)["objective"]
    assert (objective["metric"], objective["best"]) == ("validation.f1(sold)", best)


def test_gates_speak_of_one_target(trained):
    folder, done = trained
    gates = results(folder)["gates"]
    assert [each["passed"] for each in gates] == [True] * 5 + [False]
    assert "1 of 6 gates missed: test.r2(price).low >= 2" in done.err
    found = {each["gate"]: each["value"] for each in gates}
    outputs = results(folder)["splits"]["test"]["outputs"]
    assert found["test.recall(kind=car).low >= 0"] == outputs["kind"]["classes"]["car"]["recall"]["low"]
    difference = outputs["kind"]["baselines"]["majority"]["difference"]["accuracy"]
    assert found["(test.accuracy(kind) - majority).low >= -1"] == difference["low"]


def test_evaluate_gives_the_numbers_of_the_training(trained):
    folder, _ = trained
    recorded = results(folder)["splits"]["test"]
    again = json.loads(in_process(folder, "evaluate", "run", "--json", "--gate", "test.f1(sold) >= 0").out)
    for each in recorded["outputs"].values():
        del each["baselines"]
    assert again["splits"]["test"] == recorded
    assert again["gates"][0]["passed"]


def test_a_file_without_one_of_the_targets_is_measured_by_the_others(trained):
    folder, _ = trained
    lines = (folder / "rows.csv").read_text().splitlines()
    few = [line.split(",") for line in lines[1:40]]
    kept = [",".join([*line[:3], "", *line[4:]]) for line in few if line[4] and line[5]]
    (folder / "other.csv").write_text("\n".join([lines[0], *kept, ""]))
    again = json.loads(in_process(folder, "evaluate", "run", "--data", "other.csv", "--json").out)["splits"][
        "other.csv"
    ]
    assert again["outputs"]["price"] == {"task": "regression", "n": 0, "names": [], "metrics": {}}
    assert again["outputs"]["kind"]["n"] == len(kept)
    assert "loss(price)" not in again["metrics"]


def test_predict_adds_a_column_for_each_target(trained):
    folder, _ = trained
    assert in_process(folder, "predict", "run", "rows.csv", "--out", "out.csv", "--proba").code == 0
    with (folder / "out.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    added = list(table[0])[6:]
    assert added == [
        *("prediction_price", "prediction_sold", "prediction_kind", "probability_sold_no", "probability_sold_yes"),
        *("probability_kind_boat", "probability_kind_car", "probability_kind_house"),
    ]
    test = np.load(folder / "run" / "splits" / "test.npy")
    kept = np.load(folder / "run" / "predictions" / "test.predictions.npy")
    assert [float(table[row]["prediction_price"]) for row in test] == pytest.approx(kept[:, 0].tolist(), rel=1e-12)
    said = [float(table[row]["probability_sold_yes"]) for row in test]
    assert np.array_equal(np.float32(said), np.float32(kept[:, 1]))


def test_the_report_has_a_part_for_each_target(trained):
    folder, _ = trained
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    for name in ("price", "sold", "kind"):
        assert f"Target {name}" in page
    assert {path.stem for path in (folder / "run" / "plots").iterdir()} >= {
        "predicted_1",
        "confusion_2",
        "confusion_3",
    }


@pytest.mark.parametrize(
    "model", ["sequential", *(pytest.param(model, marks=pytest.mark.long) for model in ("linear", "fusion", "graph"))]
)
def test_every_model_ends_in_a_head_for_each(rows, model):
    done = train(rows, model, 1, "--verify-export")
    assert done.code == 10, done.err
    assert "predicts the same for 64 raw test rows" in done.err
    layers = json.loads((rows / "run" / "model.json").read_text())["layers"]
    heads = [each["output"] for each in layers if each["name"].startswith("head_")]
    assert heads == [[1], [1], [3]]


def test_targets_without_gaps_are_of_different_kinds_by_themselves(tmp_path):
    write_rows(tmp_path, missing=0)
    text = CONFIG.format(model="mlp", epochs=1)
    text = text.replace(
        '{columns: [price, sold, kind], missing: skip, each: {sold: {positive: "yes"}}}', "[price, sold]"
    )
    text = text[: text.index("  outputs: {price")] + "evaluation: {}\n"
    (tmp_path / "config.yaml").write_text(text)
    done = in_process(tmp_path, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    assert results(tmp_path)["task"] == "mixed"


def test_numbers_of_which_some_are_missing_have_a_head_each(tmp_path):
    write_rows(tmp_path)
    text = CONFIG.format(model="mlp", epochs=1)
    text = text.replace(
        '[price, sold, kind], missing: skip, each: {sold: {positive: "yes"}}', "[price, age], missing: skip"
    )
    text = text[: text.index("  outputs: {price")] + "evaluation: {}\n"
    (tmp_path / "config.yaml").write_text(text)
    assert in_process(tmp_path, "train", "config.yaml", "--run-dir", "run").code == 0
    outputs = results(tmp_path)["splits"]["test"]["outputs"]
    assert outputs["price"]["n"] < outputs["age"]["n"] == results(tmp_path)["splits"]["test"]["n"]


def test_a_missing_value_is_refused_where_it_is_not_allowed(rows):
    (rows / "config.yaml").write_text(CONFIG.format(model="mlp", epochs=1).replace("missing: skip", "missing: error"))
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 4
    assert "rows.csv:" in done.err
    assert "set data.target.missing to skip" in done.err


def test_all_that_is_wrong_is_said_at_its_line(rows):
    text = CONFIG.format(
        model="{type: graph, layers: [{name: a, type: Dense, units: 2}], outputs: {prize: a}}", epochs=1
    )
    text = text.replace("outputs: {price: {weight", "loss: Huber\n  outputs: {prise: {weight")
    text = text.replace("validation.f1(sold)", "validation.f1(solt)").replace("test.r2(price) >= -10", "test.f1 >= 0")
    text = text.replace("slices: [place]", "metrics: [f1]").replace("test.loss(price) < 100", "test.nope(sold) < 1")
    (rows / "config.yaml").write_text(text)
    done = in_process(rows, "validate", "config.yaml")
    assert done.code == 3
    for said in (
        "training.loss: targets of different kinds have one each: state it under training.outputs",
        "training.outputs.prise: 'prise' is not a target (did you mean 'price'?)",
        "model.outputs.prize: 'prize' is not a target (did you mean 'price'?)",
        "evaluation.metrics: targets of different kinds have one each: state it under evaluation.outputs",
        "'validation.f1(solt)' will not be measured (did you mean 'validation.f1(sold)'?)",
        "there are several targets: name one, as in test.f1(price)",
        "'nope' will not be measured of 'sold'",
        "no slices are measured",
    ):
        assert said in done.err, said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "outputs: {price: {weight: 0.5}",
            "outputs: {price: {loss: BinaryCrossentropy}",
            "BinaryCrossentropy is a loss for",
        ),
        ("{class_weight: balanced}", "{loss: Dice}", "Dice is computed of all rows of a batch together"),
        ("{weight: 0.5}", "{class_weight: balanced}", "class weights are for classes"),
        ("{boat: 3}", "{ship: 3}", "no such class (the classes are: boat, car, house)"),
    ],
)
def test_what_does_not_fit_a_target_is_said_at_its_line(rows, old, new, said):
    text = CONFIG.format(model="mlp", epochs=1)
    assert old in text
    (rows / "config.yaml").write_text(text.replace(old, new))
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    assert "config.yaml:10:" in done.err
    assert said in done.err


@pytest.mark.long
def test_the_same_rows_give_the_same_run(rows):
    assert train(rows, "fusion", 2).code == 10
    before = {name: (rows / "run" / name).read_bytes() for name in ("metrics.json", "decision.json")}
    shutil.rmtree(rows / "run")
    assert train(rows, "fusion", 2).code == 10
    assert before == {name: (rows / "run" / name).read_bytes() for name in before}


@pytest.mark.long
def test_a_longer_training_continues_the_shorter_one(rows, tmp_path):
    assert train(rows, "fusion", 2).code == 10
    assert in_process(rows, "resume", "run", "--epochs", "4").code == 10
    resumed = [{name: value for name, value in row.items() if name != "seconds"} for row in history(rows)]
    shutil.rmtree(rows / "run")
    assert train(rows, "fusion", 4).code == 10
    whole = [{name: value for name, value in row.items() if name != "seconds"} for row in history(rows)]
    assert resumed == whole
    assert not any(math.isnan(value) for row in whole for value in row.values())


def test_two_runs_are_tested_against_each_other_by_a_metric_of_one_target(trained):
    folder, _ = trained
    done = in_process(folder, "train", "config.yaml", "--run-dir", "longer", "--set", "training.epochs=6")
    assert done.code == 10, done.err
    said = in_process(folder, "compare", "run", "longer").out
    assert "test.f1(sold)" in said  # the objective
    rows = results(folder)["splits"]["test"]["outputs"]["price"]["n"]
    against = in_process(folder, "evaluate", "longer", "--against", "run", "--metric", "mae(price)")
    assert "test.mae(price) is" in against.out + against.err
    assert f"on the same {rows} rows" in against.out + against.err


ODD = """\
name: odd
data:
  source: {type: csv, path: odd.csv}
  target: {columns: ["price(EUR)\\e[31m", "kind, of=home"], missing: skip}
model: {type: mlp, units: [8]}
training: {epochs: 2, outputs: {"price(EUR)\\e[31m": {weight: 0.5}}}
objective: "validation.mae(price(EUR)\\e[31m)"
evaluation:
  gates:
    - "test.mae(price(EUR)\\e[31m) <= 1e9"
    - (test.accuracy(kind, of=home) - majority).low > -1
    - test.recall(kind, of=home=a=b).low >= 0
    - test.recall(kind, of=home=car) >= 0
"""


def write_odd_rows(folder):
    """Write the rows again, with names of targets and of a class that hold what also separates them in a gate."""
    write_rows(folder)
    with (folder / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (folder / "odd.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["area", "price(EUR)\x1b[31m", "kind, of=home"])
        writer.writerows([row["area"], row["price"], row["kind"].replace("boat", "a=b")] for row in rows)


@pytest.mark.long
def test_names_may_hold_anything(tmp_path):
    write_odd_rows(tmp_path)
    (tmp_path / "config.yaml").write_text(ODD)
    done = in_process(tmp_path, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    assert "\x1b" not in done.err and "\\x1b[31m" in done.err
    assert in_process(tmp_path, "evaluate", "run").code == 0
    predicted = in_process(tmp_path, "predict", "run", "odd.csv", "--proba", "--out", "out.csv")
    assert predicted.code == 0, predicted.err
    (header,) = csv.reader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[:1])
    assert header[3:6] == ["prediction_price(EUR)\x1b[31m", "prediction_kind, of=home", "probability_kind, of=home_a=b"]


def train_without(tmp_path, target, split):
    """Train on rows of which those of a split lack a target."""
    write_rows(tmp_path)
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["part"] = ("train", "train", "train", "validation", "test")[number % 5]
        row[target] = "" if row["part"] == split else row[target]
    with (tmp_path / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    config = CONFIG.replace("{{type: random, validation: 0.2, test: 0.3}}", "{{type: column, column: part}}")
    (tmp_path / "config.yaml").write_text(config.format(model="linear", epochs=1))
    return in_process(tmp_path, "train", "config.yaml", "--run-dir", "run")


@pytest.mark.parametrize(("target", "split"), [("price", "train"), ("price", "validation"), ("sold", "validation")])
def test_a_target_that_no_row_of_a_split_has_is_refused(tmp_path, target, split):
    done = train_without(tmp_path, target, split)
    assert done.code == 4, done.err
    which = "training" if split == "train" else split
    assert f"rows.csv: column '{target}': no {which} row has a value of this target" in done.err


def test_a_gate_on_a_target_that_no_test_row_has_is_missed_and_says_so(tmp_path):
    done = train_without(tmp_path, "price", "test")
    assert done.code == 10, done.err
    missed = {gate["gate"]: gate["reason"] for gate in results(tmp_path)["gates"] if not gate["passed"]}
    assert missed["test.r2(price) >= -10"] == "no test row has a value of 'price'"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("kind: {positive: car}", "data.target.each.kind.positive is for two classes, but the task is multiclass"),
        ("sold: {positive: maybe}", "data.target.each.sold.positive: no class 'maybe'"),
        ("price: {classes: [a, b], task: regression}", "data.target.each.price.classes is for classes"),
    ],
)
def test_what_is_asked_of_a_target_is_refused_at_its_own_key(rows, asked, message):
    config = CONFIG.replace('sold: {{positive: "yes"}}', asked.replace("{", "{{").replace("}", "}}"))
    (rows / "config.yaml").write_text(config.format(model="linear", epochs=1))
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 4, done.err
    assert message in done.err


def test_a_file_without_a_column_of_one_target_is_measured_by_the_others(trained):
    folder, _ = trained
    lines = [line.split(",") for line in (folder / "rows.csv").read_text().splitlines()]
    (folder / "no_price.csv").write_text("\n".join(",".join([*line[:3], *line[4:]]) for line in lines) + "\n")
    (folder / "no_target.csv").write_text("\n".join(",".join(line[:3]) for line in lines) + "\n")
    done = in_process(folder, "evaluate", "run", "--data", "no_price.csv", "--json")
    found = json.loads(done.out)["splits"]["no_price.csv"]["outputs"]
    assert found["price"]["n"] == 0 < found["kind"]["n"]
    (said,) = json.loads(done.out)["data_sentences"]
    assert said.startswith("no column 'price'")
    assert said.endswith("this target is not measured, and the loss is that of the others")
    done = in_process(folder, "evaluate", "run", "--data", "no_target.csv")
    assert (done.code, done.err) == (4, "error: no_target.csv: no row has a value of a target (price, sold, kind)\n")


def test_the_task_can_be_stated(rows):
    (rows / "config.yaml").write_text("task: mixed\n" + CONFIG.format(model="mlp", epochs=1))
    assert in_process(rows, "validate", "config.yaml").code == 0
    assert in_process(rows, "train", "config.yaml", "--run-dir", "run").code == 10
    (rows / "config.yaml").write_text(
        "task: mixed\n"
        + CONFIG.format(model="mlp", epochs=1).replace(
            '{columns: [price, sold, kind], missing: skip, each: {sold: {positive: "yes"}}}', "price"
        )
    )
    done = in_process(rows, "validate", "config.yaml")
    assert done.code == 3
    assert "config.yaml:1:7: task: mixed needs several targets" in done.err


@pytest.mark.long
def test_a_run_can_be_resumed_with_another_learning_rate_and_not_with_another_loss(rows):
    assert train(rows, "mlp", 1).code == 10
    faster = ("--epochs", "2", "--allow-inexact", "--set", "training.optimizer.learning_rate=0.01")
    assert in_process(rows, "resume", "run", *faster).code == 10
    other = ("--epochs", "3", "--allow-inexact", "--set", "training.outputs.price.weight=2")
    done = in_process(rows, "resume", "run", *other)
    assert done.code == 5
    assert "training.outputs" in done.err


def test_a_temperature_of_numbers_is_refused(rows):
    text = CONFIG.format(model="mlp", epochs=1).replace(
        "  outputs:\n    sold:", "  outputs:\n    price: {temperature: auto}\n    sold:"
    )
    (rows / "config.yaml").write_text(text)
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    assert "evaluation.outputs.price.temperature: a temperature is for classes" in done.err


def test_the_end_of_a_training_has_a_number_of_each_target(rows):
    done = train(rows, "mlp", 1, "--set", "evaluation.gates=[]")
    assert done.code == 0, done.err
    shown = [line.split()[0] for line in done.err.splitlines() if line.startswith(("price ", "sold ", "kind "))]
    assert shown == ["price", "sold", "kind"]
    sentences = [line for line in done.err.splitlines() if line.startswith("target '")]
    assert sentences[0].startswith("target 'sold'")  # that of the objective
