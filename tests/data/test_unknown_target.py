"""`target: {column: …, missing: skip}`: rows that lack the only target are left out, everywhere alike."""

import csv
import json
import random

import pytest

from tests.conftest import in_process

CONFIG = """\
name: gaps
data:
  source: {{type: csv, path: rows.csv}}
  target: {{column: price, missing: {missing}}}
  split: {split}
model: {{type: linear}}
training: {{epochs: 3}}
"""
RANDOM = "{type: random, validation: 0.2, test: 0.2}"
ROWS, GAPS = 100, (3, 50, 99)


def write(folder, name="rows.csv", gaps=GAPS, seed=1):
    draw = random.Random(seed)
    with (folder / name).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["size", "price"])
        for number in range(ROWS):
            size = draw.randint(10, 90)
            rows.writerow([size, "" if number in gaps else size * 2 + draw.randint(0, 9)])


def train(folder, missing="skip", split=RANDOM):
    (folder / "config.yaml").write_text(CONFIG.format(missing=missing, split=split))
    return in_process(folder, "train", "config.yaml", "--run-dir", "run")


def rows_of(folder):
    splits = json.loads((folder / "run" / "metrics.json").read_text())["splits"]
    return {name: split["n"] for name, split in splits.items()}


def test_without_skip_the_first_row_is_an_error(tmp_path):
    write(tmp_path)
    done = train(tmp_path, missing="error")
    assert done.code == 4
    assert "rows.csv:5: column 'price': the target is missing (and 2 more)" in done.err
    assert "data.target.missing: skip leaves such rows out" in done.err


def test_the_rows_are_left_out_and_counted(tmp_path):
    write(tmp_path)
    done = train(tmp_path)
    assert done.code == 0, done.err
    assert "3 rows of 100 lack the target 'price'" in done.err
    assert sum(rows_of(tmp_path).values()) == ROWS - len(GAPS)
    recorded = json.loads((tmp_path / "run" / "metrics.json").read_text())["splits"]["test"]["metrics"]
    evaluated = json.loads(in_process(tmp_path, "evaluate", "run", "--json").out)["splits"]["test"]["metrics"]
    assert evaluated == recorded


def test_the_predictions_name_the_rows_of_the_file(tmp_path):
    write(tmp_path, gaps=(0, 1))
    assert train(tmp_path).code == 0
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    done = in_process(tmp_path, "predict", "run", "rows.csv", "--out", "out.csv")
    assert done.code == 0, done.err
    assert len((tmp_path / "out.csv").read_text().splitlines()) == len(lines)  # also those without a target


def test_rows_of_another_file_are_left_out_and_counted(tmp_path):
    write(tmp_path)
    write(tmp_path, "other.csv", gaps=(7,), seed=2)
    assert train(tmp_path).code == 0
    done = in_process(tmp_path, "evaluate", "run", "--data", "other.csv", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["splits"]["other.csv"]["n"] == ROWS - 1
    assert "1 row of 100 lacks the target 'price': left out" in found["data_sentences"]


def test_each_file_of_a_split_keeps_its_rows(tmp_path):
    write(tmp_path)
    write(tmp_path, "other.csv", gaps=(0, 1, 2, 3), seed=2)
    done = train(tmp_path, split="{type: files, validation: 0.2, test: {type: csv, path: other.csv}}")
    assert done.code == 0, done.err
    rows = rows_of(tmp_path)
    assert rows["test"] == ROWS - 4
    assert rows["train"] + rows["validation"] == ROWS - len(GAPS)


def test_a_file_without_any_target_is_an_error(tmp_path):
    write(tmp_path, gaps=range(ROWS))
    done = train(tmp_path)
    assert done.code == 4
    assert "rows.csv: column 'price': the target is missing in every row" in done.err


@pytest.mark.parametrize("columns", ["windows: {length: 4}\n  split: {type: time}"])
def test_windows_need_every_row(mltrain, tmp_path, columns):
    write(tmp_path, gaps=())
    text = CONFIG.format(missing="skip", split=RANDOM).replace(f"split: {RANDOM}", columns)
    (tmp_path / "config.yaml").write_text(text)
    done = mltrain("validate", "config.yaml")
    assert done.code == 3
    assert "data.target.missing has no meaning" in done.err
