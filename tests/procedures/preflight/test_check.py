"""`mltrain check` as a user calls it: what it says of experiments that are well, and of those that are not."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mltrain.procedures.preflight import one_batch
from mltrain.training.member_steps import MemberSteps
from mltrain.training.repeated_batch import RepeatedBatch
from tests.conftest import CONFIGS

CHECKS = [
    *("config", "data", "splits", "audit", "decisions", "model", "first loss", "gradients", "one batch"),
    *("time", "memory", "disk"),
]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Let a batch have all its steps, however busy the machine is."""
    monkeypatch.setattr(one_batch, "SECONDS", 60)
    monkeypatch.setattr(one_batch, "_SECONDS_AGAIN", 60)


def checked(mltrain, *arguments):
    """Return what `check --json` finds."""
    done = mltrain("check", *arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def line_of(found, name):
    (line,) = [each for each in found["checks"] if each["check"] == name]
    return line


def warnings(found):
    return [(each["check"], each["seen"], each["advice"]) for each in found["checks"] if each["verdict"] == "warning"]


@pytest.fixture
def table(tmp_path):
    """Write a table of numbers, and a config that learns its last column."""

    def write(columns, model="model: {type: mlp, units: [32]}", training="epochs: 3", data="", **more):
        names = list(columns)
        rows = zip(*columns.values(), strict=True)
        lines = [",".join(names), *(",".join(f"{value:.7g}" for value in row) for row in rows)]
        (tmp_path / "data.csv").write_text("\n".join(lines) + "\n")
        text = f"data:\n  source: {{type: csv, path: data.csv}}\n  target: {more.pop('target', names[-1])}\n{data}"
        text += f"{model}\ntraining: {{{training}}}\n" + "".join(f"{key}: {value}\n" for key, value in more.items())
        (tmp_path / "config.yaml").write_text(text)
        return "config.yaml"

    return write


def numbers(rows=200, seed=0, columns=4):
    draw = np.random.default_rng(seed)
    return {f"x{number}": draw.normal(size=rows) for number in range(columns)}


def test_a_sound_experiment_is_said_in_one_line_a_check_and_nothing_is_written(mltrain, table, tmp_path):
    columns = numbers()
    table({**columns, "y": columns["x0"] * columns["x1"]})
    done = mltrain("check", "config.yaml")
    assert (done.code, done.err) == (0, "")
    *lines, last = done.out.splitlines()
    assert [re.fullmatch(r"(ok|note|warning) +(\w+(?: \w+)?)  +\S.*", line)[2] for line in lines] == CHECKS
    assert re.fullmatch(r"checked in \d+\.\d s: no warnings; nothing was written", last)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["config.yaml", "data.csv"]


def test_for_programs_it_is_one_object_with_numbers(mltrain, config):
    found = checked(mltrain, config())
    assert [each["check"] for each in found["checks"]] == CHECKS
    assert found["data"]["splits"] == {"train": 36, "validation": 12, "test": 12}
    assert found["model"] == {"parameters": 27, "trained": 27, "layers": 2}
    assert found["first_loss"]["chance"] == pytest.approx(np.log(3), abs=1e-3)
    assert found["one_batch"]["rows"] == 32
    assert found["one_batch"]["without_gradient"] == []
    assert (found["estimate"]["epochs"], found["estimate"]["steps"]) == (2, 10)
    assert found["estimate"]["disk"] > 100_000
    assert found["estimate"]["memory"] > 100_000_000
    assert "task" in {each["what"] for each in found["decisions"]}


def test_quiet_says_warnings_only_and_strict_makes_them_an_error(mltrain, table):
    columns = numbers()
    columns["copy"] = columns["x0"]
    path = table({**columns, "y": columns["x0"]})  # the answer is a column: the audit warns
    done = mltrain("check", path, "--quiet")
    assert done.code == 0
    assert {line.split()[0] for line in done.out.splitlines()} == {"warning"}
    strict = mltrain("check", path, "--strict")
    assert strict.code == 10
    assert strict.err == f"error: {path}: the check found a warning, and --strict makes that an error\n"
    for_programs = mltrain("check", path, "--strict", "--json")
    assert for_programs.code == 10
    assert warnings(json.loads(for_programs.out))
    assert mltrain("check", table({**numbers(), "y": np.arange(200) % 2}), "--quiet").out == ""


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (["--set", "training.epoch=2"], 3, "--set #1: training.epoch: unknown key"),
        (
            ["--set", "model={type: sequential, layers: [{type: Conv2D, filters: 2, kernel_size: 3}]}"],
            3,
            "--set #1: model.layers[0]: ",
        ),
        (["--set", "data.source={type: csv, path: no.csv}"], 4, "no.csv"),
        (["--set", "device=gpu"], 12, "no GPU found"),
        (["--set", "training.optimizer={type: SGD, learning_rate: 1e30}"], 8, "training diverged: "),
    ],
    ids=["a wrong key", "wrong layers", "no data", "no device", "an exploding learning rate"],
)
def test_it_ends_as_a_training_would(mltrain, config, monkeypatch, change, code, said):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    done = mltrain("check", config(), *change)
    assert done.code == code, done.err
    assert said in done.err
    for_programs = mltrain("check", config(), *change, "--json")
    assert for_programs.code == code
    assert json.loads(for_programs.out)["error"]["exit_code"] == code


def test_wrong_layers_are_said_at_their_line(mltrain, config):
    done = mltrain("check", config(model="model: {type: sequential, layers: [{type: Reshape, target_shape: [7]}]}"))
    assert done.code == 3
    assert re.match(r"\S*config.yaml:6:\d+: model.layers\[0\]: ", done.err.splitlines()[0]), done.err


def test_a_training_after_a_check_is_the_same_as_without_one(mltrain, config, tmp_path):
    path = config()
    histories = []
    for name, before in (("a", False), ("b", True)):
        if before:
            assert mltrain("check", path).code == 0
        assert mltrain("train", path, "--run-dir", name, "--quiet").code == 0
        rows = (tmp_path / name / "history.csv").read_text().splitlines()
        histories.append([row.rpartition(",")[0] for row in rows])
    assert histories[0] == histories[1]


def test_contradictory_rows_cannot_be_learned_by_heart(mltrain, table):
    half = {name: np.tile(values[:20], 5) for name, values in numbers().items()}
    path = table({**half, "y": np.repeat([0, 1, 0, 1, 1], 20)}, data="  split: none\n")
    found = checked(mltrain, path)
    line = line_of(found, "one batch")
    assert line["verdict"] == "warning"
    assert found["one_batch"]["contradictory"] > 5
    assert f"{found['one_batch']['contradictory']} of the 32 rows are equal to another one" in line["advice"]
    assert found["one_batch"]["share"] > 0.1


def test_a_learning_rate_that_is_much_too_small_is_named_with_a_better_one(mltrain, table):
    columns = numbers()
    path = table(
        {**columns, "y": columns["x0"] * columns["x1"]}, training="optimizer: {type: SGD, learning_rate: 1e-4}"
    )
    line = line_of(checked(mltrain, path), "one batch")
    assert line["verdict"] == "warning"
    assert "learning rate" in line["advice"]
    assert "small" in line["advice"]


def test_a_learning_rate_that_is_too_large_is_named(mltrain, table):
    columns = numbers()
    path = table(
        {**columns, "y": columns["x0"] * columns["x1"]}, training="optimizer: {type: Adam, learning_rate: 3}, epochs: 3"
    )
    line = line_of(checked(mltrain, path), "one batch")
    assert line["verdict"] == "warning"
    assert "large" in line["advice"]


def test_a_unit_that_is_dead_for_every_row_gets_no_gradient(mltrain, table):
    layers = "{type: Dense, units: 4, activation: relu, name: dead, bias_initializer: {type: Constant, value: -100}}"
    columns = numbers()
    path = table({**columns, "y": columns["x0"] - 5}, model=f"model: {{type: sequential, layers: [{layers}]}}")
    found = checked(mltrain, path)
    line = line_of(found, "gradients")
    assert line["verdict"] == "warning"
    assert found["one_batch"]["without_gradient"][:2] == ["model/dead/kernel", "model/dead/bias"]
    assert "dead/kernel" in line["seen"]


def test_a_regularisation_that_is_too_strong_is_named(mltrain, table):
    columns = numbers()
    path = table(
        {**columns, "y": columns["x0"] * columns["x1"]},
        model="model: {type: mlp, units: [32], kernel_regularizer: {type: L2, l2: 10}}",
        training="optimizer: {type: Adam, learning_rate: 0.01}",
    )
    line = line_of(checked(mltrain, path), "one batch")
    assert line["verdict"] == "warning"
    assert "regularisation adds" in line["advice"]


def test_inputs_that_are_not_scaled_begin_far_above_chance(mltrain, table):
    columns = {name: 1000 * values for name, values in numbers().items()}
    path = table({**columns, "y": (columns["x0"] > 0).astype(int)}, data="  scale: none\n")
    line = line_of(checked(mltrain, path), "first loss")
    assert line["verdict"] == "warning"
    assert "data.scale" in line["advice"]


def test_a_batch_that_is_larger_than_the_rows_is_one_step_an_epoch(mltrain, config):
    found = checked(mltrain, config(batch_size="  batch_size: 1000000"))
    line = line_of(found, "time")
    assert (line["verdict"], found["estimate"]["steps"]) == ("note", 2)
    assert "1,000,000" in line["advice"]


@pytest.mark.parametrize("rows", [1, 2])
def test_a_row_or_two_are_checked_too(mltrain, table, rows):
    found = checked(
        mltrain, table({"x": np.arange(rows), "y": np.arange(rows) * 2.5}, task="regression", data="  split: none\n")
    )
    assert found["one_batch"]["rows"] == rows


def test_what_may_end_the_training_earlier_is_said(mltrain, config):
    done = mltrain(
        "check",
        config(),
        *("--set", "training.callbacks=[{type: EarlyStopping, patience: 3}]"),
        *("--set", "training.stop_when=validation.accuracy >= 0.9"),
    )
    assert done.code == 0, done.err
    assert "; EarlyStopping and stop_when may end it earlier" in done.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_without_a_traceback(config, tmp_path, number, code):
    command = Path(sys.executable).parent / "mltrain"
    path = config(epochs="  epochs: 1000000")
    process = subprocess.Popen(
        [command, "check", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert "config" in process.stdout.readline()  # TensorFlow is there, and what was built is said
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert "checked in" not in out
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.yaml"]


def test_a_reader_that_leaves_ends_it(shell, config):
    config()
    done = shell("mltrain check config.yaml | true; exit ${PIPESTATUS[0]}")
    assert (done.code, done.err) == (141, "")


@pytest.mark.parametrize(
    "path",
    [
        path if path.stem in ("linear_regression", "forecast_stores") else pytest.param(path, marks=pytest.mark.long)
        for path in sorted(CONFIGS.rglob("*.yaml"))
    ],
    ids=lambda path: path.stem,
)
def test_a_shipped_config_has_no_warning(mltrain, path):
    found = checked(mltrain, path)
    assert warnings(found) == []
    # The pass/fail net learns its twelve rows slowly: their loss still falls when the steps are over.
    assert line_of(found, "one batch")["verdict"] in ("ok", "note")


def write_rows(folder):
    """Write rows with a number, a kind, a count, a text, a weight and a series of pixels."""
    draw = np.random.default_rng(4)
    rows = []
    for _ in range(240):
        area, age = draw.normal(size=2)
        kind = ["boat", "car", "house"][int(np.digitize(area, [-0.5, 0.5]))]
        word = draw.choice(["good", "fine"] if age > 0 else ["bad", "poor"])
        rows.append(
            {
                "area": float(area),
                "age": float(age),
                "price": 3000 + 500 * float(area),
                "kind": kind,
                "liked": "yes" if age > 0 else "no",
                "visits": int(draw.poisson(np.exp(area))),
                "review": f"a {word} {kind} in the {draw.choice(['north', 'south', 'west'])}",
                "counts": float(1 + draw.integers(3)),
            }
        )
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


KINDS = {
    "kinds": (
        "target: [price, kind, liked]\n  features: {visits: ignore, review: ignore, counts: ignore}",
        "model: {type: mlp, units: [32]}",
        "outputs: {price: {weight: 0.5}, liked: {class_weight: balanced}}",
    ),
    "count": (
        "target: visits\n  features: {review: ignore, counts: ignore, liked: ignore, kind: ignore, price: ignore}",
        "model: {type: mlp, units: [64]}",
        "epochs: 3",
    ),
    "weights": (
        "target: kind\n  sample_weight: counts\n  features: {review: ignore, price: ignore}",
        "model: {type: mlp, units: [32]}",
        "class_weight: balanced",
    ),
    "logits": (
        "target: kind\n  features: {review: ignore, price: ignore}",
        "model: {type: sequential, layers: [{type: Dense, units: 32, activation: relu}, {type: Dense, units: 3}]}",
        "loss: {type: SparseCategoricalCrossentropy, from_logits: true}",
    ),
    "several numbers": (
        "target: {columns: [price, age], scale: standard}\n  features: {review: ignore}",
        "model: {type: mlp, units: [32]}",
        "epochs: 3",
    ),
    "text": (
        "target: liked\n  features: {review: text, age: ignore, area: ignore, price: ignore, kind: ignore, "
        "visits: ignore, counts: ignore}",
        "model: {type: transformer}",
        "optimizer: {type: Adam, learning_rate: 0.01}",
    ),
    "text beside a table": (
        "target: liked\n  features: {review: text, age: ignore}",
        "model: {type: fusion}",
        "optimizer: {type: Adam, learning_rate: 0.01}",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_target_and_input_is_checked_without_a_false_alarm(mltrain, tmp_path, kind):
    data, model, training = KINDS[kind]
    write_rows(tmp_path)
    task = "task: count\n" if kind == "count" else ""
    text = f"{task}data:\n  source: {{type: jsonl, path: rows.jsonl}}\n  {data}\n{model}\ntraining: {{{training}}}\n"
    (tmp_path / "config.yaml").write_text(text)
    found = checked(mltrain, "config.yaml")
    assert [each for each in warnings(found) if each[0] != "audit"] == []
    assert found["one_batch"]["share"] < 0.95
    assert found["one_batch"]["without_gradient"] == []
    assert found["first_loss"]["loss"] < 3 * found["first_loss"]["chance"] or kind == "several numbers"


@pytest.mark.long
def test_one_batch_is_learned_by_the_step_of_the_training(mltrain, tmp_path, monkeypatch):
    """Members have a loss each while training: that of their mean would be another training."""
    steps = []
    call = MemberSteps.__call__
    monkeypatch.setattr(MemberSteps, "__call__", lambda self, data: steps.append(1) or call(self, data))
    learned = []
    learn = RepeatedBatch.run
    monkeypatch.setattr(RepeatedBatch, "run", lambda self, count: learned.append(len(steps)) or learn(self, count))
    path = tmp_path / "members.yaml"
    path.write_text(
        "data: {source: {type: synthetic, kind: blobs, rows: 80}}\nmodel: {type: tabular, units: [4], members: 2}\n"
    )
    checked(mltrain, path)
    assert learned[1] > learned[0]  # traced when the batch was learned for the first time
