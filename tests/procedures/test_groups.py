"""Rows that belong together, through the real commands: one split each, and drawn together for every interval."""

import csv
import json
import random
from dataclasses import asdict

import numpy as np
import pytest

from mltrain.data.preparation import prepare
from mltrain.evaluation.baselines import constant_baseline, linear_baseline
from mltrain.evaluation.catalogue import Accuracy, LogLoss
from mltrain.evaluation.differences import paired_difference
from mltrain.evaluation.importance import importance
from mltrain.evaluation.intervals import intervals
from mltrain.evaluation.several import rows_of
from mltrain.evaluation.split_results import draw_seed
from mltrain.procedures.explanation import importance as measurement
from mltrain.procedures.stored_model import resolved_spec
from mltrain.run.rundir import RunDirectory
from tests.conftest import in_process

pytestmark = pytest.mark.long

CONFIG = """\
version: 1
name: patients
data:
  source: {type: csv, path: patients.csv}
  target: sick
  split: {type: group, column: patient, validation: 0.25, test: 0.25}
model: {type: mlp, units: [4]}
training: {epochs: 2, batch_size: 32}
evaluation: {metrics: [accuracy, f1, roc_auc, log_loss], slices: [ward]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three runs: by patient, by patient with another seed of the weights, and by a hash of the patient."""
    folder = tmp_path_factory.mktemp("groups")
    (folder / "config.yaml").write_text(CONFIG)
    generator = random.Random(0)
    with (folder / "patients.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["patient", "ward", "size", "weight", "sick"])
        for patient in range(60):
            shift, ward = generator.gauss(0, 1), generator.choice("ab")
            for _ in range(8):  # nearly the same row: eight of them say hardly more than one
                size = shift + generator.gauss(0, 0.05)
                table.writerow([f"p{patient:03}", ward, size, generator.gauss(0, 0.1), "ny"[shift > 0.3]])
    runs = {
        "group": (),
        "seed": ("--set", "data.split.seed=42", "--set", "seed=1"),
        "hash": ("--set", "data.split={type: hash, columns: [patient]}"),
    }
    for name, more in runs.items():
        outcome = in_process(folder, "train", "config.yaml", "--run-dir", name, *more)
        assert outcome.code == 0, outcome.err
    return folder


def metrics(folder, run="group"):
    return json.loads((folder / run / "metrics.json").read_text())


@pytest.mark.parametrize("run", ["group", "hash"])
def test_no_patient_is_in_two_splits_and_patient_is_no_feature(folder, run):
    with (folder / "patients.csv").open() as file:
        patients = np.array([row["patient"] for row in csv.DictReader(file)])
    parts = [set(patients[rows]) for rows in RunDirectory(folder / run).splits().values()]
    assert len(parts) == 3
    assert sum(map(len, parts)) == 60 == len(set.union(*parts))
    columns = [each["column"] for each in RunDirectory(folder / run).preprocessing()["columns"]]
    assert columns == ["ward", "size", "weight"]


@pytest.mark.parametrize("run", ["group", "hash"])
def test_intervals_are_those_of_groups_and_say_so(folder, run):
    test = metrics(folder, run)["splits"]["test"]
    stored = RunDirectory(folder / run).predictions("test")
    assert test["groups"] == {"columns": ["patient"], "n": len(np.unique(stored.groups))}
    rows = rows_of("binary", stored.target, stored.values, ("n", "y"))
    plain = intervals((Accuracy(), LogLoss()), rows, seed=0)
    for name in ("accuracy", "log_loss"):
        assert plain[name].high - plain[name].low < 0.6 * (test["metrics"][name]["high"] - test["metrics"][name]["low"])
    groups = test["groups"]["n"]
    said = f"the intervals are computed from {groups} groups: rows with the same 'patient' are drawn together"
    assert said in in_process(folder, "show", run).out
    assert said.replace("'", "&#x27;") in (folder / run / "report.html").read_text()


def test_a_slice_of_a_few_groups_is_too_few_rows_to_tell(folder):
    test = metrics(folder)["splits"]["test"]
    assert test["groups"]["n"] < 20 < test["slices"][0]["n"]
    assert all(each["few_rows"] for each in test["slices"])


def test_the_importance_of_a_column_is_told_by_groups(folder, monkeypatch):
    size = _importance_of_size(folder)
    monkeypatch.setattr(measurement, "importance", lambda *arguments: importance(*arguments[:3]))
    alone = _importance_of_size(folder)
    assert size["value"] == alone["value"]
    assert size["high"] - size["low"] > 1.5 * (alone["high"] - alone["low"])


def _importance_of_size(folder):
    explained = json.loads(in_process(folder, "explain", "group", "--json").out)
    (size,) = (each for each in explained["importance"]["columns"] if each["column"] == "size")
    return size


def test_evaluate_gives_the_same_numbers_and_intervals(folder):
    trained = metrics(folder)["splits"]["test"]
    measured = json.loads(in_process(folder, "evaluate", "group", "--json").out)["splits"]["test"]
    assert measured == {name: value for name, value in trained.items() if name != "baselines"}


def test_chance_baselines_and_comparison_are_of_groups(folder):
    found = metrics(folder)
    groups = found["splits"]["test"]["groups"]["n"]
    assert f"by resampling {groups} groups" in found["chance"]["sentence"]
    pair = json.loads(in_process(folder, "compare", "group", "seed", "--json").out)["pairs"][0]["paired"]
    assert pair["groups"] == groups
    majority = found["splits"]["test"]["baselines"]["majority"]["difference"]["accuracy"]
    logistic = found["splits"]["test"]["baselines"]["logistic"]["difference"]["log_loss"]
    assert (majority, logistic) == differences(folder)


def differences(folder):
    """The differences to both baselines, measured once more with the groups of the file."""
    spec = resolved_spec(RunDirectory(folder / "group"))
    prepared = prepare(spec.data, spec.seed, spec.task)
    train, test = prepared.examples["train"], prepared.examples["test"]
    stored = RunDirectory(folder / "group").predictions("test")
    constant = constant_baseline(prepared.info, train.truth).predict(test.inputs)
    linear = linear_baseline(prepared.info, train.inputs, train.truth, spec.seed).predict(test.inputs)
    a, b = (((values > 0.5) == test.truth).astype(float) for values in (stored.values, constant))
    options = {"seed": draw_seed(spec.seed, "test"), "groups": stored.groups}
    found = (
        paired_difference(
            Accuracy(), *(rows_of("binary", np.ones(len(a)), each, ("wrong", "right")) for each in (a, b)), **options
        ),
        paired_difference(
            LogLoss(), *(rows_of("binary", test.truth, each, ("n", "y")) for each in (stored.values, linear)), **options
        ),
    )
    return tuple(map(asdict, found))


def test_other_rows_without_the_column_are_measured_and_said_to_be_ungrouped(folder):
    with (folder / "patients.csv").open() as file, (folder / "other.csv").open("w", newline="") as other:
        csv.writer(other).writerows(row[1:] for row in csv.reader(file))
    outcome = in_process(folder, "evaluate", "group", "--data", "other.csv")
    assert "no column 'patient': the intervals treat all rows as independent" in outcome.err
    outcome = in_process(folder, "evaluate", "group", "--data", "patients.csv")
    assert "the intervals are computed from 60 groups" in outcome.err


@pytest.mark.parametrize(
    "forged", [np.zeros(3, np.int64), np.array([-1]), np.array([0.5]), np.array([[1]]), np.array(["a"])]
)
def test_a_forged_file_of_groups_is_refused(folder, forged):
    path = folder / "seed/predictions/test.groups.npy"
    kept = path.read_bytes()
    rows = len(np.load(path))
    try:
        np.save(path, forged if len(forged) == 3 else np.repeat(forged, rows, axis=0))
        found = json.loads(in_process(folder, "compare", "group", "seed", "--json").out)["pairs"][0]
    finally:
        path.write_bytes(kept)
    assert found["paired"] is None
    assert "test.groups.npy" in found["why_not_paired"]


def test_a_row_without_a_group_is_an_error_at_its_line(folder):
    text = (folder / "patients.csv").read_text().splitlines()
    text[5] = text[5].replace("p000", "")
    (folder / "gap.csv").write_text("\n".join(text) + "\n")
    outcome = in_process(folder, "train", "config.yaml", "--run-dir", "gap", "--set", "data.source.path=gap.csv")
    assert outcome.code == 4
    assert "gap.csv:6: column 'patient': the value is missing, so the group of this row is unknown" in outcome.err
