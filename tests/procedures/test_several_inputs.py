"""Several inputs in one model, through the commands: the promises of one input hold for them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tests.conftest import in_process

ROWS = 90
FUSION = "{type: fusion, inputs: {photo: {type: cnn, filters: [4]}, table: {type: mlp, units: [4]}}, units: [4]}"
GRAPH = """
  type: graph
  layers:
    - {name: seen, from: photo, type: Conv2D, filters: 3, kernel_size: 3}
    - {name: pooled, type: GlobalAveragePooling2D}
    - {name: first, from: table, type: Dense, units: 3, activation: relu}
    - {name: dropped, type: Dropout, rate: 0.2}
    - {name: again, share: first, from: dropped}
    - {name: joined, type: Concatenate, from: [again, pooled, dropped]}
    - {name: walked, from: walk, type: GRU, units: 3}
    - {type: Concatenate, from: [joined, walked]}
"""


def experiment(model: str, data: str = "", epochs: int = 2) -> str:
    return f"""\
name: several
data:
  source: {{type: npz, path: rows.npz}}
  target: y
  split: {{type: random, validation: 0.2, test: 0.2}}
{data}model: {model}
training: {{epochs: {epochs}, batch_size: 8}}
"""


def write_rows(folder) -> None:
    draw = np.random.default_rng(1)
    y = draw.integers(0, 2, ROWS)
    photo = draw.integers(0, 100, (ROWS, 8, 8)).astype(np.uint8)
    photo[:, 2:4, 2:4] += (y * 80).astype(np.uint8)[:, None, None]
    walk = draw.normal(size=(ROWS, 5, 2)).astype(np.float32)
    numbers = {name: draw.normal(size=ROWS) + place * y for place, name in enumerate(("age", "area", "height"))}
    np.savez(folder / "rows.npz", photo=photo, walk=walk, **numbers, y=y)


@pytest.fixture
def rows(tmp_path):
    write_rows(tmp_path)
    return tmp_path


@pytest.fixture(scope="module", params=[FUSION, pytest.param(GRAPH, marks=pytest.mark.long)], ids=["fusion", "graph"])
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    write_rows(folder)
    (folder / "config.yaml").write_text(experiment(request.param))
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    return folder, done


def test_model_keras_takes_the_raw_columns_in_another_process(trained):
    _, done = trained
    assert "model.keras, opened in another process, predicts the same for 18 raw test rows" in done.err


def test_each_layer_says_which_inputs_it_follows_from(trained):
    folder, _ = trained
    layers = json.loads((folder / "run" / "model.json").read_text())["layers"]
    alone = {tuple(layer["inputs"]) for layer in layers if len(layer["inputs"]) == 1}
    assert alone == {("photo",), ("walk",), ("table",)}
    assert set(layers[-1]["inputs"]) == {"photo", "walk", "table"}
    for name in ("report.html", "report.md"):
        assert "of the input" in (folder / "run" / name).read_text(), name


def test_the_inputs_are_the_table_and_each_array(trained):
    folder, _ = trained
    architecture = json.loads((folder / "run" / "model.json").read_text())
    assert architecture["inputs"] == {"photo": [8, 8, 1], "walk": [5, 2], "table": [3]}


def test_evaluate_gives_the_numbers_of_the_training(trained):
    folder, _ = trained
    recorded = json.loads((folder / "run" / "metrics.json").read_text())["splits"]["test"]
    again = json.loads(in_process(folder, "evaluate", "run", "--json").out)["splits"]["test"]
    assert again == {name: value for name, value in recorded.items() if name != "baselines"}


def test_predict_gives_the_predictions_of_the_training(trained):
    folder, _ = trained
    assert in_process(folder, "predict", "run", "rows.npz", "--out", "out.npz", "--proba").code == 0
    test, kept = (np.load(folder / "run" / name) for name in ("splits/test.npy", "predictions/test.predictions.npy"))
    with np.load(folder / "out.npz") as out:
        assert np.array_equal(out["probability_1"][test].astype(np.float32), kept.astype(np.float32))


@pytest.mark.long
def test_a_run_that_was_stopped_ends_like_one_that_was_not(trained):
    folder, _ = trained
    config = (folder / "config.yaml").read_text()
    (folder / "longer.yaml").write_text(config.replace("epochs: 2", "epochs: 3"))
    assert in_process(folder, "train", "longer.yaml", "--run-dir", "whole").code == 0
    shutil.copytree(folder / "run", folder / "resumed")
    assert in_process(folder, "resume", "resumed", "--epochs", "3").code == 0
    whole, resumed = (np.load(folder / run / "predictions" / "test.predictions.npy") for run in ("whole", "resumed"))
    assert whole.tobytes() == resumed.tobytes()


def test_explain_shuffles_columns_and_whole_arrays(trained):
    folder, _ = trained
    done = in_process(folder, "explain", "run", "--json")
    assert done.code == 0, done.err
    columns = json.loads(done.out)["importance"]["columns"]
    assert {each["column"] for each in columns} == {"photo", "walk", "age", "area", "height"}


def test_parts_of_predictions_are_refused_in_one_line(trained):
    folder, _ = trained
    done = in_process(folder, "predict", "run", "rows.npz", "--out", "parts.npz", "--explain")
    assert done.code == 2
    assert "--explain needs a model whose only input is a table, but this one has the inputs photo, walk" in done.err


def test_the_linear_baseline_is_of_the_table_and_says_so(trained):
    _, done = trained
    assert "logistic regression on the columns of the table alone" in done.err


def test_columns_can_be_several_inputs(rows):
    inputs = "  inputs: {body: [age, height], place: [area]}\n  features: {photo: ignore, walk: ignore}\n"
    (rows / "config.yaml").write_text(experiment("{type: fusion}", inputs))
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    assert json.loads((rows / "run" / "model.json").read_text())["inputs"] == {"body": [2], "place": [1]}
    assert json.loads((rows / "run" / "preprocessing.json").read_text())["groups"] == {
        "age": "body",
        "height": "body",
        "area": "place",
    }
    assert in_process(rows, "evaluate", "run").code == 0


@pytest.mark.parametrize(
    ("inputs", "place", "message"),
    [
        ("{body: [agee]}", "6:19", "rows.npz: no such column (did you mean 'age'?)"),
        ("{body: [photo]}", "6:19", "column 'photo' is an input of its own, so it cannot be a part of this input"),
        ("{photo: [age]}", "6:12", "column 'photo' is an input with this name; take another one"),
        ("{body: [age], other: [age]}", "6:33", "'age' is in the input 'body' already"),
        ("{body: [age, y]}", "6:24", "'y' is the target, so it cannot feed an input (remove it)"),
    ],
)
def test_inputs_that_cannot_be_are_refused_at_their_line(rows, inputs, place, message):
    (rows / "config.yaml").write_text(experiment("{type: fusion}", f"  inputs: {inputs}\n"))
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    assert f"config.yaml:{place}: " in done.err
    assert message in done.err


def test_all_inputs_that_cannot_be_are_said_at_once(rows):
    inputs = "  inputs: {a: [agee, area], photo: [height], b: [walk]}\n"
    (rows / "config.yaml").write_text(experiment("{type: fusion}", inputs))
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    for place in ("data.inputs.a[0]: ", "data.inputs.photo: ", "data.inputs.b[0]: "):
        assert done.err.count(f" {place}") == 1, done.err


def test_all_encoders_that_do_not_fit_are_said_at_once(rows):
    encoders = "{phot: cnn, photo: {type: rnn}, walk: {type: cnn, filters: [4, 4, 4, 4, 4]}, table: {type: pooled}}"
    (rows / "config.yaml").write_text(experiment(f"{{type: fusion, inputs: {encoders}}}"))
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    for place in ("phot", "photo", "walk", "table"):
        assert done.err.count(f" model.inputs.{place}: ") == 1, done.err


@pytest.mark.parametrize("model", ["mlp", "linear", "cnn", "{type: sequential, layers: [Flatten]}"])
def test_a_model_of_one_input_says_which_models_take_several(rows, model):
    (rows / "config.yaml").write_text(experiment(model))
    done = in_process(rows, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    assert "config.yaml:6" in done.err
    assert "photo, walk, table" in done.err
    assert "fusion" in done.err


def test_index_numbers_that_no_training_row_has_are_refused_at_their_row(tmp_path):
    draw = np.random.default_rng(0)
    words = draw.integers(0, 50, (60, 6))
    words[0, 0] = 49
    np.savez(tmp_path / "words.npz", s=words, y=words[:, 0] * 1.5)
    np.savez(tmp_path / "new.npz", s=np.full((2, 6), 55))
    text = "data: {source: {type: npz, path: words.npz}, target: y}\nmodel: {type: pooled, indices: 10}\n"
    (tmp_path / "config.yaml").write_text(f"{text}training: {{epochs: 1}}\n")
    done = in_process(tmp_path, "train", "config.yaml")
    assert (done.code, "config.yaml:2:32: model.indices: the largest index in the data is 49" in done.err) == (3, True)
    (tmp_path / "config.yaml").write_text(f"{text.replace('10', '50')}training: {{epochs: 1}}\n")
    assert in_process(tmp_path, "train", "config.yaml", "--run-dir", "run").code == 0
    done = in_process(tmp_path, "predict", "run", "new.npz", "--out", "out.npz")
    assert (done.code, "column 's': expected an index from 0 to 49, found 55" in done.err) == (4, True)
