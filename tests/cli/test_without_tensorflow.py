"""What needs no TensorFlow imports none: neither at the top nor on the way."""

import json
import shutil
import sys

import pytest

from tests.board.runs import made_run
from tests.conftest import SMALL, in_process

# Runs a command in a fresh interpreter and says on stderr what it has imported.
PROBE = """
import json, sys
sys.argv = ["mltrain", *json.loads(sys.argv[1])]
from mltrain.cli.app import main
try:
    main()
except SystemExit as ended:
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    print("\\nLOADED " + json.dumps([ended.code or 0, loaded]), file=sys.stderr)
    print("OURS " + json.dumps([name for name in sys.modules if name.startswith("mltrain.")]), file=sys.stderr)
"""

# Asks the board, which serves until it is interrupted, for each of its pages.
PAGES = """
import json, sys
from pathlib import Path
from mltrain.board import server
import mltrain.cli.board
folder = server.Folder(Path("runs"))
codes = [server.answer(folder, target).code for target in json.loads(sys.argv[1])]
print("LOADED " + json.dumps([codes, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two runs of the small experiment, for all tests."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "config.yaml").write_text(SMALL)
    for name in ("a-run", "another-run"):
        assert in_process(folder, "train", "config.yaml", "--run-dir", name, "--quiet").code == 0
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["validate", "config.yaml"],
        ["validate", "wrong.yaml"],
        ["schema"],
        ["list"],
        ["list", "layer", "Dense"],
        ["init", "other.yaml"],
        ["init", "--data", "table.csv"],
        ["audit", "config.yaml"],
        ["show", "a-run"],
        ["compare", "a-run", "another-run", "--html", "page.html"],
        [
            "train",
            "config.yaml",
            "--run-dir",
            "a-run",
            "--resume",
            "--gate",
            "test.loss < 99",
            "--against",
            "another-run",
        ],
        ["report", "a-run"],
        ["cross-validate", "wrong.yaml", "--folds", "3"],
    ],
    ids=" ".join,
)
def test_tensorflow_is_not_imported(shell, config, trained, tmp_path, arguments):
    config()
    (tmp_path / "wrong.yaml").write_text("model: {type: nlp}\n")
    (tmp_path / "table.csv").write_text("a,b\n" + "1.5,2\n2.5,1\n0.5,3.5\n" * 20)
    for run in {"a-run", "another-run"} & set(arguments):
        shutil.copytree(trained / run, tmp_path / run)
    (tmp_path / "probe.py").write_text(PROBE)
    done = shell(f"{sys.executable} probe.py '{json.dumps(arguments)}'")
    code, loaded = json.loads(done.err.rpartition("LOADED ")[2].partition("\n")[0])
    assert code == (3 if "wrong.yaml" in arguments else 0), done.err
    heavy = {"tensorflow", "keras", "sklearn", "pandas", "scipy", "matplotlib"} & set(loaded)
    assert not heavy
    if arguments[0] in ("--help", "validate", "schema"):
        assert not {"numpy", "pyarrow"} & set(loaded)


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        (["validate", "config.yaml"], ["run.results", "run.rundir", "cli.train", "cli.show"]),
        (
            ["show", "a-run"],
            [
                "experiment.spec",
                "evaluation.catalogue",
                "run.folds_form",
                "run.explanation",
                "cli.train",
                "cli.validate",
            ],
        ),
    ],
    ids=["validate", "show"],
)
def test_a_command_imports_only_what_it_needs(shell, config, mltrain, tmp_path, arguments, needless):
    path = config()
    if "a-run" in arguments:
        assert mltrain("train", path, "--run-dir", tmp_path / "a-run", "--quiet").code == 0
    (tmp_path / "probe.py").write_text(PROBE)
    done = shell(f"{sys.executable} probe.py '{json.dumps(arguments)}'")
    ours = json.loads(done.err.rpartition("OURS ")[2])
    assert f"mltrain.cli.{arguments[0]}" in ours
    assert not {f"mltrain.{each}" for each in needless} & set(ours)


def test_no_page_of_the_board_imports_tensorflow(shell, tmp_path):
    made_run(tmp_path / "runs", identifier="1")
    made_run(tmp_path / "runs", identifier="2")
    places = ["/", "/run/blobs/1", "/file/blobs/1/report.html", "/compare?run=blobs/1&run=blobs/2", "/board.css"]
    (tmp_path / "pages.py").write_text(PAGES)
    done = shell(f"{sys.executable} pages.py '{json.dumps(places)}'")
    codes, loaded = json.loads(done.err.rpartition("LOADED ")[2])
    assert codes == [200] * len(places)
    assert not {"tensorflow", "keras", "sklearn", "pandas", "scipy", "matplotlib"} & set(loaded)
