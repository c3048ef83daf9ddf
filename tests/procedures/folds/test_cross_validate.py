"""Cross-validation through the real command: a run for each fold, what they say together, and going on."""

import csv
import json
import random
import signal
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.stats import t as student

from mltrain.board.server import Folder, answer
from mltrain.errors import InterruptedRunError, RunError
from mltrain.procedures.folds.results import fold_results
from mltrain.run.run_folder import FOLDS, RunFolder
from mltrain.run.rundir import RunDirectory
from mltrain.training.signals import Interruption
from tests.conftest import in_process

pytestmark = pytest.mark.long

CONFIG = """\
name: patients
data:
  source: {type: csv, path: patients.csv}
  target: sick
  split: {type: kfold, folds: 3, validation: 0.25, group: patient}
model: {type: mlp, units: [4]}
training: {epochs: 3, batch_size: 32, optimizer: {type: Adam, learning_rate: 0.1}}
evaluation:
  metrics: [accuracy, f1, roc_auc, log_loss]
  gates: [test.accuracy > 2, folds.accuracy.low > -9, folds.log_loss < 0]
  threshold: 0.6
"""
ROWS = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cross-validation by patient in `runs`."""
    folder = tmp_path_factory.mktemp("folds")
    (folder / "config.yaml").write_text(CONFIG)
    generator = random.Random(0)
    with (folder / "patients.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["patient", "size", "weight", "sick"])
        for row in range(ROWS):
            size = generator.gauss(row % 30 % 7, 1)
            table.writerow([f"p{row % 30:02}", size, generator.gauss(0, 1), "ny"[size > 3]])
    done = in_process(folder, "cross-validate", "config.yaml", "--junit", "gates.xml")
    assert done.code == 10, done.err
    (folder / "out.txt").write_text(done.out)
    (folder / "err.txt").write_text(done.err)
    return folder


@pytest.fixture
def folds(folder):
    """The folder of its runs."""
    (found,) = (folder / "runs" / "patients").iterdir()
    return found


@pytest.fixture
def found(folds):
    return json.loads((folds / "folds.json").read_text())


def runs(folds):
    return [RunDirectory(folds / f"fold-{fold}") for fold in (1, 2, 3)]


def test_every_row_is_tested_once_and_patients_stay_whole(folder, folds):
    assert (folder / "out.txt").read_text() == f"{folds}\n"
    splits = [run.splits() for run in runs(folds)]
    assert sorted(np.concatenate([each["test"] for each in splits])) == list(range(ROWS))
    for each in splits:
        assert sum(map(len, each.values())) == ROWS
        patients = [set(rows % 30) for rows in each.values()]
        assert sum(map(len, patients)) == 30
    assert (folds / "fold-1" / "preprocessing.json").read_text().count("patient") == 0
    assert runs(folds)[0].results().as_json()["splits"]["test"]["groups"] == {"columns": ["patient"], "n": 10}


def test_everything_is_fitted_on_the_training_rows_of_the_fold(folder, folds):
    with (folder / "patients.csv").open() as file:
        sizes = np.array([float(row["size"]) for row in csv.DictReader(file)])
    for run in runs(folds):
        (size,) = (each for each in run.preprocessing()["columns"] if each["column"] == "size")
        assert size["scaling"]["center"] == pytest.approx(sizes[run.splits()["train"]].mean(), rel=1e-6)


def test_a_fold_is_what_train_makes_of_it(folder, folds):
    done = in_process(folder, "train", "config.yaml", "--run-dir", "one", "--set", "data.split.fold=2")
    assert done.code == 10
    assert "these gates apply to `mltrain cross-validate` only and were skipped: folds.accuracy.low > -9; " in done.err
    assert [each["gate"] for each in json.loads((folder / "one" / "metrics.json").read_text())["gates"]] == [
        "test.accuracy > 2"
    ]
    names = ["config.yaml", "config.resolved.yaml", "preprocessing.json", "metrics.json"]
    names += [f"{part}/{path.name}" for part in ("splits", "predictions") for path in (folder / "one" / part).iterdir()]
    for name in names:
        assert (folder / "one" / name).read_bytes() == (folds / "fold-2" / name).read_bytes(), name


def test_the_means_have_the_corrected_interval(folds, found):
    parts = [run.results().as_json()["splits"] for run in runs(folds)]
    values = [part["test"]["metrics"]["accuracy"]["value"] for part in parts]
    ratio = np.mean([part["test"]["n"] / part["train"]["n"] for part in parts])
    half = student.ppf(0.975, 2) * np.sqrt(np.var(values, ddof=1) * (1 / 3 + ratio))
    accuracy = found["metrics"]["accuracy"]
    ends = np.mean(values) - half, min(np.mean(values) + half, 1.0)  # no accuracy is above 1
    expected = [np.mean(values), np.std(values, ddof=1), *ends, min(values)]
    assert [accuracy[name] for name in ("mean", "std", "low", "high", "min")] == pytest.approx(expected)
    baseline = [part["test"]["baselines"]["majority"]["metrics"]["accuracy"]["value"] for part in parts]
    apart = found["baselines"]["majority"]["difference"]["accuracy"]
    assert apart["mean"] == pytest.approx(np.mean(values) - np.mean(baseline))
    resolved = not apart["low"] <= 0 <= apart["high"]
    assert apart["verdict"] == (("better" if apart["mean"] > 0 else "worse") if resolved else "not resolved")


def test_what_is_pooled_is_of_all_rows_and_no_ranking(folds, found):
    stored = [run.predictions("test") for run in runs(folds)]
    right = np.concatenate([(each.values > 0.6) == each.target for each in stored])
    pooled = found["pooled"]
    assert pooled["n"] == ROWS
    assert pooled["metrics"]["accuracy"]["value"] == pytest.approx(right.mean())
    assert pooled["metrics"].keys() == {"accuracy", "f1", "log_loss"}
    assert "no common ranking" in pooled["left_out"]["roc_auc"]
    assert np.trace(pooled["confusion_matrix"]) == right.sum()


def test_gates_are_judged_of_each_fold_and_of_all(folder, folds, found):
    said = (folder / "err.txt").read_text()
    assert [(each["gate"], each["passed"]) for each in found["gates"]] == [
        *((f"fold {fold}: test.accuracy > 2", False) for fold in (1, 2, 3)),
        ("folds.accuracy.low > -9", True),
        ("folds.log_loss.mean < 0", False),
    ]
    assert "error: 4 of 5 gates missed: fold 1: test.accuracy > 2" in said
    root = ElementTree.parse(folder / "gates.xml").getroot()  # noqa: S314 (our own)
    assert (root[0].attrib["tests"], root[0].attrib["failures"]) == ("5", "4")
    assert found["sentence"] in said
    assert found["sentence"].startswith("over 3 folds the mean test log_loss of ")


def test_a_missed_gate_of_folds_has_its_line(folder, folds, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder))
    done = in_process(folder, "cross-validate", "config.yaml", "--run-dir", folds, "--resume", "--quiet")
    assert done.code == 10
    lines = [line for line in done.err.splitlines() if line.startswith("::")]
    assert lines[0].startswith("::error file=config.yaml,line=10,col=11,title=gate missed::fold 1: test.accuracy > 2")
    assert lines[3].startswith("::error file=config.yaml,line=10,col=55,title=gate missed::folds.log_loss.mean < 0")


def test_the_runs_are_runs_and_the_folder_can_be_shown(folder, folds, found):
    shown = in_process(folder, "show", folds)
    assert shown.code == 0
    assert shown.out.strip() in (folder / "err.txt").read_text()
    assert json.loads(in_process(folder, "show", folds, "--json").out) == found
    assert in_process(folder, "show", "latest").out.startswith("run       runs/patients/folds-")
    assert in_process(folder, "evaluate", folds / "fold-3").code == 0
    board = Folder(folder / "runs")
    addresses = ["/".join(address) for address in board.runs()]
    assert addresses == [f"patients/{folds.name}/fold-{fold}" for fold in (1, 2, 3)]
    pages = ["/", f"/run/{addresses[0]}", f"/file/{addresses[0]}/report.html"]
    assert [answer(board, page).code for page in pages] == [200] * 3
    assert "| 95 % low |" in (folds / "folds.md").read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format 2; this version of mltrain reads format 1"),
        ({"folds": []}, "folds.json: folds: "),
        ({"metric": "../f1"}, "'../f1' is not among the metrics"),
        ({"pooled": {"n": 1, "metrics": {}, "confusion_matrix": [[1]]}}, "is not 2 by 2"),
    ],
)
def test_forged_results_are_refused(folder, folds, found, change, said, tmp_path):
    (tmp_path / "folds.json").write_text(json.dumps(found | change))
    done = in_process(folder, "show", tmp_path)
    assert done.code == 5
    assert said in done.err


def test_runs_that_are_not_of_one_cross_validation_are_refused(folder, folds, tmp_path):
    for fold in (1, 2, 3):
        (tmp_path / f"fold-{fold}").symlink_to(folds / f"fold-{max(fold, 2)}")
    with pytest.raises(RunError, match="the folds do not test every row exactly once"):
        fold_results(RunFolder(tmp_path, FOLDS), 3, ())
    done = in_process(folder, "cross-validate", "config.yaml", "--run-dir", tmp_path, "--resume", "--quiet")
    assert done.code == 5
    assert "fold-1: is finished, with another config: data.split.fold: 2 became 1" in done.err


def test_what_is_interrupted_goes_on_to_the_same_results(folder, folds, tmp_path, monkeypatch):
    seen = 0

    def raise_if_received(self):
        nonlocal seen
        seen += (tmp_path / "cv" / "fold-2" / "history.csv").exists()
        if seen == 1:
            raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

    monkeypatch.setattr(Interruption, "raise_if_received", raise_if_received)
    command = ("cross-validate", "config.yaml", "--run-dir", tmp_path / "cv", "--quiet")
    done = in_process(folder, *command)
    assert done.code == 143
    assert "; 1 of 3 folds are finished; continue with `mltrain cross-validate" in done.err
    monkeypatch.undo()
    monkeypatch.delenv("KERAS_BACKEND", raising=False)  # as in another process, which has not imported TensorFlow yet
    assert not (tmp_path / "cv" / "folds.json").exists()
    assert in_process(folder, *command).code == 6  # not empty
    first = (tmp_path / "cv" / "fold-1" / "status.json").read_bytes()
    assert in_process(folder, *command, "--resume", "--json").code == 10
    assert (tmp_path / "cv" / "fold-1" / "status.json").read_bytes() == first
    assert json.loads((tmp_path / "cv" / "fold-2" / "record.json").read_text())["resumed"]
    assert (tmp_path / "cv" / "folds.json").read_bytes() == (folds / "folds.json").read_bytes()
    done = in_process(folder, *command, "--resume", "--set", "training.batch_size=16")
    assert done.code == 5
    assert "fold-1: is finished, with another config: training.batch_size: 32 became 16" in done.err


def test_a_random_split_becomes_folds_and_so_does_a_group(mltrain, config):
    path = config(source="  source: {type: synthetic, kind: linear, rows: 60}")
    done = mltrain("cross-validate", path, "--folds", 2, "--run-dir", "cv", "--json", "--quiet", "--set", "seed=3")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert [each["rows"] for each in found["folds"]] == [{"train": 24, "validation": 6, "test": 30}] * 2
    stored = [RunDirectory(path.parent / "cv" / each["run"]).predictions("test") for each in found["folds"]]
    errors = np.concatenate([np.abs(each.values - each.target) for each in stored])
    assert found["pooled"]["metrics"]["mae"]["value"] == pytest.approx(errors.mean())
    assert found["pooled"]["confusion_matrix"] == []


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (
            "{type: column, column: x}",
            "config.yaml:5:3: data.split: a split of type column cannot be divided into folds",
        ),
        ("{type: hash, columns: [x]}", "a hash fixes the split of every row"),
        ("{type: time}", "folds would be trained on newer rows than they are tested on"),
        ("none", "no rows are held out; use a split of type kfold, random or group"),
        ("{type: kfold, folds: 3, fold: 4}", "data.split.fold: expected a fold from 1 to 3, received 4"),
        ("{type: kfold, folds: 61}", "config.yaml:5:31: data.split.folds: 61 folds, but"),
    ],
)
def test_what_has_no_folds_is_said_at_its_line(mltrain, config, split, said):
    done = mltrain("cross-validate", config(split=f"  split: {split}"), "--run-dir", "cv", "--quiet")
    assert done.code == 3
    assert said in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--resume"], "--resume needs --run-dir"),
        (["--run-dir", "a", "--runs-dir", "b"], "--runs-dir and --run-dir were both given"),
        (["--junit", "x.xml"], "--junit needs a gate; add --gate"),
        (["--gate", "folds.acuracy > 0"], "'acuracy' will not be measured"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(mltrain, config, tmp_path, options, said):
    done = mltrain("cross-validate", config(), *options)
    assert done.code in (2, 3)
    assert said in done.err
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml"}


def test_a_folder_of_something_else_is_left_alone(mltrain, config, tmp_path):
    (tmp_path / "cv").mkdir()
    (tmp_path / "cv" / "thesis.tex").write_text("")
    done = mltrain("cross-validate", config(), "--run-dir", "cv", "--resume")
    assert done.code == 6
    assert "contains 'thesis.tex', which is not part of a cross-validation" in done.err
