"""The pages in docs/ say what is so: the reference is generated anew, YAML is validated, excerpts have the form of a
real run, links lead somewhere."""

import json
import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

from mltrain.config.load import load_text
from mltrain.config.plugins import Plugins
from tests.conftest import CONFIGS, REPOSITORY

PAGES = [
    *sorted(REPOSITORY.glob("docs/*.md")),
    REPOSITORY / "benchmarks" / "README.md",
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
]
# What a block of YAML that shows one section leaves out.
REST = {
    "data": "data: {source: {type: synthetic, kind: blobs}}\n",
    "model": "model: {type: mlp}\n",
}


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def anchors(path):
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-").lower() for heading in headings}


def test_the_reference_is_what_the_specs_say():
    made = runpy.run_path(str(REPOSITORY / "docs" / "generate.py"))
    written = made["PAGE"].read_text(encoding="utf-8")
    assert written == made["page"](), "run `python docs/generate.py`"


def test_the_reference_has_every_key_and_every_component():
    written = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    for key in ("seed", "data", "source", "target", "split", "features", "model", "optimizer", "stop_when", "keep"):
        assert f"| `{key}` |" in written or f"| [`{key}`](#" in written, key
    for heading in ("#### csv", "#### files", "#### category", "#### mlp", "#### EarlyStopping", "### `model.layers`"):
        assert f"\n{heading}\n" in written, heading
    for name in ("`roc_auc`", "`Conv2D`", "`CosineDecay`", "`SparseCategoricalCrossentropy`", "`HeNormal`"):
        assert name in written, name


def plugins_on(page, folder):
    """Return what a page makes in its Python."""
    texts = [text for text in blocks(page, "python") if "from mltrain import" in text]
    files = []
    for text in texts[-1:]:
        files.append(folder / "own.py")
        files[-1].write_text(text)
    return Plugins.of_files(files)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_yaml_is_valid(path, tmp_path):
    plugins = plugins_on(path, tmp_path)
    for text in blocks(path, "yaml"):
        if text.startswith("apiVersion:"):
            continue  # of Kubernetes, see tests/workers/test_manifest.py
        rest = "".join(section for key, section in REST.items() if not re.search(rf"^{key}:", text, re.MULTILINE))
        load_text((text + rest).encode(), path.name, path.parent, plugins=plugins)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_excerpts_of_a_run_have_its_form(mltrain, tmp_path):
    done = mltrain("train", CONFIGS / "breast_cancer.yaml", "--run-dir", tmp_path / "run", "--quiet", "--profile")
    assert done.code == 0, done.err
    page = REPOSITORY / "docs" / "run_directory.md"
    excerpts = (json.loads(text) for text in blocks(page, "json"))
    for excerpt, name in zip(excerpts, ("record", "status", "metrics", "profile"), strict=True):
        assert_is_part(excerpt, json.loads((tmp_path / "run" / f"{name}.json").read_text()), name)
    resolved = (tmp_path / "run" / "config.resolved.yaml").read_text()
    for line in blocks(page, "yaml")[0].splitlines():
        assert line in resolved
    header = (tmp_path / "run" / "history.csv").read_text().splitlines()[0]
    assert f"\n{header}\n" in page.read_text(encoding="utf-8")


def test_every_file_of_a_run_is_explained(mltrain, config, tmp_path):
    done = mltrain("train", config(), "--run-dir", tmp_path / "run", "--quiet", "--profile")
    assert done.code == 0, done.err
    explained = (REPOSITORY / "docs" / "run_directory.md").read_text(encoding="utf-8")
    for path in (tmp_path / "run").iterdir():
        assert f"| `{path.name}" in explained, path.name


@pytest.fixture
def until_done(tmp_path):
    """Start the script of the page on preemption, with the `mltrain` of a folder, or else the real one."""
    (script,) = blocks(REPOSITORY / "docs" / "preemption.md", "bash")
    (tmp_path / "train-until-done").write_text(script)

    def start(*arguments, commands=Path(sys.executable).parent):
        return subprocess.Popen(
            ["bash", tmp_path / "train-until-done", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.mark.parametrize(
    "codes", [[0], [137, 143, 130, 0], [137, 8], *([code] for code in (1, 2, 3, 4, 5, 6, 7, 9, 141))]
)
def test_the_script_goes_on_after_signals_and_only_then(until_done, tmp_path, codes):
    fake = tmp_path / "mltrain"
    fake.write_text(
        '#!/bin/sh\necho "$@" >> calls\n'
        f"for code in {' '.join(map(str, codes))}; do\n"
        '    n=$((${n:-0} + 1)); [ "$n" = "$(wc -l < calls)" ] && exit "$code"\ndone\n'
    )
    fake.chmod(0o755)
    process = until_done("a b.yaml", "run", commands=tmp_path)
    process.communicate(timeout=60)
    assert process.returncode == codes[-1]
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["train --resume a b.yaml --run-dir run"] * len(codes)


@pytest.mark.long
def test_the_script_survives_five_kills(until_done, mltrain, config, tmp_path):
    text = config(epochs="  epochs: 40\n  checkpoint: {every: 1 epoch}").read_text()
    (tmp_path / "config.yaml").write_text(text.replace("rows: 60", "rows: 20000"))
    process = until_done("config.yaml", "killed")
    kills, history = 0, tmp_path / "killed" / "history.csv"
    seen, deadline = 1, time.monotonic() + 300
    while kills < 5:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
        # The row of an epoch stands before its checkpoint: with two more than before, there is a checkpoint more.
        rows = history.read_text().count("\n") if history.exists() else 0
        if rows < seen + 2:
            continue
        trainer = json.loads((tmp_path / "killed" / "status.json").read_text())["pid"]
        with suppress(FileNotFoundError):  # it is the one that was killed before
            if f"\nPPid:\t{process.pid}\n" in Path(f"/proc/{trainer}/status").read_text():
                os.kill(trainer, signal.SIGKILL)
                kills, seen = kills + 1, rows
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert said.count("exit code 137") == 5
    resumed = json.loads((tmp_path / "killed" / "record.json").read_text())["resumed"]
    assert len(resumed) == 5
    assert all(one["step"] > 0 and not one["inexact"] for one in resumed)
    assert mltrain("train", "config.yaml", "--run-dir", "whole", "--quiet").code == 0
    assert (tmp_path / "killed" / "metrics.json").read_bytes() == (tmp_path / "whole" / "metrics.json").read_bytes()


@pytest.fixture
def script(shell, config, tmp_path):
    """Run a script of the page on continuous integration, by its name, in a folder with a small experiment."""
    text = config(epochs="  epochs: 4").read_text().replace("rows: 60", "rows: 300").replace("rate: 0.01", "rate: 0.1")
    (tmp_path / "config.yaml").write_text(text)
    for each in blocks(REPOSITORY / "docs" / "ci.md", "bash"):
        assert each.startswith("#!/usr/bin/env bash\n# Usage: ")
        assert "\nset -euo pipefail\n" in each
        (tmp_path / each.split()[4]).write_text(each)

    def run(name, *arguments):
        line = " ".join(map(shlex.quote, ("bash", name, *arguments)))
        return shell(line)

    return run


@pytest.mark.long
def test_the_script_trains_and_gates(script, tmp_path):
    done = script("train-and-gate", "config.yaml", "test.accuracy >= 0.5", "test.accuracy.high > 0")
    assert done.code == 0, done.err
    assert (done.run / "model.keras").is_file()
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["splits"].keys() == {"test"}
    assert 'tests="2"' in (tmp_path / "gates.xml").read_text()
    (tmp_path / "result.json").unlink()
    done = script("train-and-gate", "config.yaml", "test.accuracy > 1")
    assert (done.code, done.out) == (10, "")
    assert 'failures="1"' in (tmp_path / "gates.xml").read_text()
    assert not (tmp_path / "result.json").exists()


@pytest.mark.long
def test_the_script_cross_validates_and_goes_on(shell, config, tmp_path):
    config()
    (script,) = blocks(REPOSITORY / "docs" / "cross_validation.md", "bash")
    (tmp_path / "script").write_text(script)
    done = shell("bash script config.yaml 2 'folds.accuracy.mean >= 0'")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "folds.json").read_text())["metric"] == "log_loss"
    assert len(json.loads((tmp_path / "comparison.json").read_text())["pairs"]) == 1
    done = shell("bash script config.yaml 2 'folds.accuracy.mean > 1'")
    assert done.code == 10
    assert 'failures="1"' in (tmp_path / "folds.xml").read_text()


@pytest.mark.long
def test_the_nightly_script_keeps_the_last_good_run(script, tmp_path):
    good = tmp_path / "last-good"
    assert script("nightly", "config.yaml").code == 0
    first = good.resolve()
    done = script("nightly", "config.yaml")
    assert done.code == 0, done.err
    second = good.resolve()
    assert second != first
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().replace("learning_rate: 0.1", "learning_rate: 0.000001"))
    done = script("nightly", "config.yaml")
    assert done.code == 10
    assert "the run is worse than that one" in done.err
    assert good.resolve() == second
    assert 'failures="1"' in (tmp_path / "nightly.xml").read_text()


@pytest.mark.long
def test_the_script_compares_two(script, tmp_path):
    done = script("compare-two", "config.yaml", "training.optimizer.learning_rate=0.000001")
    assert done.code == 0, done.err
    assert "run 2 is worse than run 1" in done.out
    assert json.loads((tmp_path / "comparison.json").read_text())["pairs"][0]["verdict"] == "worse"
    assert (tmp_path / "comparison.html").read_text().startswith("<!doctype html>")


@pytest.fixture
def predict_and_check(shell, mltrain, tmp_path):
    """Run the script of the page on predicting, with a run on numbers around 0."""
    (script,) = blocks(REPOSITORY / "docs" / "prediction.md", "bash")
    assert "set -euo pipefail" in script
    (tmp_path / "predict-and-check").write_text(script)

    def rows(name, shift):
        lines = [f"{row / 500 + shift},{row % 7},{row % 2}" for row in range(-500, 500)]
        (tmp_path / name).write_text("\n".join(["a,b,y", *lines]))

    rows("train.csv", 0.0)
    rows("same.csv", 0.01)
    rows("shifted.csv", 0.8)
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: train.csv}, target: y}\nmodel: {type: linear}\ntraining: {epochs: 1}\n"
    )
    assert mltrain("train", "config.yaml", "--run-dir", "run", "--quiet").code == 0
    return lambda data, out: shell(f"bash predict-and-check run {data} {out}")


@pytest.mark.long
def test_the_script_predicts_and_stops_at_drift(predict_and_check, tmp_path):
    done = predict_and_check("same.csv", "out.csv")
    assert done.code == 0, done.err
    assert (tmp_path / "out.csv").read_text().startswith("a,b,y,prediction\n")
    done = predict_and_check("shifted.csv", "out2.csv")
    assert done.code == 10, done.err
    assert done.err.endswith("not the rows it was trained on: a\n")
    assert predict_and_check("nothing.csv", "out3.csv").code == 4
    assert predict_and_check("same.csv", "out.csv").code == 2


@pytest.mark.long
def test_the_page_on_own_metrics_does_what_it_says(shell, tmp_path):
    page = REPOSITORY / "docs" / "metrics.md"
    for language, name in (("python", "costs.py"), ("yaml", "config.yaml"), ("bash", "script")):
        (text,) = blocks(page, language)
        (tmp_path / name).write_text(text)
    rows = load_breast_cancer()
    lines = [",".join(rows.feature_names), *(",".join(map(str, row)) for row in rows.data[:5])]
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    done = shell("bash script new.csv")
    assert done.code == 0, done.err
    assert "share_in_top_tenth" in done.out
    assert (tmp_path / "predicted.csv").read_text().count("\n") == 6


@pytest.mark.long
def test_the_page_on_own_parts_does_what_it_says(shell, tmp_path):
    page = REPOSITORY / "docs" / "own_parts.md"
    plugin, function, _ = blocks(page, "python")
    (tmp_path / "nets.py").write_text(plugin.replace("import loss\n", "import loss, model\n") + "\n\n" + function)
    for language, name in (("yaml", "config.yaml"), ("bash", "script")):
        (text,) = blocks(page, language)
        (tmp_path / name).write_text(text)
    rows = load_breast_cancer()
    lines = [",".join(rows.feature_names), *(",".join(map(str, row)) for row in rows.data[:5])]
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    done = shell("bash script new.csv")
    assert done.code == 0, done.err
    assert "How sharply a gate opens." in done.out
    assert (tmp_path / "predicted.csv").read_text().count("\n") == 6
    mistyped = (tmp_path / "config.yaml").read_text().replace("sharpness", "sharpnes")
    (tmp_path / "config.yaml").write_text(mistyped)
    said = blocks(page, "text")
    assert said[0].strip() in shell("mltrain validate config.yaml --plugin nets.py").err
    (tmp_path / "config.yaml").write_text(mistyped.replace("sharpnes", "sharpness"))
    (tmp_path / "nets.py").write_text(plugin.replace("* ops.sigmoid(", "* op.sigmoid("))
    assert said[1].strip() in shell("mltrain train config.yaml --plugin nets.py").err


def assert_is_part(excerpt, whole, place):
    """Numbers and times differ from machine to machine; keys, words, types and the items of an excerpted list do
    not."""
    assert type(excerpt) is type(whole), place
    if isinstance(excerpt, dict):
        for key, value in excerpt.items():
            assert key in whole, f"{place}.{key}"
            if place != "record.versions":
                assert_is_part(value, whole[key], f"{place}.{key}")
    elif isinstance(excerpt, list) and excerpt and isinstance(excerpt[0], dict):
        for item in excerpt:
            (same,) = [each for each in whole if texts(each) == texts(item)]
            assert item.keys() == same.keys(), place
    elif isinstance(excerpt, str) and place.rpartition(".")[2] in ("state", "task", "metric", "weights", "direction"):
        assert excerpt == whole, place


def texts(item):
    return {key: value for key, value in item.items() if isinstance(value, str)}
