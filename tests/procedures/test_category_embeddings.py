"""Categories as vectors that the model learns, through the commands."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.conftest import in_process

CONFIG = """\
name: embedded
data:
  source: {type: csv, path: rows.csv}
  target: price
  features:
    town: {type: category, encoding: embedding, width: 3}
    kind: {type: category, encoding: embedding}
  split: {type: random, validation: 0.2, test: 0.2}
model: MODEL
training: {epochs: 2, batch_size: 16}
"""


@pytest.fixture(scope="module", params=["mlp", pytest.param("fusion", marks=pytest.mark.long)])
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded")
    draw = np.random.default_rng(0)
    towns, kinds = [f"town {number}" for number in range(12)], ["flat", "house", ""]
    rows = [
        f"{draw.choice(towns)},{draw.choice(kinds)},{draw.normal():.3f},{draw.normal() * 10:.2f}" for _ in range(120)
    ]
    (folder / "rows.csv").write_text("\n".join(["town,kind,area,price", *rows]) + "\n")
    (folder / "config.yaml").write_text(CONFIG.replace("MODEL", request.param))
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    return folder, done


def test_each_category_is_an_input_with_vectors_of_its_width(trained):
    folder, done = trained
    architecture = json.loads((folder / "run" / "model.json").read_text())
    assert architecture["inputs"] == {"town": [1], "kind": [1], "table": [1]}
    tables = [layer["parameters"] for layer in architecture["layers"] if layer["kind"] == "Embedding"]
    assert tables == [13 * 3, 4 * 3]  # 0 is for what no training row has; 1.6 × 3^0.56 is 3
    assert "predicts the same for 24 raw test rows" in done.err


def test_an_unknown_category_is_a_vector_of_zeros_and_is_counted(trained):
    folder, _ = trained
    (folder / "new.csv").write_text("town,kind,area\nnowhere,flat,0.5\ntown 3,flat,0.5\n")
    done = in_process(folder, "predict", "run", "new.csv", "--out", "out.csv")
    assert done.code == 0, done.err
    assert "town: 1 of 2 rows" in done.err
    assert len((folder / "out.csv").read_text().splitlines()) == 3


def test_evaluate_gives_the_numbers_of_the_training(trained):
    folder, _ = trained
    recorded = json.loads((folder / "run" / "metrics.json").read_text())["splits"]["test"]["metrics"]
    assert json.loads(in_process(folder, "evaluate", "run", "--json").out)["splits"]["test"]["metrics"] == recorded


def test_the_width_is_for_embeddings(tmp_path):
    (tmp_path / "rows.csv").write_text("a,y\n1,2\n")
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: rows.csv}, target: y, features: {a: {type: category, width: 3}}}\n"
        "model: mlp\n"
    )
    done = in_process(tmp_path, "validate", "config.yaml")
    assert done.code == 3
    assert "data.features.a.width: only an embedding has vectors (set encoding: embedding, or remove width)" in done.err
