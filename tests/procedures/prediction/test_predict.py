"""`mltrain predict`: every row comes back as it was, with what the model says of it, and what is odd is said."""

import csv
import gzip
import json
import math
import os
import shutil
import signal

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.conftest import in_process
from tests.csv_files import read_csv

ROWS = 240


def table(rows, seed, shift=0.0):
    """Return columns of every kind: numbers with some missing, categories, truth values, dates, and names."""
    draw = np.random.default_rng(seed)
    size = draw.normal(size=rows) + shift
    color = draw.choice(["red", "green", "blue"], rows)
    return {
        "id": [f'{row:04d}, "{row}"' for row in range(rows)],
        "size": [None if row % 10 == 9 else round(float(value), 3) for row, value in enumerate(size)],
        "color": color.tolist(),
        "sold": [f"2024-{month:02d}-01" for month in draw.integers(1, 13, rows)],
        "large": ["true" if value else "false" for value in draw.random(rows) > 0.5],
        "y": [int(a > 0.3) for a in np.nan_to_num(size) + (color == "red")],
    }


def write_csv(path, columns):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Runs for two classes, three classes, a number, and images; each test works on a copy."""
    folder = tmp_path_factory.mktemp("predict")
    columns = table(ROWS, 0)
    write_csv(folder / "two.csv", columns)
    write_csv(folder / "three.csv", {**columns, "y": [f"has {text}" for text in columns["color"]]})
    write_csv(folder / "number.csv", {**columns, "y": [100.5 + (value or 0) * 20 for value in columns["size"]]})
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (90, 4, 4), np.uint8)
    np.savez_compressed(folder / "images.npz", image=images, label=np.arange(90) % 3, id=np.arange(90))
    for name, data in {
        "two": "source: {type: csv, path: two.csv}, target: y",
        "three": "source: {type: csv, path: three.csv}, target: y",
        "number": "source: {type: csv, path: number.csv}, target: {column: y, scale: standard}",
        "images": "source: {type: npz, path: images.npz, arrays: {x: image, y: label}}, target: y",
    }.items():
        model = "{type: mlp, units: [4]}" if name != "images" else "{type: sequential, layers: [Flatten]}"
        (folder / "config.yaml").write_text(f"data: {{{data}}}\nmodel: {model}\ntraining: {{epochs: 2}}\n")
        done = in_process(folder, "train", "config.yaml", "--run-dir", name, "--quiet")
        assert done.code == 0, done.err
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return tmp_path


def of_split(folder, run, split="test"):
    """Return the rows of a split of a run with what the model said of them when it was measured, and the classes."""
    from mltrain.data.examples import encode_examples
    from mltrain.data.sources import read_file
    from mltrain.procedures.measurement import predict_split
    from mltrain.procedures.stored_model import read_model
    from mltrain.run.rundir import RunDirectory

    stored = read_model(RunDirectory(folder / run))
    network = stored.network()
    rows = stored.splits[split]
    data = read_file(stored.spec.data.source.path, {}, like=stored.spec.data.source).take(rows)
    predicted = predict_split(network, encode_examples(stored.preprocessing, data)).tempered(network, stored.rule)
    return rows, predicted.values, network.info.output.classes


@pytest.mark.parametrize("run", ["two", "three"])
def test_classes_are_those_that_an_evaluation_sees_bit_by_bit(predict, folder, run):
    rows, predictions, classes = of_split(folder, run)
    lines = read_csv(folder / f"{run}.csv")
    chosen = {name: [lines[row][name] for row in rows] for name in lines[0]}
    write_csv(folder / "new.csv", chosen)
    predict(run, "new.csv", "--out", "out.csv", "--proba")
    found = read_csv(folder / "out.csv")
    shares = np.array([[np.float32(row[f"probability_{name}"]) for name in classes] for row in found])
    expected = np.stack([1 - predictions, predictions], axis=1) if run == "two" else predictions
    assert np.array_equal(shares, expected)
    assert [row["prediction"] for row in found] == [classes[place] for place in expected.argmax(axis=1)]


def test_numbers_are_in_the_units_of_the_target_bit_by_bit(predict, folder):
    rows, predictions, _ = of_split(folder, "number")
    lines = read_csv(folder / "number.csv")
    write_csv(folder / "new.csv", {name: [lines[row][name] for row in rows] for name in lines[0]})
    predict("number", "new.csv", "--out", "out.csv")
    assert [float(row["prediction"]) for row in read_csv(folder / "out.csv")] == predictions.tolist()
    assert 50 < predictions.mean() < 150


def test_every_form_comes_back_as_it_was_with_the_same_predictions(predict, folder):
    columns = table(50, 1)
    del columns["y"]  # the target need not be there
    write_csv(folder / "new.csv", columns)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    (folder / "new.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    written = pa.table({**columns, "vector": [[1.0, 2.0]] * 50})
    parquet.write_table(written, folder / "new.parquet")
    found = {}
    for form in ("csv", "jsonl", "parquet"):
        predict("two", f"new.{form}", "--out", f"out.{form}", "--proba")
    found["csv"] = read_csv(folder / "out.csv")
    found["jsonl"] = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    result = parquet.read_table(folder / "out.parquet")
    found["parquet"] = result.to_pylist()
    assert result.select(written.column_names).equals(written)
    added = ["prediction", "probability_0", "probability_1"]
    assert list(found["csv"][0]) == [*columns, *added]
    for row, line, item, came in zip(found["csv"], found["jsonl"], found["parquet"], rows, strict=True):
        assert {name: row[name] for name in columns} == {
            name: "" if value is None else str(value) for name, value in came.items()
        }
        assert {name: line[name] for name in columns} == came
        assert int(row["prediction"]) == line["prediction"] == item["prediction"]
        for name in added[1:]:
            assert np.float32(row[name]) == np.float32(line[name]) == item[name]


def test_arrays_come_back_with_their_predictions(predict, folder):
    draw = np.random.default_rng(1)
    came = {"image": draw.integers(0, 256, (20, 4, 4), np.uint8), "id": np.arange(20), "about": np.array("a note")}
    np.savez_compressed(folder / "new.npz", **came)
    predict("images", "new.npz", "--out", "out.npz", "--proba")
    with np.load(folder / "out.npz") as out:
        assert list(out) == [*came, "prediction", "probability_0", "probability_1", "probability_2"]
        for name, array in came.items():
            assert np.array_equal(out[name], array)
        shares = np.stack([out[f"probability_{name}"] for name in range(3)], axis=1)
        assert np.array_equal(out["prediction"], shares.argmax(axis=1))
        assert np.allclose(shares.sum(axis=1), 1)
    done = predict("images", "new.npz")
    assert done.out.splitlines()[0] == "id,prediction"
    left_out = "these columns cannot be written as text and were left out: x, about\n"
    assert left_out in done.err
    assert left_out in predict("images", "new.npz", "--out", "out.csv").err
    assert (folder / "out.csv").read_text() == done.out
    assert left_out not in predict("images", "new.npz", "--quiet").err


def test_arrays_that_are_not_needed_are_copied_unread(predict, folder):
    came = {"image": np.zeros((5, 4, 4), np.uint8), "pickled": np.array([{}] * 5, object), "wave": np.ones(5, complex)}
    np.savez(folder / "new.npz", **came)
    predict("images", "new.npz", "--out", "out.npz")
    with np.load(folder / "out.npz") as out, np.load(folder / "new.npz") as new:
        assert out.files == [*came, "prediction"]
        assert all(out.zip.read(f"{name}.npy") == new.zip.read(f"{name}.npy") for name in came)


@pytest.mark.parametrize("form", ["csv.gz", "tsv", "jsonl.gz"])
def test_other_endings(predict, folder, form):
    columns = table(30, 1)
    rows = list(zip(*columns.values(), strict=True))
    lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
    if "csv" in form:
        lines = ["size,color,sold,large", *(f"{row[1] or ''},{row[2]},{row[3]},{row[4]}" for row in rows)]
    elif form == "tsv":
        lines = [
            "size\tcolor\tsold\tlarge\tnote",
            *(f"{row[1] or ''}\t{row[2]}\t{row[3]}\t{row[4]}\ta, b" for row in rows),
        ]
    data = "".join(f"{line}\n" for line in lines).encode()
    (folder / f"new.{form}").write_bytes(gzip.compress(data) if form.endswith("gz") else data)
    for name in ("one", "two"):
        predict("two", f"new.{form}", "--out", f"{name}.{form}")
    found = (folder / f"one.{form}").read_bytes()
    assert found == (folder / f"two.{form}").read_bytes()
    found = gzip.decompress(found) if form.endswith("gz") else found
    for line, came in zip(found.decode().splitlines(), lines, strict=True):
        assert line.startswith(came.rstrip("}"))
        assert line[len(came.rstrip("}")) :].lstrip(", \t").startswith(("prediction", '"prediction": ', "0", "1"))


def test_blocks_of_any_size_give_the_same_bits(predict, folder, monkeypatch):
    from mltrain.data.streams import delimited
    from mltrain.training import acceleration

    monkeypatch.setattr(acceleration, "_LARGEST_BLOCK", 32)
    write_csv(folder / "new.csv", table(1000, 2))
    predict("two", "new.csv", "--out", "whole.csv", "--proba")
    whole = delimited.DelimitedStream.__init__

    def small(self, file, name, dialect, wanted):
        whole(self, file, name, dialect, wanted, 700)

    monkeypatch.setattr(delimited.DelimitedStream, "__init__", small)
    predict("two", "new.csv", "--out", "parts.csv", "--proba")
    assert (folder / "parts.csv").read_bytes() == (folder / "whole.csv").read_bytes()


def test_standard_output_and_standard_input(shell, folder):
    line = "mltrain predict two - < two.csv | tee out.csv | wc -l; mltrain predict two two.csv --quiet | cmp - out.csv"
    done = shell(f"set -euo pipefail; {line}")
    assert done.code == 0, done.err
    assert done.out.strip() == str(ROWS + 1)


@pytest.mark.long
def test_a_reader_that_leaves(shell, folder):
    write_csv(folder / "new.csv", table(50_000, 3))
    done = shell("mltrain predict two new.csv --quiet | head -1; exit ${PIPESTATUS[0]}")
    assert done.code == 141
    assert done.out.strip() == "id,size,color,sold,large,y,prediction"
    assert done.err == ""


@pytest.mark.parametrize(
    ("form", "line", "said"),
    [
        ("csv", "x,1,red,2024-01-01,true,1,more", "new.csv:{line}: 7 fields, where the header has 6"),
        ("csv", "x,many,red,2024-01-01,true,1", "new.csv:{line}: column 'size': 'many' is not a number"),
        ("csv", "x,1,red,soon,true,1", "new.csv:{line}: column 'sold': 'soon' is not a date"),
        ("jsonl", '{"size": "many"}', "new.jsonl:{line}: column 'size': 'many' is not a number"),
        ("jsonl", "{size: 1}", "new.jsonl:{line}: not JSON"),
    ],
)
def test_a_bad_row_in_the_middle_leaves_nothing(predict, folder, monkeypatch, form, line, said):
    from mltrain.data.streams import delimited, json_lines

    for module, name in ((delimited, "DelimitedStream"), (json_lines, "JsonLinesStream")):
        made = getattr(module, name).__init__

        def small(self, file, name, how, wanted, made=made):
            made(self, file, name, how, wanted, 4000)

        monkeypatch.setattr(getattr(module, name), "__init__", small)
    columns = table(2000, 4)
    if form == "csv":
        write_csv(folder / "new.csv", columns)
    else:
        rows = zip(*columns.values(), strict=True)
        (folder / "new.jsonl").write_text("\n".join(json.dumps(dict(zip(columns, row, strict=True))) for row in rows))
    lines = (folder / f"new.{form}").read_text().splitlines()
    lines[1500] = line
    (folder / f"new.{form}").write_text("\n".join(lines))
    before = sorted(path.name for path in folder.iterdir())
    assert predict("two", f"new.{form}", "--out", f"out.{form}", "--summary", "s.json", code=4).startswith(
        f"error: {said.format(line=1501)}"
    )
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_signal_leaves_nothing(predict, folder, monkeypatch):
    from mltrain.procedures.network import Network

    def stopped(self, outputs, temperature):
        assert list(folder.glob(".tmp-*"))
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal did not end it")

    monkeypatch.setattr(Network, "predictions", stopped)
    assert predict("two", "two.csv", "--out", "out.csv", code=143) == "stopped by SIGTERM\n"
    assert not (folder / "out.csv").exists()
    assert not list(folder.glob(".tmp-*"))


def test_a_file_that_cannot_be_written_is_exit_7_and_leaves_nothing(shell, folder):
    write_csv(folder / "new.csv", table(20_000, 3))
    done = shell("ulimit -f 100; mltrain predict two new.csv --out out.csv --quiet")
    assert done.code == 7, done.err
    assert done.err == "error: out.csv: cannot write: File too large; name a file elsewhere\n"
    assert not (folder / "out.csv").exists()
    assert not list(folder.glob(".tmp-*"))


def odd(folder):
    columns = table(200, 5)
    columns["color"][3] = columns["color"][4] = "violet"
    columns["size"][0] = 99.0
    columns["large"][7] = None
    write_csv(folder / "odd.csv", columns)


def test_what_is_odd_is_counted_and_said(predict, folder):
    odd(folder)
    done = predict("two", "odd.csv", "--out", "out.csv", "--json")
    found = json.loads(done.out)
    assert found["rows"] == 200
    assert found["missing"] == {"size": {"n": 20, "in_training": True}, "large": {"n": 1, "in_training": False}}
    assert found["unknown"] == {"color": 2}
    (outside,) = found["outside"].values()
    sizes = [float(row["size"] or 0) for row in read_csv(folder / "odd.csv")]
    assert outside["n"] == sum(not outside["low"] <= size <= outside["high"] for size in sizes)
    assert outside["high"] < 99
    assert list(found["drift"]) == ["size", "color", "sold.month", "sold.weekday", "large"]
    assert "size: 20 of 200 rows missing; filled as in training" in done.err
    assert "large: 1 of 200 rows missing, but training rows have none missing; filled as in training" in done.err
    assert "color: 2 of 200 rows in categories that training rows do not have" in done.err
    assert f"size: {outside['n']} of 200 rows outside the range of the training rows, " in done.err


def test_strict_refuses_what_is_odd_and_leaves_nothing(predict, folder):
    odd(folder)
    said = predict("two", "odd.csv", "--out", "out.csv", "--strict", code=4)
    assert "categories that training rows do not have (color: 2)" in said
    assert "values outside the range of the training rows (size: " in said
    assert "missing values where training rows have none (large: 1)" in said
    assert not (folder / "out.csv").exists()
    assert not list(folder.glob(".tmp-*"))
    lines = (folder / "two.csv").read_text().splitlines()
    rows = np.load(folder / "two" / "splits" / "train.npy")
    (folder / "known.csv").write_text("\n".join([lines[0], *(lines[row + 1] for row in rows)]))
    predict("two", "known.csv", "--out", "out.csv", "--strict")
    assert "--strict needs --out" in predict("two", "two.csv", "--strict", code=2)


def test_drift_is_said_of_the_columns_that_drifted_only(predict, folder):
    write_csv(folder / "same.csv", table(2000, 6))
    write_csv(folder / "shifted.csv", table(2000, 7, shift=1.5))
    assert "PSI" not in predict("two", "same.csv", "--out", "out.csv").err
    done = predict("two", "shifted.csv", "--out", "out2.csv", "--summary", "summary.json")
    assert [line[:9] for line in done.err.splitlines() if "PSI" in line] == ["size: PSI"]
    assert "the rows differ from the training rows; measure the model" in done.err
    drift = json.loads((folder / "summary.json").read_text())["drift"]
    assert drift["size"]["drift"] == "large"
    assert drift["size"]["psi"] > 0.25
    assert {each["drift"] for name, each in drift.items() if name != "size"} == {"none"}


def test_a_few_rows_are_no_drift(predict, folder):
    write_csv(folder / "few.csv", table(12, 8))
    assert "PSI" not in predict("two", "few.csv").err


def test_a_run_of_before_says_what_it_lacks(predict, folder):
    (folder / "two" / "reference.json").unlink()
    done = predict("two", "two.csv", "--out", "out.csv", "--json")
    assert "so ranges and drift were not checked" in done.err
    assert json.loads(done.out)["drift"] is None


def test_a_damaged_reference_is_exit_5(predict, folder):
    path = folder / "two" / "reference.json"
    content = json.loads(path.read_text())
    content["columns"][0]["counts"].append(1)
    path.write_text(json.dumps(content))
    assert "column 'size' has counts for other bins" in predict("two", "two.csv", code=5)
    content["columns"].pop(0)
    path.write_text(json.dumps(content))
    assert "have different columns" in predict("two", "two.csv", code=5)


def test_nothing_is_replaced_without_being_asked(predict, folder):
    (folder / "out.csv").write_text("mine\n")
    assert "out.csv: already exists" in predict("two", "two.csv", "--out", "out.csv", code=2)
    assert "out.csv: already exists" in predict("two", "two.csv", "--summary", "out.csv", code=2)
    assert (folder / "out.csv").read_text() == "mine\n"
    predict("two", "two.csv", "--out", "out.csv", "--force")
    assert len(read_csv(folder / "out.csv")) == ROWS
    assert "not a regular file" in predict("two", "two.csv", "--out", "/dev/null", "--force", code=2)
    assert "the folder nowhere does not exist" in predict("two", "two.csv", "--out", "nowhere/out.csv", code=2)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["two", "two.csv", "--out", "out.parquet"], 2, "use a file name *.csv"),
        (["images", "images.npz", "--out", "out.jsonl"], 2, "use a file name *.npz, or .csv"),
        (["two", "two.csv", "--out", "out.txt"], 2, "unknown kind of file"),
        (["two", "two.csv", "--json"], 2, "With --json, give --out FILE: stdout holds the summary"),
        (["two", "two.csv", "--out", "pr.xlsx"], 2, "pr.xlsx"),
        (["number", "number.csv", "--proba"], 2, "this run predicts a number"),
        (["two", "nothing.csv"], 4, "no such file"),
        (["nothing", "two.csv"], 5, "no such run"),
        (
            ["two", "colorless.csv"],
            4,
            "2 columns are missing: 'color', 'large', which the model needs",
        ),
        (["two", "taken.csv", "--prefix", "new_"], 4, "there is a column 'new_prediction' already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused(predict, folder, arguments, code, said):
    (folder / "colorless.csv").write_text("size,sold\n1,2024-01-01\n")
    write_csv(folder / "taken.csv", {**table(3, 0), "new_prediction": [1, 2, 3]})
    assert said in predict(*arguments, code=code)


def test_tensorflow_waits_for_the_first_block(shell, folder):
    import sys

    (folder / "bad.csv").write_text("size,color,sold,large\nmany,red,2024-01-01,true\n")
    done = shell(f"{sys.executable} -X importtime -m mltrain predict two bad.csv")
    assert done.code == 4
    assert "bad.csv:2: column 'size': 'many' is not a number" in done.err
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines()}
    assert "mltrain" in imported
    assert not imported & {"tensorflow", "keras"}


def test_a_prediction_that_is_no_number_is_refused(predict, folder, monkeypatch):
    from mltrain.procedures.network import Network

    def broken(self, outputs, temperature):
        values = np.full(len(outputs), 0.5, np.float32)
        values[5] = math.nan
        return values

    monkeypatch.setattr(Network, "predictions", broken)
    assert "the prediction for row 6 is NaN or infinite" in predict("two", "two.csv", "--out", "out.csv", code=4)
    assert not (folder / "out.csv").exists()
