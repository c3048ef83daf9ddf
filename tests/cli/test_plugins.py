"""`--plugin` and metrics of installed packages, through the commands: from a training to every reader of its run."""

import json
import shutil
import sys

import pytest

from tests.conftest import SMALL, in_process

PLUGIN = '''\
import numpy as np
from mltrain import metric

print("loaded")

@metric("binary", direction="min", takes="classes", of_rows=True, best=0.0)
def my_cost(target, classes):
    """What a decision costs."""
    return np.where(target == 1, 5.0 * (classes == 0), 1.0 * (classes == 1))

@metric("binary", direction="max", takes="classes", worst=0.0, best=1.0)
def f2(target, classes):
    """F-beta with beta 2."""
    found = np.sum((target == 1) & (classes == 1))
    return 5 * found / (4 * np.sum(target == 1) + np.sum(classes == 1))
'''
BINARY = SMALL.replace("kind: blobs", "kind: moons")
CONFIG = (
    BINARY.replace("rows: 60", "rows: 200").replace("rate: 0.01", "rate: 0.05")
    + """\
  callbacks: [{type: EarlyStopping, patience: 5}]
objective: {metric: validation.my_cost}
evaluation:
  metrics: [my_cost, f2, accuracy]
  slices: [{column: x1, bins: 2}]
  gates: [test.my_cost.low >= 0, "(test.f2 - majority).high > -1"]
"""
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "costs.py").write_text(PLUGIN)
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--plugin", "costs.py", "--run-dir", "run")
    assert done.code == 0, done.err
    assert done.out == f"{folder / 'run'}\n"
    return folder


@pytest.fixture
def folder(trained, tmp_path):
    return shutil.copytree(trained, tmp_path, dirs_exist_ok=True)


def read(path):
    return json.loads(path.read_text())


def test_it_works_wherever_metrics_do(trained):
    results = read(trained / "run" / "metrics.json")
    assert results["objective"]["metric"] == "validation.my_cost"
    assert results["objective"]["direction"] == "min"
    test = results["splits"]["test"]
    for name in ("my_cost", "f2"):
        assert test["metrics"][name]["low"] <= test["metrics"][name]["value"] <= test["metrics"][name]["high"]
        assert test["baselines"]["majority"]["difference"][name]["low"] is not None
        assert all(name in part["metrics"] for part in test["slices"])
    assert any("my_cost" in sentence for sentence in results["baseline_sentences"])
    assert all(gate["passed"] for gate in results["gates"])
    assert "validation.f2" in (trained / "run" / "history.csv").read_text().splitlines()[0]
    assert "my_cost" in (trained / "run" / "report.html").read_text()
    own = read(trained / "run" / "record.json")["own_metrics"]
    assert own["my_cost"]["direction"] == "min"
    assert own["f2"]["origin"]["plugin"] == "costs.py"
    assert len(own["f2"]["origin"]["sha256"]) == 64


@pytest.mark.parametrize("command", [["evaluate"], ["reproduce"], ["resume", "--epochs", "9"]], ids=" ".join)
def test_without_the_plugin_it_is_named(folder, command):
    done = in_process(folder, command[0], "run", *command[1:])
    assert done.code == 12
    assert done.err.startswith("error: metric my_cost is one of costs.py (sha256 ")
    assert done.err.endswith("): give it with --plugin costs.py\n")


def test_what_does_not_measure_needs_no_plugin(folder):
    (folder / "new.csv").write_text("x1,x2\n0.5,0.5\n")
    for command in (["predict", "run", "new.csv"], ["show", "run"], ["report", "run"]):
        done = in_process(folder, *command)
        assert done.code == 0, done.err


def test_with_the_plugin_the_numbers_are_the_same_and_a_changed_one_is_said(folder):
    done = in_process(folder, "evaluate", "run", "--plugin", "costs.py", "--json")
    assert done.code == 0, done.err
    found, before = json.loads(done.out), read(folder / "run" / "metrics.json")
    assert found["splits"]["test"]["metrics"] == before["splits"]["test"]["metrics"]
    assert "plugin_sentences" not in found
    (folder / "costs.py").write_text(PLUGIN.replace("5.0 *", "7.0 *"))
    done = in_process(folder, "evaluate", "run", "--plugin", "costs.py")
    assert done.code == 0
    assert "my_cost is measured by costs.py (sha256 " in done.err
    done = in_process(folder, "resume", "run", "--epochs", "9", "--plugin", "costs.py", "--quiet")
    assert done.code == 5
    assert "own_metrics.my_cost: costs.py (sha256 " in done.err


def test_it_is_reproduced(folder):
    done = in_process(folder, "reproduce", "run", "--plugin", "costs.py", "--run-dir", "again", "--quiet")
    assert done.code == 0, done.err
    assert "identical" in done.out


def test_compare_pairs_with_the_plugin_and_says_what_is_missing_without(folder):
    shutil.copytree(folder / "run", folder / "other")
    done = in_process(folder, "compare", "run", "other", "--json")
    assert done.code == 0, done.err
    (pair,) = json.loads(done.out)["pairs"]
    assert pair["metric"] == "test.my_cost"
    assert pair["why_not_paired"].endswith("give it with --plugin costs.py")
    done = in_process(folder, "compare", "run", "other", "--json", "--plugin", "costs.py")
    assert json.loads(done.out)["pairs"][0]["verdict"] == "equal"


def test_it_is_listed_and_in_the_schema(folder):
    listed = in_process(folder, "list", "metric", "my_cost", "--plugin", "costs.py")
    assert "What a decision costs." in listed.out
    assert '"my_cost"' in in_process(folder, "schema", "--plugin", "costs.py").out
    # A second command of the process has none of the plugins of the first.
    assert '"my_cost"' not in in_process(folder, "schema").out
    done = in_process(folder, "validate", "config.yaml")
    assert done.code == 3
    assert "unknown metric 'my_cost'" in done.err
    assert "one of your own comes with --plugin FILE.py" in done.err


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, 2, "--plugin costs.py: cannot be read: No such file or directory"),
        ("x = 1\n", 12, "--plugin costs.py: it defines no component; write a class"),
        ("x = 1\nx = = 2\n", 12, "--plugin costs.py: costs.py:2: SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(0)\n", 12, "--plugin costs.py: costs.py:2: SystemExit: 0"),
        (PLUGIN.replace("direction=", "better="), 12, "costs.py:6: TypeError: "),
        (PLUGIN.replace("def f2", "def f1"), 12, "has the name of mltrain's own metric f1"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_one_line(folder, text, code, said):
    (folder / "costs.py").unlink() if text is None else (folder / "costs.py").write_text(text)
    done = in_process(folder, "validate", "config.yaml", "--plugin", "costs.py")
    assert done.code == code
    assert said in done.err
    assert done.err.replace("loaded\n", "").count("\n") == 1


def test_a_metric_that_fails_ends_the_training_in_one_line(folder):
    (folder / "costs.py").write_text(PLUGIN.replace("return 5 * found", "found = target.nothing\n    return found"))
    done = in_process(folder, "train", "config.yaml", "--plugin", "costs.py", "--run-dir", "bad", "--quiet")
    assert done.code == 12
    said = "metric f2: costs.py:15: AttributeError: 'numpy.ndarray' object has no attribute 'nothing'"
    assert done.err.splitlines()[-1] == f"error: {said}"
    assert read(folder / "bad" / "status.json")["exit_code"] == 12


def test_a_metric_that_is_a_matter_of_chance_is_found_out(folder):
    text = PLUGIN.replace("return 5 * found", "found = np.random.default_rng().random()\n    return found")
    (folder / "costs.py").write_text(text.split(" / (4 *")[0] + "\n")
    done = in_process(folder, "train", "config.yaml", "--plugin", "costs.py", "--run-dir", "bad", "--quiet")
    assert done.code == 12
    assert "for the same rows: it must follow from its arguments alone" in done.err


def contents(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_an_installed_package_is_imported_only_where_its_metric_is_named(folder, monkeypatch):
    (folder / "site").mkdir()
    (folder / "site" / "acme_metrics.py").write_text(PLUGIN)
    information = folder / "site" / "acme-1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.2\n")
    entries = ("my_cost = acme_metrics:my_cost", "f2 = acme_metrics:my_cost")
    (information / "entry_points.txt").write_text("\n".join(["[mltrain.metrics]", *entries, ""]))
    monkeypatch.syspath_prepend(str(folder / "site"))
    (folder / "plain.yaml").write_text(BINARY)
    (folder / "own.yaml").write_text(BINARY + "evaluation: {metrics: [my_cost]}\n")
    assert in_process(folder, "validate", "plain.yaml").code == 0
    assert "my_cost" in in_process(folder, "list", "metric").out
    assert "acme_metrics" not in sys.modules
    try:
        done = in_process(folder, "train", "own.yaml", "--run-dir", "packaged", "--quiet")
        assert done.code == 0, done.err
        origin = read(folder / "packaged" / "record.json")["own_metrics"]["my_cost"]["origin"]
        assert (origin["plugin"], origin["version"], len(origin["sha256"])) == ("acme", "1.2", 64)
        assert in_process(folder, "evaluate", "packaged").code == 0
        done = in_process(folder, "validate", "config.yaml")
        assert done.code == 12
        assert "metric f2 of the package acme: acme_metrics:my_cost is the metric my_cost" in done.err
    finally:
        sys.modules.pop("acme_metrics", None)
    monkeypatch.undo()
    done = in_process(folder, "evaluate", "packaged")
    assert done.code == 12
    assert done.err.endswith("): install acme\n")
    # Nor can it be resumed, and the run stays as it is: finished, or interrupted before its last epoch.
    status = folder / "packaged" / "status.json"
    for text in (status.read_text(), status.read_text().replace('"finished"', '"interrupted"')):
        status.write_text(text)
        before = contents(folder / "packaged")
        for options in (("--epochs", "9"), ("--epochs", "9", "--allow-inexact"))[: 1 + ("interrupted" in text)]:
            done = in_process(folder, "resume", "packaged", *options, "--quiet")
            assert done.code == 12, done.err
            assert done.err.endswith("): install acme\n")
            assert contents(folder / "packaged") == before
