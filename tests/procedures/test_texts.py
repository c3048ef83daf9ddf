"""Texts through the real commands: from a file to a trained model, and to predictions for new rows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

GOOD, BAD = ["good", "fine", "great", "schön", "好"], ["bad", "poor", "awful", "häßlich", "坏"]
CONFIG = """
data:
  source: {{type: jsonl, path: rows.jsonl}}
  target: liked
  features: {features}
  split: {{type: random, validation: 0.2, test: 0.2}}
model: {model}
training: {{epochs: 2, batch_size: 16}}
"""
EMBEDDING = "{type: sequential, layers: [{type: Embedding, input_dim: auto, output_dim: 4, mask_zero: true}, GRU-4]}"
EMBEDDING = EMBEDDING.replace("GRU-4", "{type: GRU, units: 4}")


def rows(count):
    for number in range(count):
        liked = number % 2
        word = (GOOD if liked else BAD)[number // 2 % 5]
        yield {
            "review": f"The {word.upper() if number % 3 else word} film, no. {number}",
            "liked": liked,
            "year": number,
        }


@pytest.fixture
def folder_of_texts(tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(160)), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("features", "model"),
    [
        pytest.param("{review: {type: text, length: 6}, year: ignore}", EMBEDDING, marks=pytest.mark.long),
        pytest.param("{review: {type: text, by: characters}, year: ignore}", EMBEDDING, marks=pytest.mark.long),
        pytest.param("{review: {type: text, encoding: tf_idf, ngrams: 2}}", "{type: linear}", marks=pytest.mark.long),
        ("{review: {type: text, encoding: hashed, buckets: 32}, year: ignore}", "{type: mlp, units: [4]}"),
    ],
    ids=["words", "characters", "tf_idf", "hashed"],
)
def test_from_a_file_to_predictions(mltrain, folder_of_texts, features, model):
    folder = folder_of_texts
    (folder / "c.yaml").write_text(CONFIG.format(features=features, model=model), encoding="utf-8")
    trained = mltrain("train", "c.yaml", "--run-dir", "run", "--verify-export")
    assert trained.code == 0, trained.err
    assert "opened in another process, predicts the same for" in trained.err
    measured = mltrain("evaluate", "run", "--json")
    assert measured.code == 0, measured.err

    whole = [{"review": row["review"], "year": row["year"]} for row in rows(6)]
    whole += [{"review": None, "year": 1}, {"review": "a\0b [UNK] <pad> \u202e\n", "year": 2}]
    whole += [{"review": "good " * 100_000, "year": 3}]
    (folder / "new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in whole), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(whole), folder / "new.parquet")
    for name in ("new.jsonl", "new.parquet"):
        predicted = mltrain("predict", "run", name, "--proba", "--out", f"out-{name}")
        assert predicted.code == 0, predicted.err
    lines = [json.loads(line) for line in (folder / "out-new.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["prediction"] for line in lines] == pq.read_table(folder / "out-new.parquet")["prediction"].to_pylist()
    assert len(lines) == len(whole)


def test_a_text_is_used_where_it_is_all_there_is(mltrain, folder_of_texts):
    folder = folder_of_texts
    for model, encoding in (("{type: linear}", "tf_idf"), (EMBEDDING, "tokens")):
        config = CONFIG.format(features="{year: ignore}", model=model).replace("epochs: 2", "epochs: 1")
        (folder / "c.yaml").write_text(config, encoding="utf-8")
        trained = mltrain("train", "c.yaml", "--run-dir", f"run-{encoding}")
        assert trained.code == 0, trained.err
        said = f"review: text (holds free text, and is all there is to learn from; the model takes {encoding})"
        assert said in trained.err


def test_a_text_beside_other_columns_is_left_out_and_says_how_to_use_it(mltrain, folder_of_texts):
    (folder_of_texts / "c.yaml").write_text(CONFIG.format(features="{}", model="{type: linear}"), encoding="utf-8")
    trained = mltrain("train", "c.yaml", "--run-dir", "run")
    assert trained.code == 0, trained.err
    record = json.loads((folder_of_texts / "run" / "record.json").read_text(encoding="utf-8"))
    (said,) = [each for each in record["decisions"] if each["what"] == "features.review"]
    assert said["value"] == "ignore"
    assert "data.features.review: {type: text, encoding: tf_idf} makes columns of it" in said["reason"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "{type: mlp}",
            "tokens of the text 'review' are index numbers, which a layer must look up first",
        ),
        (
            "{type: sequential, layers: [{type: Dense, units: 2}]}",
            "or set data.features.review.encoding: tf_idf for columns of numbers",
        ),
        (EMBEDDING.replace("auto", "5"), r"expected at least \d+ \(or auto\), received 5"),
    ],
)
def test_a_model_that_does_not_look_tokens_up_is_refused(mltrain, folder_of_texts, model, message):
    config = CONFIG.format(features="{review: text, year: ignore}", model=model)
    (folder_of_texts / "c.yaml").write_text(config, encoding="utf-8")
    refused = mltrain("train", "c.yaml", "--run-dir", "run")
    assert refused.code != 0
    assert re.search(message, refused.err), refused.err


def test_auto_is_for_texts(mltrain, folder_of_texts):
    config = CONFIG.format(features="{review: ignore, year: number}", model=EMBEDDING.replace(", mask_zero: true", ""))
    (folder_of_texts / "c.yaml").write_text(config, encoding="utf-8")
    refused = mltrain("train", "c.yaml", "--run-dir", "run")
    assert "auto is the number of tokens of a text, but 'table' holds other numbers" in refused.err


def test_the_predictions_do_not_depend_on_padding(mltrain, folder_of_texts):
    """A mask is passed on: with twice the length the same weights give the same numbers."""
    folder, written = folder_of_texts, []
    for length in (8, 16):
        config = CONFIG.format(features=f"{{review: {{type: text, length: {length}}}, year: ignore}}", model=EMBEDDING)
        (folder / "c.yaml").write_text(config, encoding="utf-8")
        trained = mltrain("train", "c.yaml", "--run-dir", f"run{length}")
        assert trained.code == 0, trained.err
        written.append(json.loads((folder / f"run{length}" / "metrics.json").read_text(encoding="utf-8")))
    losses = [each["splits"]["test"]["metrics"]["loss"]["value"] for each in written]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.long
def test_two_processes_write_the_same_bytes(folder_of_texts):
    config = CONFIG.format(features="{review: {type: text}, year: ignore}", model=EMBEDDING)
    (folder_of_texts / "c.yaml").write_text(config, encoding="utf-8")
    written = []
    for number in range(2):
        command = [sys.executable, "-m", "mltrain", "train", "c.yaml", "--run-dir", f"run{number}"]
        environment = {**os.environ, "PYTHONHASHSEED": str(number)}
        subprocess.run(command, cwd=folder_of_texts, check=True, capture_output=True, env=environment)
        run = folder_of_texts / f"run{number}"
        written.append([(run / name).read_bytes() for name in ("preprocessing.json", "metrics.json", "history.csv")])
    assert written[0][0] == written[1][0]
    assert json.loads(written[0][1])["splits"] == json.loads(written[1][1])["splits"]


@pytest.mark.parametrize(
    ("features", "model"),
    [
        ("{review: text, year: ignore}", "{type: pooled, width: 4}"),
        ("{review: {type: text, encoding: hashed, buckets: 8}, year: number}", "{type: linear}"),
    ],
)
def test_the_worst_rows_show_the_beginnings_of_their_texts(mltrain, folder_of_texts, features, model):
    folder, strange = folder_of_texts, "\u202e<b>\x1b[2J"
    made = [{**row, "review": f"{strange} {row['review']} {'word ' * 100}"} for row in rows(160)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    (folder / "c.yaml").write_text(CONFIG.format(features=features, model=model), encoding="utf-8")
    done = mltrain("train", "c.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    examples = json.loads((folder / "run" / "examples.json").read_text(encoding="utf-8"))
    assert (examples["columns"][0], examples["texts"]) == ("review", 1)
    for each in examples["examples"]:
        whole = made[each["row"]]["review"]
        assert each["values"][0].startswith("\\u202e<b>\\x1b[2J The ")
        assert each["values"][0][40:100] in whole
        assert len(each["values"][0]) == 200
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "\\u202e&lt;b&gt;\\x1b[2J The" in page
    assert not set(strange[:1] + "\x1b") & set(page)
