"""`train --seeds` through the real command: a run for each seed on the same rows, and what they say together."""

import json
import signal
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.stats import t as student

from mltrain.board.server import Folder
from mltrain.comparison.compared_run import read_run
from mltrain.errors import InterruptedRunError
from mltrain.evaluation.seed_means import SeedMeans
from mltrain.run.rundir import RunDirectory
from mltrain.run.split_result import MetricValue
from mltrain.training.signals import Interruption
from tests.conftest import in_process

CONFIG = """\
name: blobs
data:
  source: {type: synthetic, kind: blobs, rows: 90}
  split: {type: random, validation: 0.2, test: 0.3}
model: {type: mlp, units: [4]}
training: {epochs: 3, batch_size: 16, optimizer: {type: Adam, learning_rate: 0.05}}
evaluation:
  metrics: [accuracy, f1, log_loss]
  gates: [test.accuracy > 0.1, test.log_loss.std < 0, folds.f1 > 0, (test.accuracy - majority).low > -9]
"""
# As `train` makes it: what is not of a time or a place.
SAME = ("config.yaml", "preprocessing.json", "metrics.json", "splits/test.npy", "predictions/test.predictions.npy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three seeds in `runs`."""
    folder = tmp_path_factory.mktemp("seeds")
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--seeds", 3, "--junit", "gates.xml")
    assert done.code == 10, done.err
    (folder / "out.txt").write_text(done.out)
    (folder / "err.txt").write_text(done.err)
    return folder


@pytest.fixture
def seeds(folder):
    """The folder of its runs."""
    (found,) = (folder / "runs" / "blobs").iterdir()
    return found


@pytest.fixture
def found(seeds):
    return json.loads((seeds / "seeds.json").read_text())


def runs(seeds):
    return [RunDirectory(seeds / f"seed-{seed}") for seed in (42, 43, 44)]


def test_only_the_training_differs(folder, seeds):
    assert (folder / "out.txt").read_text() == f"{seeds}\n"
    first, *others = runs(seeds)
    for run in others:
        for split, rows in run.splits().items():
            np.testing.assert_array_equal(rows, first.splits()[split])
        assert run.record().data.sha256 == first.record().data.sha256
        assert run.predictions("test").values.tobytes() != first.predictions("test").values.tobytes()
    assert [run.record().seeds["experiment"] for run in runs(seeds)] == [42, 43, 44]


def test_a_seed_is_what_train_makes_of_it(folder, seeds):
    stated = ("seed=43", "data.split.seed=42", "data.source.seed=42")
    done = in_process(
        folder, "train", "config.yaml", "--run-dir", "one", *(part for each in stated for part in ("--set", each))
    )
    assert done.code == 0, done.err
    assert "only and were skipped: folds.f1.mean > 0\n" in done.err
    assert "apply to `mltrain train --seeds` only and were skipped: test.log_loss.std < 0\n" in done.err
    for name in SAME:
        assert (folder / "one" / name).read_bytes() == (seeds / "seed-43" / name).read_bytes(), name


@pytest.mark.parametrize("name", ["log_loss", "loss"])
def test_the_mean_has_the_interval_of_t(seeds, found, name):
    parts = [run.results().splits for run in runs(seeds)]
    for split in ("train", "validation", "test"):
        values = [part[split].metrics[name].value for part in parts]
        half = student.ppf(0.975, 2) * np.std(values, ddof=1) / np.sqrt(3)
        low = max(np.mean(values) - half, 0.0)  # neither is below 0
        expected = [np.mean(values), np.std(values, ddof=1), low, np.mean(values) + half, min(values), max(values)]
        mean = found["splits"][split]["metrics"][name]
        assert [mean[name] for name in ("value", "std", "low", "high", "min", "max")] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("loss", "least"),
    [(None, 0.0), ("BinaryCrossentropy", 0.0), ({"type": "MeanSquaredError"}, 0.0), ({"type": "Poisson"}, None)],
)
def test_the_interval_of_a_loss_ends_where_the_loss_does(seeds, loss, least):
    run = read_run(runs(seeds)[0])
    bounding = replace(run, config={**run.config, "training": {"loss": loss}}).bounding("loss")
    assert (None if bounding is None else bounding.perfect) == least
    values = [MetricValue(value=value) for value in (0.01, 0.5)]
    assert (SeedMeans((1, 2), lambda name: bounding).value(values, "loss").low == 0) is (least == 0)
    assert SeedMeans((1, 2), lambda name: bounding).value([MetricValue(value=-1.0), *values[1:]], "loss").low < -1


def test_the_best_seed_and_the_worst(seeds, found):
    values = [run.results().splits["test"].metrics["log_loss"].value for run in runs(seeds)]
    assert found["metric"] == "test.log_loss"
    assert [each["seed"] for each in found["seeds"]] == [42, 43, 44]
    assert found["best"] == {"seed": 42 + int(np.argmin(values)), "value": min(values)}
    assert found["worst"] == {"seed": 42 + int(np.argmax(values)), "value": max(values)}


def test_gates_are_judged_by_the_means(folder, seeds, found):
    said = (folder / "err.txt").read_text()
    assert [(each["gate"], each["passed"]) for each in found["gates"]] == [
        ("test.accuracy > 0.1", True),
        ("test.log_loss.std < 0", False),
        ("(test.accuracy - majority).low > -9", True),
    ]
    accuracy = np.mean([run.results().splits["test"].metrics["accuracy"].value for run in runs(seeds)])
    assert found["gates"][0]["value"] == pytest.approx(accuracy)
    assert "error: 1 of 3 gates missed: test.log_loss.std < 0" in said
    assert "these gates apply to `mltrain cross-validate` only and were skipped: folds.f1.mean > 0" in said
    root = ElementTree.parse(folder / "gates.xml").getroot()  # noqa: S314 (our own)
    assert (root[0].attrib["tests"], root[0].attrib["failures"]) == ("3", "1")


def test_the_folder_can_be_shown_and_its_runs_are_runs(folder, seeds, found):
    shown = in_process(folder, "show", seeds)
    assert shown.code == 0
    assert shown.out.strip() in (folder / "err.txt").read_text()
    assert "over 3 seeds the mean test.log_loss is " in shown.out
    assert "these intervals cover chance in the training, on the same 27 test rows" in shown.out
    assert json.loads(in_process(folder, "show", seeds, "--json").out) == found
    assert in_process(folder, "show", "latest").out.startswith("run       runs/blobs/seeds-")
    addresses = ["/".join(address) for address in Folder(folder / "runs").runs()]
    assert addresses == [f"blobs/{seeds.name}/seed-{seed}" for seed in (42, 43, 44)]
    done = in_process(folder, "evaluate", seeds)
    assert done.code == 5
    assert f"is a folder of runs, and one run is needed: name one of its 3 runs, such as {seeds}/seed-42" in done.err
    assert "| 95 % low |" in (seeds / "seeds.md").read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "seeds.json: format: Input should be 1"),
        ({"seeds": []}, "seeds.json: seeds: "),
        ({"metric": "test.../f1"}, "'test.../f1' is not among the metrics"),
        ({"seeds": [{"seed": 1, "run": "seed-2", "metrics": {}}] * 2}, "'seed-2' is not the run of seed 1"),
        ({"seeds": [{"seed": 1, "run": "seed-1", "metrics": {}}] * 2}, "a seed is listed twice"),
    ],
)
def test_forged_results_are_refused(folder, found, change, said, tmp_path):
    (tmp_path / "seeds.json").write_text(json.dumps(found | change))
    for command in (("show", tmp_path), ("compare", tmp_path, tmp_path)):
        done = in_process(folder, *command)
        assert done.code == 5
        assert said in done.err


def test_what_is_interrupted_continues_to_the_same_results(folder, seeds, tmp_path, monkeypatch):
    seen = 0

    def raise_if_received(self):
        nonlocal seen
        seen += (tmp_path / "all" / "seed-43" / "history.csv").exists()
        if seen == 1:
            raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

    monkeypatch.setattr(Interruption, "raise_if_received", raise_if_received)
    command = ("train", "config.yaml", "--seeds", "42,43,44", "--run-dir", tmp_path / "all", "--quiet")
    done = in_process(folder, *command)
    assert done.code == 143
    assert "; 1 of 3 seeds are finished; continue with `mltrain train … --seeds 42,43,44 --run-dir" in done.err
    monkeypatch.undo()
    monkeypatch.delenv("KERAS_BACKEND", raising=False)  # as in another process, which has not imported TensorFlow yet
    assert not (tmp_path / "all" / "seeds.json").exists()
    assert in_process(folder, *command).code == 6  # not empty
    first = (tmp_path / "all" / "seed-42" / "status.json").read_bytes()
    done = in_process(folder, *command, "--resume", "--json")
    assert done.code == 10
    assert json.loads(done.out)["folder"] == str(tmp_path / "all")
    assert (tmp_path / "all" / "seed-42" / "status.json").read_bytes() == first
    assert json.loads((tmp_path / "all" / "seed-43" / "record.json").read_text())["resumed"]
    for name in ("seeds.json", "seeds.md", *(f"seed-{seed}/{name}" for seed in (43, 44) for name in SAME)):
        assert (tmp_path / "all" / name).read_bytes() == (seeds / name).read_bytes(), name
    done = in_process(folder, *command, "--resume", "--set", "training.batch_size=8")
    assert done.code == 5
    assert "seed-42: is finished, with another config: training.batch_size: 16 became 8" in done.err
    done = in_process(folder, *command, "--resume", "--seeds", 2)
    assert done.code == 5
    assert "seed-44: this seed is not one of those that are asked for" in done.err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--seeds", "1"], 2, "expected a number from 2 to 1,000, received 1; a spread needs at least two seeds"),
        (["--seeds", "0"], 2, "received 0"),
        (["--seeds", "-3"], 2, "expected a number of seeds (5) or a list of seeds (1,2,3), received '-3'"),
        (["--seeds", "1,,2"], 2, "received '1,,2'"),
        (["--seeds", "7,8,7"], 2, "7 is listed twice"),
        (["--seeds", "1,4294967296"], 2, "a seed is at most 4294967295"),
        (["--seeds", "2", "--against", "run"], 2, "--seeds and --against were both given"),
        (["--seeds", "2", "--resume"], 2, "--resume needs --run-dir: the folder of seeds to start or to resume"),
        (["--seeds", "2", "--run-dir", "a", "--runs-dir", "b"], 2, "--runs-dir and --run-dir were both given"),
        (["--seeds", "2", "--junit", "x.xml"], 2, "--junit needs a gate"),
        (["--seeds", "2", "--metric", "f1"], 2, "--tolerance and --metric need --against RUN"),
        (["--seeds", "2", "--gate", "test.acuracy.std > 0"], 3, "'acuracy' will not be measured"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(mltrain, config, tmp_path, options, code, said):
    done = mltrain("train", config(), *options)
    assert done.code == code
    assert said in done.err.splitlines()[0] + done.err.splitlines()[-1]
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml"}


def test_a_run_is_not_a_folder_of_seeds(mltrain, config, small_run):
    done = mltrain("train", config(), "--seeds", 2, "--run-dir", small_run, "--resume")
    assert done.code == 6
    assert "is the directory of one run, not of a training with several seeds" in done.err


@pytest.mark.long
def test_targets_of_different_kinds_have_means_and_gates(mltrain, tmp_path):
    rows = "".join(f"{row},{row * 2.5},{'ny'[row % 3 > 0]}\n" for row in range(60))
    (tmp_path / "d.csv").write_text(f"x,price,sold\n{rows}")
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: d.csv}, target: [price, sold]}\n"
        "model: {type: mlp, units: [4]}\ntraining: {epochs: 1}\n"
        "evaluation: {gates: [test.mae(price).min > 0, (test.accuracy(sold) - majority).low > -9]}\n"
    )
    done = mltrain("train", "config.yaml", "--seeds", 2, "--run-dir", "all", "--quiet")
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "all" / "seeds.json").read_text())
    assert [each["passed"] for each in found["gates"]] == [True, True]
    assert found["splits"]["test"]["metrics"]["accuracy(sold)"]["high"] <= 1.0
    assert found["splits"]["test"]["outputs"]["price"]["metrics"]["mae"]["std"] > 0
    done = mltrain("compare", "all", "all/seed-42", "--sort", "test.mae(price)", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["pairs"][0]["seeds"]["way"] == "one run"


@pytest.mark.long
def test_the_last_seed_is_followed_by_the_first(mltrain, config):
    text = config(split="  target: y", source="  source: {type: csv, path: d.csv}").read_text()
    folder = config().parent
    (folder / "d.csv").write_text("x,y\n" + "".join(f"{row},{row * 2.5}\n" for row in range(40)))
    (folder / "config.yaml").write_text(text)
    command = ("train", "config.yaml", "--seeds", "2", "--set", "seed=4294967295", "--run-dir", "all", "--quiet")
    done = mltrain(*command)
    assert done.code == 0, done.err
    assert {path.name for path in (folder / "all").glob("seed-*")} == {"seed-4294967295", "seed-0"}
    status = (folder / "all" / "seed-0" / "status.json").read_bytes()
    more = ("train", "config.yaml", "--seeds", "3", *command[4:], "--resume")
    assert mltrain(*more).code == 0  # another seed beside the two
    assert (folder / "all" / "seed-0" / "status.json").read_bytes() == status
    found = json.loads((folder / "all" / "seeds.json").read_text())
    assert [each["seed"] for each in found["seeds"]] == [4294967295, 0, 1]
    splits = [RunDirectory(folder / "all" / name).splits() for name in ("seed-1", "seed-4294967295")]
    for split in splits[0]:  # the config has no split, and it stays that of its own seed
        np.testing.assert_array_equal(splits[0][split], splits[1][split])
