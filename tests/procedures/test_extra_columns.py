"""A column that only held-out rows have is left out, where the config does not name it."""

import pytest

CONFIG = """\
name: extra
data:
  source: {type: csv, path: tr.csv}
  target: y
  split: {type: files, %s}
model: {type: mlp, units: [4]}
training: {epochs: 1}
"""
FILE = "{type: csv, path: te.csv}"


@pytest.fixture
def train(mltrain, tmp_path):
    def run(train="x,y", other="x,extra,y", split=f"validation: 0.2, test: {FILE}", *more):
        for name, header in (("tr.csv", train), ("te.csv", other)):
            width = header.count(",")
            rows = [",".join([*(str(row + n / 3) for n in range(width)), "ab"[row % 2]]) for row in range(30)]
            (tmp_path / name).write_text("\n".join([header, *rows]) + "\n")
        (tmp_path / "c.yaml").write_text(CONFIG % split)
        return mltrain("train", "c.yaml", "--runs-dir", "runs", *more)

    return run


@pytest.mark.parametrize("split", [f"validation: 0.2, test: {FILE}", f"validation: {FILE}"])
def test_it_is_left_out_and_reported(train, mltrain, split):
    done = train(split=split)
    assert done.code == 0, done.err
    said = "without column 'extra' of te.csv"
    assert said in done.err and "tr.csv, which has the training rows, does not have it" in done.err
    assert mltrain("evaluate", done.run).code == 0


def test_one_that_the_config_names_is_needed(train):
    refused = train("x,y", "x,extra,y", f"validation: 0.2, test: {FILE}", "--set", "data.features.extra=number")
    assert refused.code == 4
    assert "tr.csv: no column 'extra', which te.csv has" in refused.err
    refused = train("x,z", "x,y,z")
    assert refused.code == 4
    assert "tr.csv: no column 'y'" in refused.err


def test_a_misspelled_one_is_an_error_of_its_file(train):
    refused = train("colour,y", "color,y")
    assert refused.code == 4
    assert "te.csv: no column 'colour' (did you mean 'color'?)" in refused.err


def test_the_file_of_the_training_is_reported(train, mltrain, tmp_path):
    run = train("x,y", "x,y", "validation: 0.2").run
    found = mltrain("evaluate", run, "--data", "tr.csv")
    assert found.code == 0, found.err
    assert "tr.csv is the file that the run was trained on: its rows include the training rows" in found.err
    lines = (tmp_path / "tr.csv").read_text().splitlines()
    (tmp_path / "te.csv").write_text("\n".join([lines[0], "77,a", "78,b"]) + "\n")
    assert "trained on" not in mltrain("evaluate", run, "--data", "te.csv").err
