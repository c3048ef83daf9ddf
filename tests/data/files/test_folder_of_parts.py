"""A folder of parts, as Spark and others write a table, is named as such, and the advice makes one file of it."""

import shlex
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

CONFIG = "data: {source: {type: parquet, path: data.parquet}, target: y}\nmodel: {type: linear}\n"


def parts(folder):
    folder.mkdir()
    for number in range(3):
        rows = {"x": [number + row / 10 for row in range(10)], "y": ["a", "b"] * 5}
        parquet.write_table(pa.table(rows), folder / f"part-0000{number}.snappy.parquet")
    (folder / "_SUCCESS").touch()
    (folder / ".part-00000.snappy.parquet.crc").write_bytes(b"crc")


def test_the_advice_of_the_error_makes_one_file(tmp_path, mltrain):
    parts(tmp_path / "data.parquet")
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("audit", "config.yaml")
    assert done.code == 4
    assert "data.parquet: this is a folder of 3 files, such as part-00000.snappy.parquet, and one file is" in done.err
    assert done.err.count("\n") == 1
    command = shlex.split(done.err[done.err.index("(python") + 1 : done.err.index(") and name that")])
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, check=True)
    assert mltrain("audit", "config.yaml", "--set", "data.source.path=one.parquet").code == 0
    assert parquet.read_metadata(tmp_path / "one.parquet").num_rows == 30


@pytest.mark.parametrize(("form", "advice"), [("csv", "the header once"), ("jsonl", "cat ")])
def test_other_forms_have_their_own_advice(form, advice, tmp_path, mltrain):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f"part-0.{form}").write_text("x,y\n1,a\n")
    (tmp_path / "config.yaml").write_text(
        CONFIG.replace("data.parquet", "data").replace("type: parquet", f"type: {form}")
    )
    done = mltrain("audit", "config.yaml")
    assert done.code == 4
    assert f"data: this is a folder of 1 file, such as part-0.{form}" in done.err
    assert advice in done.err


def test_a_folder_of_other_things_is_a_directory(tmp_path, mltrain):
    (tmp_path / "data.parquet").mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = mltrain("audit", "config.yaml")
    assert (done.code, "expected a regular file, found a directory" in done.err) == (4, True)


def test_predict_and_evaluate_say_so_too(tmp_path, mltrain):
    parts(tmp_path / "data.parquet")
    parquet.write_table(parquet.read_table(tmp_path / "data.parquet"), tmp_path / "one.parquet")
    (tmp_path / "config.yaml").write_text(CONFIG.replace("data.parquet", "one.parquet") + "training: {epochs: 1}\n")
    assert mltrain("train", "config.yaml", "--quiet", "--run-dir", "run").code == 0
    for command in (("predict", "run", "data.parquet"), ("evaluate", "run", "--data", "data.parquet")):
        done = mltrain(*command)
        assert done.code == 4
        assert "this is a folder of 3 files" in done.err, command
