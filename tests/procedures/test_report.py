"""report.html and report.md: of every kind of run, made by train and by `report`, whatever the names in it are."""

import io
import json
import os
import re
import shutil
from base64 import b64decode, b64encode
from hashlib import sha256

import matplotlib.image
import pytest

from mltrain.run.opening import lock_run
from tests.conftest import in_process
from tests.report.page.reading import read

SOURCE = "data: {{source: {{type: synthetic, {}}}{}}}\n"
KINDS = {
    "binary": "name: binary\n" + SOURCE.format("kind: moons, rows: 80", "") + "model: {type: mlp, units: [4]}\n",
    "multiclass": "name: multiclass\n"
    + SOURCE.format("kind: blobs, rows: 90", "")
    + "model: {type: mlp, units: [4]}\n",
    "many classes": "name: many\n"
    + SOURCE.format("kind: noise, rows: 400, classes: 20, features: 3", "")
    + "model: {type: linear}\n",
    "regression": "name: regression\n"
    + SOURCE.format("kind: linear, rows: 60", ", split: {type: random, validation: 0, test: 0.2}")
    + "model: {type: linear}\n",
    "no held-out rows": "name: all\n"
    + SOURCE.format("kind: linear, rows: 60", ", split: {type: none}")
    + "model: {type: linear}\n",
    "images": "name: images\n"
    + SOURCE.format("kind: shapes, rows: 60, size: 8", "")
    + "model: {type: sequential, layers: [{type: Conv2D, filters: 2, kernel_size: 3}, Flatten]}\n",
    "sequences": "name: sequences\n"
    + SOURCE.format("kind: sequences, rows: 60, steps: 12", "")
    + "model: {type: sequential, layers: [{type: SimpleRNN, units: 3}]}\n",
}
TRAINING = "training: {epochs: 2, batch_size: 16}\n"
HOSTILE = "</td><script>alert(1)</script>"
HOSTILE_TABLE = "price,kind\n" + "".join(
    f"{number},{(HOSTILE, '[x](http://example.org) | `b`')[number % 2]}\n" for number in range(60)
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Runs by kind, each trained once; a test that writes works on a copy."""
    folder = tmp_path_factory.mktemp("report")
    # A process sets it when TensorFlow starts; all commands here share one process, and a run records what was set.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    runs = {}

    def run(kind):
        if kind not in runs:
            name = kind.replace(" ", "-")
            if kind == "hostile":
                (folder / "hostile.csv").write_text(HOSTILE_TABLE)
                text = (
                    "name: hostile\ndata: {source: {type: csv, path: hostile.csv}, target: kind}\nmodel: {type: mlp}\n"
                )
            else:
                text = KINDS[kind]
            (folder / f"{name}.yaml").write_text(text + TRAINING)
            done = in_process(folder, "train", f"{name}.yaml", "--run-dir", name, "--quiet", "--profile")
            assert done.code == 0, done.err
            runs[kind] = done.run
        return runs[kind]

    return run


@pytest.fixture
def copied(trained, tmp_path):
    return lambda kind: shutil.copytree(trained(kind), tmp_path / "run")


def page_of(run):
    return read((run / "report.html").read_bytes())


CHARTS = {
    "binary": {"confusion", "roc", "precision-recall", "calibration", "threshold"},
    "multiclass": {"confusion", "roc", "precision-recall", "calibration"},
    "many classes": {"confusion", "roc", "precision-recall", "calibration"},
    "regression": {"predicted", "residuals", "residual-histogram", "learned"},
    "no held-out rows": {"predicted", "residuals", "residual-histogram", "learned"},
    "images": {"confusion", "roc", "precision-recall", "calibration"},
    "sequences": {"confusion", "roc", "precision-recall", "calibration"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_has_its_parts(trained, kind):
    run = trained(kind)
    page = page_of(run)
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("h1").text in page.one("head").one("title").text
    diagnosis = json.loads((run / "metrics.json").read_text())["diagnosis"]
    assert [each.text for each in page.all("h2")] == [
        *(["Diagnosis"] if diagnosis else []),
        "Results",
        "Worst examples",
        "Training",
        "Data",
        "Data audit",
        "Model",
        "How it came about",
        "Config",
    ]
    identifiers = [each.attributes["id"] for tag in ("h2", "main") for each in page.all(tag)]
    assert len(set(identifiers)) == len(identifiers)
    links = [link.attributes["href"] for link in page.all("a")]
    assert {f"#{identifier}" for identifier in identifiers} == set(links)
    for section in page.all("section"):
        assert section.attributes["aria-labelledby"] in identifiers
    metrics = json.loads((run / "metrics.json").read_text())
    split = list(metrics["splits"])[-1]
    assert f"{metrics['splits'][split]['n']} {split} rows" in page.one("header").text
    drawn = {path.stem for path in (run / "plots").glob("*.svg")}
    assert {name for name in drawn if not name.startswith("curve-")} == CHARTS[kind]
    assert "curve-loss" in drawn


@pytest.mark.parametrize("kind", KINDS)
def test_figures_and_tables_can_be_read_without_seeing(trained, kind):
    page = page_of(trained(kind))
    figures = [figure for figure in page.all("figure") if not figure.all("img")]
    assert len(figures) >= 5
    for figure in figures:
        drawing = figure.one("svg")
        assert drawing.attributes["role"] == "img"
        assert len(drawing.attributes["aria-label"]) > 15
        assert figure.one("figcaption").text.endswith(".")
    assert all(drawing.inside("figure") for drawing in page.all("svg"))
    for table in page.all("table"):
        assert table.one("caption").text
        widths = {len(row.all("th") + row.all("td")) for row in table.all("tr")}
        assert len(widths) == 1
        assert {each.attributes["scope"] for each in table.all("th")} <= {"col", "row"}
        around = table.parent.attributes
        assert (around["tabindex"], around["role"]) == ("0", "region")
        assert around["aria-label"]
    assert all(details.children[0].tag == "summary" for details in page.all("details"))


@pytest.mark.parametrize("kind", [*KINDS, "hostile"])
def test_nothing_is_loaded_and_nothing_runs(trained, kind):
    page = page_of(trained(kind))
    for tag in ("script", "iframe", "object", "embed", "link", "base", "form", "image", "use", "foreignObject"):
        assert not page.all(tag)
    (policy, _), *_ = [(meta.attributes["content"], 0) for meta in page.all("meta") if "http-equiv" in meta.attributes]
    style = page.one("style").text
    allowed = b64encode(sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{allowed}';")
    assert "unsafe" not in policy
    assert "url(" not in style
    assert "@import" not in style

    def walk(element):
        for each in element.children:
            if not isinstance(each, str):
                names = set(each.attributes)
                assert not {name for name in names if name.startswith("on")} | (names & {"style", "srcset"})
                assert each.attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
                assert ("alt" in names) == (each.tag == "img")
                assert each.attributes.get("href", "#").startswith("#")
                walk(each)

    walk(page)


def test_names_from_a_stranger_are_shown_as_they_are(trained):
    run = trained("hostile")
    page = page_of(run)
    assert HOSTILE in page.one("body").text
    labels = [drawing.attributes["aria-label"] for drawing in page.all("svg")]
    assert any(HOSTILE in label for label in labels)
    card = (run / "report.md").read_text().removesuffix("`report.html` has the charts.\n")
    assert r"\<script\>" in card
    assert r"\[x\](http\://example.org) \| \`b\`" in card
    assert not re.search(r"(?<!\\)[<\[`]", card)
    for path in (run / "plots").glob("*.svg"):
        assert "<script" not in path.read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_makes_the_page_of_train_again(copied, mltrain, kind):
    run = copied(kind)
    (run / "profile.json").unlink()
    made = {}
    for _ in range(2):
        done = mltrain("report", run)
        assert (done.code, done.out) == (0, f"{run / 'report.html'}\n")
        page = (run / "report.html").read_bytes()
        made[page] = (run / "report.md").read_bytes()
    assert len(made) == 1


def test_train_and_the_command_write_the_same(mltrain, config, tmp_path):
    assert mltrain("train", config(), "--run-dir", tmp_path / "run", "--quiet").code == 0
    before = {
        path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.suffix in (".html", ".md", ".svg")
    }
    assert len(before) > 5
    for path in before:
        path.unlink()
    assert mltrain("report", tmp_path / "run").code == 0
    assert {path: path.read_bytes() for path in before} == before


def test_elsewhere_the_run_stays_as_it_is(copied, mltrain, tmp_path):
    run = copied("binary")
    (run / "report.html").unlink()
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    done = mltrain("report", run, "--html", "a.html", "--md", "a.md")
    assert (done.code, done.out) == (0, "a.html\na.md\n")
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    assert (tmp_path / "a.md").read_bytes() == (run / "report.md").read_bytes()
    read((tmp_path / "a.html").read_bytes())


def test_a_run_that_is_held_is_not_written(copied, mltrain):
    run = copied("binary")
    with lock_run(run):
        assert mltrain("report", run).code == 6
        assert mltrain("report", run, "--md", "a.md").code == 0


FILES = ("metrics.json", "history.csv", "model.json", "learned.json", "predictions", "preprocessing.json", "splits")


@pytest.mark.parametrize("left", range(len(FILES) + 1))
def test_a_run_that_did_not_get_far_has_a_page_too(copied, mltrain, left):
    run = copied("no held-out rows")
    for name in FILES[:left]:
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    status = json.loads((run / "status.json").read_text()) | {"state": "interrupted", "reason": "stopped by SIGTERM"}
    (run / "status.json").write_text(json.dumps(status))
    done = mltrain("report", run)
    assert done.code == 0, done.err
    assert "The run was interrupted: stopped by SIGTERM." in page_of(run).one("header").text


DAMAGES = {
    "metrics.json": lambda text: text.replace('"n": ', '"n": "many", "was": ', 1),
    "model.json": lambda text: text.replace('"kind": ', '"was": ', 1),
    "learned.json": lambda text: text.replace('"grid": [', '"grid": [1.5,'),
    "history.csv": lambda text: text + "1,2\n",
    "status.json": lambda text: "{",
    "config.resolved.yaml": lambda text: text.replace("epochs", "epoch"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_named(copied, mltrain, name):
    run = copied("regression")
    (run / name).write_text(DAMAGES[name]((run / name).read_text()))
    done = mltrain("report", run)
    assert done.code == 5, done.err
    assert name in done.err


def test_the_worst_rows_are_shown_with_their_inputs(trained):
    page, metrics = page_of(trained("images")), json.loads((trained("images") / "metrics.json").read_text())
    pictures = page.all("img")
    assert len(pictures) == metrics["splits"]["test"]["n"] == 12
    png = b64decode(pictures[0].attributes["src"].partition(",")[2], validate=True)
    assert matplotlib.image.imread(io.BytesIO(png)).shape == (8, 8)

    table = next(each for each in page_of(trained("hostile")).all("table") if "inputs" in each.one("caption").text)
    first = table.one("tbody").all("tr")[0]
    row, value = first.one("th").text, first.one("td").text
    assert float(value) == int(row)  # as the table was made


def test_results_that_do_not_fit_together_are_refused(copied, mltrain):
    run = copied("multiclass")
    metrics = json.loads((run / "metrics.json").read_text())
    whole = json.dumps(metrics)
    metrics["splits"]["test"]["confusion_matrix"][0].append(1)
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert "confusion_matrix is not 3 by 3" in mltrain("report", run).err
    (run / "metrics.json").write_text(whole.replace('"multiclass"', '"binary"'))
    assert "do not fit binary" in mltrain("report", run).err


def test_what_other_commands_find_is_shown(copied, mltrain):
    run = copied("binary")
    metrics = json.loads((run / "metrics.json").read_text())
    test = metrics["splits"]["test"]
    test["baselines"] = {
        "majority": {
            "metrics": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}},
            "difference": {"accuracy": {"value": 0.25, "low": 0.125, "high": 0.375}},
        }
    }
    test["calibration"] = {"ece": {"value": 0.1}, "bins": [{"low": 0, "high": 1, "n": 16, "mean": 0.5, "share": 0.75}]}
    metrics |= {
        "baseline_sentences": ["it beats guessing the most frequent class"],
        "threshold": {"value": 0.375, "aim": "f1", "split": "validation"},
        "temperature": 1.25,
        "diagnosis": [{"finding": "overfitting", "sentence": "it knows the rows by heart", "key": "training.epochs"}],
        "gates": [{"gate": "test.accuracy >= 0.9", "value": 0.5, "passed": False, "reason": "too small"}],
    }
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert mltrain("report", run).code == 0
    page, card = page_of(run).one("body").text, (run / "report.md").read_text()
    for words in ("It beats guessing the most frequent class.", "it knows the rows by heart", "1 of 1 gates missed"):
        assert words in page
        assert words in card
    for words in (
        "always predicting the most common class",
        "+0.2500",
        "0.1250 to 0.3750",
        "0.375 is used, chosen for f1",
        "divided by 1.2500",
    ):
        assert words in page
    assert "✗ missed" in page
    assert "training.epochs" in page
