"""`evaluation.explain`, `mltrain explain` and `predict --explain`: what the predictions depend on, from a whole run."""

import csv
import io
import json
import os
import shutil
from base64 import b64decode

import matplotlib.image
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.conftest import in_process
from tests.hostile.test_run_directories import every_change
from tests.report.page.reading import read

ROWS = 300
CONFIGS = {
    # The target is 3 a - 2 (color is red) + noise; b says nothing.
    "linear": "name: linear\ndata: {source: {type: csv, path: data.csv}, target: y, features: {group: ignore, "
    "said: ignore}}\n"
    "model: {type: linear}\ntraining: {epochs: 30, optimizer: {type: Adam, learning_rate: 0.1}}\n"
    "evaluation: {explain: true}\n",
    "classes": "name: classes\ndata: {source: {type: csv, path: data.csv}, target: group, features: {y: ignore, "
    "said: ignore}}\n"
    "model: {type: mlp, units: [8]}\ntraining: {epochs: 5}\n",
    "images": "name: images\ndata: {source: {type: synthetic, kind: shapes, rows: 60, size: 8}}\n"
    "model: {type: sequential, layers: [{type: Conv2D, filters: 2, kernel_size: 3}, Flatten]}\n"
    "training: {epochs: 2}\n",
    "sequences": "name: sequences\ndata: {source: {type: synthetic, kind: sequences, rows: 60, steps: 12}}\n"
    "model: {type: sequential, layers: [{type: SimpleRNN, units: 3}]}\ntraining: {epochs: 2}\n"
    "evaluation: {explain: true}\n",
    "texts": "name: texts\ndata: {source: {type: csv, path: data.csv}, target: group, features: {said: text, "
    "a: ignore, b: ignore, color: ignore, y: ignore}}\nmodel: {type: pooled, width: 8}\n"
    "training: {epochs: 40, optimizer: {type: Adam, learning_rate: 0.05}}\nevaluation: {explain: true}\n",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Runs by name, each trained once, and what was said; a test that writes works on a copy."""
    folder = tmp_path_factory.mktemp("explain")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    draw = np.random.default_rng(0)
    a, b, red = draw.normal(5, 2, ROWS), draw.normal(size=ROWS), draw.random(ROWS) < 0.4
    y = 3 * a - 2 * red + draw.normal(0, 0.3, ROWS)
    group = np.digitize(y, np.quantile(y, (1 / 3, 2 / 3)))
    with (folder / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("a", "b", "color", "y", "group", "said"))
        writer.writerows(
            zip(
                a.round(4),
                b.round(4),
                np.where(red, "red", "blue"),
                y.round(4),
                [f"g{each}" for each in group],
                [f"{('low', 'some', 'high')[each]} number" for each in group],
                strict=True,
            )
        )
    said = {}
    for name, text in CONFIGS.items():
        (folder / f"{name}.yaml").write_text(text)
        done = in_process(folder, "train", f"{name}.yaml", "--run-dir", name, "--profile")
        assert done.code == 0, done.err
        said[name] = done.err
    return folder, said


@pytest.fixture
def copied(finished, tmp_path):
    return lambda name: shutil.copytree(finished[0] / name, tmp_path / name)


def explanation(run):
    return json.loads((run / "explanation.json").read_text())


def phases(run):
    return [each["phase"] for each in json.loads((run / "profile.json").read_text())["phases"]]


@pytest.mark.long
def test_the_real_columns_are_told_from_zero_and_the_other_is_not(finished):
    folder, said = finished
    importance = explanation(folder / "linear")["importance"]
    columns = {each["column"]: each for each in importance["columns"]}
    assert list(columns) == ["a", "color", "b"]
    assert importance["metric"] == "mse"
    assert columns["a"]["low"] > 0 < columns["color"]["low"]
    assert columns["b"]["low"] <= 0 <= columns["b"]["high"]
    # Of a linear model the mse rises by 2 * weight² * variance.
    assert columns["a"]["value"] == pytest.approx(2 * 9 * 4, rel=0.4)
    assert "no significant difference from zero: b" in said["linear"]
    assert "explanation" in phases(folder / "linear")


def test_the_page_and_the_card_show_it(finished):
    run = finished[0] / "linear"
    page, card = read((run / "report.html").read_bytes()), (run / "report.md").read_text()
    section = next(each for each in page.all("section") if each.attributes["aria-labelledby"] == "explanation")
    assert "No significant difference from zero: b." in section.text
    assert "bnot significant" in section.text
    assert section.one("svg").attributes["aria-label"].startswith("Importance of the columns by mse")
    assert "#explanation" in [link.attributes["href"] for link in page.all("a")]
    assert "## Importance" in card
    assert (run / "plots" / "importance.svg").exists()


def test_nothing_is_measured_unless_somebody_asks(finished):
    for name in ("classes", "images"):
        run = finished[0] / name
        assert not (run / "explanation.json").exists()
        assert "explanation" not in phases(run)
        assert b"Importance" not in (run / "report.html").read_bytes()


def test_the_command_measures_the_same_as_the_training(copied, mltrain):
    run = copied("linear")
    before, page = (run / "explanation.json").read_bytes(), (run / "report.html").read_bytes()
    (run / "explanation.json").unlink()
    done = mltrain("explain", run, "--json")
    assert done.code == 0, done.err
    assert (run / "explanation.json").read_bytes() == before
    assert json.loads(done.out) == json.loads(before)
    assert (run / "report.html").read_bytes().count(b"not significant") == page.count(b"not significant")
    assert "used 2 times" in done.err


def test_images_have_their_saliency_beside_them(copied, mltrain):
    run = copied("images")
    done = mltrain("explain", run)
    assert done.code == 0, done.err
    maps = {each["row"]: each["picture"] for each in explanation(run)["saliency"]}
    pictures = [matplotlib.image.imread(io.BytesIO(b64decode(each))) for each in maps.values()]
    assert {picture.shape for picture in pictures} == {(8, 8)}
    assert all(picture.max() == 1 > picture.mean() > 0 for picture in pictures)
    shown = [image.attributes for image in read((run / "report.html").read_bytes()).all("img")]
    assert len(shown) == 2 * len(maps)
    for row, picture in maps.items():
        assert {"src": f"data:image/png;base64,{picture}", "alt": f"How much each pixel of row {row} counts"} in shown


def test_saliency_of_a_linear_model_is_its_weights(finished):
    from mltrain.procedures.explanation.saliency import saliency
    from mltrain.procedures.stored_model import read_model
    from mltrain.run.rundir import RunDirectory

    network = read_model(RunDirectory(finished[0] / "images")).network()
    network.model.layers[0].activation = lambda x: x  # without it every layer is linear, wherever the image is
    images = np.random.default_rng(0).random((2, *network.info.input.shape), np.float32)
    first, second = saliency(network, images, np.zeros(2), 0)
    assert np.allclose(first, second, atol=1e-4)


@pytest.mark.parametrize(("name", "column", "whole"), [("sequences", "sequence", "array"), ("texts", "said", "text")])
def test_an_array_or_a_text_alone_counts_as_one(finished, mltrain, name, column, whole):
    folder, said = finished
    (found,) = explanation(folder / name)["importance"]["columns"]
    assert (found["column"], found["whole"]) == (column, whole)
    assert f"each {whole} is shuffled as one ({column}): which " in said[name]
    done = mltrain("predict", folder / name, "-", "--explain", "--out", "x.csv")
    assert done.code == 2, done.err
    assert len(done.err.splitlines()) == 1
    assert "`mltrain explain` shows where in a small image the score comes from" in done.err


def test_a_text_that_tells_the_class_is_important(finished):
    folder, said = finished
    (found,) = explanation(folder / "texts")["importance"]["columns"]
    assert found["low"] > 0.2
    assert "accuracy depends most on said" in said["texts"]


def test_predictions_that_are_not_finite_are_not_explained():
    from mltrain.procedures.explanation.explaining import unexplained

    assert unexplained("binary", np.array([0.5, 1.0])) is None
    assert "one of them is NaN or infinite" in unexplained("binary", np.array([0.5, np.nan]))


def test_an_explanation_of_an_earlier_model_is_not_shown_as_this_ones(copied, mltrain):
    run = copied("linear")
    values = explanation(run)
    (run / "explanation.json").write_text(json.dumps({**values, "epoch": values["epoch"] + 1}))
    assert mltrain("report", run).code == 0
    page = read((run / "report.html").read_bytes())
    assert "Run mltrain explain again" in page.one("body").text
    assert "not significant" not in page.one("body").text


def test_a_forged_explanation_is_shown_or_refused_in_one_line(copied, mltrain):
    run = copied("linear")
    codes, genuine = set(), explanation(run)
    del genuine["importance"]["columns"][1:]
    for values in every_change(genuine):
        (run / "explanation.json").write_text(json.dumps(values))
        done = mltrain("report", run)
        codes.add(done.code)
        assert done.code in (0, 5), (values, done.err)
        assert len(done.err.splitlines()) == bool(done.code), done.err
    assert codes == {0, 5}
    genuine["importance"]["columns"][0].update(low=2.0, value=1.0, high=3.0)
    (run / "explanation.json").write_text(json.dumps(genuine))
    assert "is not in its interval" in mltrain("report", run).err


def attributions(folder, run, *options):
    files = ("--out", "out.csv", "--summary", "summary.json", "--force")
    done = in_process(folder, "predict", run, "data.csv", "--explain", *options, *files)
    assert done.code == 0, done.err
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file)), json.loads((folder / "summary.json").read_text())["explanation"]


def test_of_a_linear_model_each_column_adds_its_weight_times_the_distance_from_the_mean(finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "work")
    rows, said = attributions(folder, "linear")
    slopes = json.loads((folder / "linear" / "metrics.json").read_text())["coefficients"]
    train = [rows[row] for row in np.load(folder / "linear" / "splits" / "train.npy")]
    for column, value in {
        "a": lambda row: slopes["a"] * float(row["a"]),
        "b": lambda row: slopes["b"] * float(row["b"]),
        "color": lambda row: sum(slopes[name] for name in slopes if name.startswith("color") and row["color"] in name),
    }.items():
        mean = np.mean([value(row) for row in train])
        found = np.array([float(row[f"explain.{column}"]) for row in rows])
        assert np.allclose(found, [value(row) - mean for row in rows], atol=1e-5)
    sums = [said["baseline"] + sum(float(row[f"explain.{name}"]) for name in ("a", "b", "color")) for row in rows]
    assert np.allclose(sums, [float(row["prediction"]) for row in rows], atol=1e-4)
    assert said["gap"] < 1e-4
    assert said["unit"] == "units of 'y'"


def test_the_parts_of_a_network_sum_to_the_difference_of_the_scores(finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "work")
    rows, said = attributions(folder, "classes", "--proba")
    names = [f"g{number}" for number in range(3)]
    logs = np.log([[float(row[f"probability_{name}"]) for name in names] for row in rows])
    chosen = [names.index(row["prediction"]) for row in rows]
    score = logs[np.arange(len(rows)), chosen] - logs.mean(axis=1)
    sums = np.array([sum(float(row[f"explain.{name}"]) for name in ("a", "b", "color")) for row in rows])
    baseline = np.array([said["baseline"][names[number]] for number in chosen])
    assert np.allclose(sums, score - baseline, atol=said["gap"] + 1e-4)
    assert said["gap"] < 0.01
    assert np.abs(sums).max() > 0.3


def test_every_form_has_the_same_parts(finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "work")
    rows, _ = attributions(folder, "linear")
    inputs = [{"a": float(row["a"]), "b": float(row["b"]), "color": row["color"]} for row in rows]
    (folder / "new.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in inputs))
    parquet.write_table(pa.Table.from_pylist(inputs), folder / "new.parquet")
    for form in ("jsonl", "parquet"):
        done = in_process(folder, "predict", "linear", f"new.{form}", "--explain", "--out", f"out.{form}")
        assert done.code == 0, done.err
        assert "their sum is the score of the row" in done.err
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    for found in (lines, parquet.read_table(folder / "out.parquet").to_pylist()):
        assert [each["explain.a"] for each in found] == [float(row["explain.a"]) for row in rows]


@pytest.mark.parametrize(("means", "code"), [((), 2), ((1.0,), 5), ((1e300,) * 4, 5)])
def test_a_mean_row_that_is_not_there_or_does_not_fit_is_refused(copied, finished, mltrain, means, code):
    run = copied("linear")
    values = json.loads((run / "reference.json").read_text())
    (run / "reference.json").write_text(json.dumps({**values, "means": means}))
    done = mltrain("predict", run, finished[0] / "data.csv", "--explain", "--out", "x.csv")
    assert done.code == code, done.err
    assert len(done.err.splitlines()) == 1
