"""Columns that name image files, or hold them, through the commands: beside other columns, and alone."""

from __future__ import annotations

import io
import json
import shutil
from base64 import b64decode

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from tests.conftest import in_process
from tests.csv_files import read_csv
from tests.report.page.reading import read

ROWS = 60
CONFIG = """\
name: houses
data:
  source: {type: csv, path: houses.csv}
  target: price
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: fusion, inputs: {photo: {type: cnn, filters: [4]}, table: {type: mlp, units: [4]}}, units: [4]}
training: {epochs: 2, batch_size: 8}
evaluation: {baselines: false}
"""


def photo(brightness: int) -> Image.Image:
    noise = np.random.default_rng(brightness).integers(0, 40, (8, 6, 3))
    return Image.fromarray((brightness + noise).astype(np.uint8))


def write_houses(folder) -> None:
    """Write houses whose price depends on the rooms and on how bright their photo is."""
    draw = np.random.default_rng(1)
    (folder / "photos").mkdir()
    lines = ["photo,rooms,town,price"]
    for row in range(ROWS):
        rooms, brightness, town = draw.integers(1, 6), draw.integers(0, 200), draw.choice(["Ulm", "Bonn"])
        photo(brightness).save(folder / "photos" / f"{row:03d}.png")
        lines.append(f"photos/{row:03d}.png,{rooms},{town},{1000 * rooms + 10 * brightness}")
    (folder / "houses.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("houses")
    write_houses(folder)
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    return folder, done


@pytest.fixture
def copy(trained, tmp_path):
    """A copy of the run; its data stays where it is."""
    shutil.copytree(trained[0] / "run", tmp_path / "run")
    return tmp_path


def test_a_column_of_names_of_image_files_is_recognised_and_said(trained):
    folder, done = trained
    assert "features.photo: image (names image files, such as photos/000.png; to leave it out, set" in done.err
    assert "features.photo.size: 8 x 6 (all images that were looked at are 8 x 6;" in done.err
    assert "model.keras, opened in another process, predicts the same for 12 raw test rows" in done.err
    architecture = json.loads((folder / "run" / "model.json").read_text())
    assert architecture["inputs"] == {"photo": [8, 6, 3], "table": [3]}


def test_model_keras_takes_the_decoded_pixels(trained):
    folder, _ = trained
    columns = json.loads((folder / "run" / "preprocessing.json").read_text())["columns"]
    assert {name: columns[0][name] for name in ("type", "column", "shape", "missing", "blanks")} == {
        "type": "image_file",
        "column": "photo",
        "shape": [8, 6, 3],
        "missing": "error",
        "blanks": False,
    }


def test_evaluate_gives_the_numbers_of_the_training(trained):
    folder, _ = trained
    recorded = json.loads((folder / "run" / "metrics.json").read_text())["splits"]["test"]
    again = json.loads(in_process(folder, "evaluate", "run", "--json").out)["splits"]["test"]
    assert again == {name: value for name, value in recorded.items() if name != "baselines"}


def test_predict_gives_the_predictions_of_the_training_whatever_the_blocks(trained, monkeypatch):
    from mltrain.data.streams import row_images

    folder, _ = trained
    test, kept = (np.load(folder / "run" / name) for name in ("splits/test.npy", "predictions/test.predictions.npy"))
    for rows, out in ((4096, "all.csv"), (7, "parts.csv")):
        monkeypatch.setattr(row_images, "_MOST_ROWS", rows)
        monkeypatch.setattr(row_images, "_FEWEST_ROWS", 1)
        assert in_process(folder, "predict", "run", "houses.csv", "--out", out).code == 0
        predicted = np.array([float(row["prediction"]) for row in read_csv(folder / out)])
        assert np.array_equal(predicted[test].astype(np.float32), kept.astype(np.float32).ravel())


def test_evaluate_other_rows_finds_their_photos_beside_their_file(trained, tmp_path):
    folder, _ = trained
    (tmp_path / "photos").mkdir()
    for row in (0, 1, 2):
        shutil.copy(folder / "photos" / f"{row:03d}.png", tmp_path / "photos")
    (tmp_path / "new.csv").write_text("".join((folder / "houses.csv").read_text().splitlines(keepends=True)[:4]))
    done = in_process(folder, "evaluate", "run", "--data", str(tmp_path / "new.csv"), "--json")
    assert json.loads(done.out)["splits"]["new.csv"]["n"] == 3
    (tmp_path / "photos" / "001.png").unlink()
    done = in_process(folder, "evaluate", "run", "--data", str(tmp_path / "new.csv"))
    assert (done.code, "new.csv:3: photos/001.png: no such file" in done.err) == (4, True)


def test_a_photo_that_changed_is_noticed(copy, trained):
    folder, _ = trained
    before = (folder / "photos" / "007.png").read_bytes()
    try:
        photo(3).save(folder / "photos" / "007.png")
        done = in_process(copy, "evaluate", "run")
    finally:
        (folder / "photos" / "007.png").write_bytes(before)
    assert done.code == 5
    assert "houses.csv or an image of its rows has changed since the run" in done.err
    assert in_process(copy, "evaluate", "run").code == 0


def test_a_run_that_was_stopped_ends_like_one_that_was_not(copy, trained):
    folder, _ = trained
    (folder / "longer.yaml").write_text(CONFIG.replace("epochs: 2", "epochs: 3"))
    assert in_process(folder, "train", "longer.yaml", "--run-dir", str(copy / "whole")).code == 0
    assert in_process(copy, "resume", "run", "--epochs", "3").code == 0
    whole, resumed = (np.load(copy / run / "predictions" / "test.predictions.npy") for run in ("whole", "run"))
    assert whole.tobytes() == resumed.tobytes()


def test_explain_shuffles_the_photos_like_a_column(trained):
    folder, _ = trained
    done = in_process(folder, "explain", "run", "--json")
    assert done.code == 0, done.err
    columns = json.loads(done.out)["importance"]["columns"]
    assert {each["column"] for each in columns} == {"photo", "rooms", "town"}


def test_the_worst_rows_have_their_photo_beside_their_columns(trained):
    folder, _ = trained
    examples = json.loads((folder / "run" / "examples.json").read_text())
    assert (examples["columns"], examples["image"], examples["texts"]) == (["rooms", "town"], "photo", 0)
    page = read((folder / "run" / "report.html").read_bytes())
    table = next(each for each in page.all("table") if "inputs" in each.one("caption").text)
    assert [each.text for each in table.one("thead").all("th")] == ["row", "photo", "rooms", "town"]
    first = table.one("tbody").all("tr")[0]
    png = b64decode(first.one("img").attributes["src"].partition(",")[2], validate=True)
    assert Image.open(io.BytesIO(png)).size == (6, 8)
    assert page.all("img") == table.all("img")


OUTSIDE = "it leads out of the folder of bad.csv; put the image below that folder"
BAD = {
    "photos/none.png": "no such file",
    "../secret.png": OUTSIDE,
    "photos/../../secret.png": OUTSIDE,
    "linked.png": OUTSIDE,
    "linked/secret.png": OUTSIDE,
    "/etc/passwd.png": "not a path relative to the folder of bad.csv; write it from there, such as photos/1.jpg",
    "C:\\photos\\1.png": "not a path relative to the folder of bad.csv",
    "https://a.org/1.png": "an address, and nothing is downloaded",
    "photos": "not an image by its name",
    "photos/broken.png": "the image is damaged",
    "": "no image is named; add one, or train with data.features.photo.missing: blank",
}


@pytest.fixture
def bad(trained, tmp_path):
    """A file with rows whose photos cannot be used, each in another way, and two good ones."""
    folder, _ = trained
    here = tmp_path / "here"
    (here / "photos").mkdir(parents=True)
    shutil.copy(folder / "photos" / "000.png", here / "photos")
    whole = (folder / "photos" / "001.png").read_bytes()
    (here / "photos" / "broken.png").write_bytes(whole[: len(whole) // 2])
    (here / "inside.png").symlink_to(here / "photos" / "000.png")
    (tmp_path / "secret.png").write_bytes(whole)
    (here / "linked.png").symlink_to(tmp_path / "secret.png")
    (here / "linked").symlink_to(tmp_path)
    rows = [f"{name},1,Ulm,{number}" for number, name in enumerate(["photos/000.png", *BAD, "inside.png"])]
    (here / "bad.csv").write_text("\n".join(["photo,rooms,town,number", *rows]) + "\n")
    return here / "bad.csv"


def test_predict_names_every_row_whose_photo_cannot_be_used(trained, bad):
    folder, _ = trained
    done = in_process(folder, "predict", "run", str(bad))
    assert (done.code, done.out) == (4, "")
    lines = enumerate(BAD.items(), start=3)
    outside = [f"bad.csv:{line}: {name}" for line, (name, reason) in lines if reason == OUTSIDE]
    assert f"4 rows: {OUTSIDE}: {', '.join(outside)}\n" in done.err
    for line, (name, reason) in enumerate(BAD.items(), start=3):
        assert reason == OUTSIDE or f"bad.csv:{line}: {name or 'photo'}: {reason}" in done.err
    assert f"{len(BAD)} of {len(BAD) + 2} rows cannot be used; --skip-bad predicts the others" in done.err


def test_skip_bad_leaves_these_rows_out_and_counts_them(trained, bad):
    folder, _ = trained
    out = bad.parent / "out.csv"
    done = in_process(folder, "predict", "run", str(bad), "--skip-bad", "--out", str(out), "--json")
    assert done.code == 0, done.err
    rows = read_csv(out)
    assert [row["number"] for row in rows] == ["0", str(len(BAD) + 1)]
    assert rows[0]["prediction"] == rows[1]["prediction"]  # a link that stays below the folder is followed
    images = json.loads(done.out)["images"]
    assert images["skipped"] == len(BAD) == len(images["skipped_rows"])
    assert images["columns"]["photo"]["size"] == [8, 6]
    bad.write_text("photo,rooms,town\nnone.png,1,Ulm\n")
    done = in_process(folder, "predict", "run", str(bad), "--skip-bad")
    assert (done.code, "bad.csv:2: none.png: no such file" in done.err) == (4, True)


def test_train_names_every_row_whose_photo_cannot_be_used(bad, tmp_path):
    text = CONFIG.replace("houses.csv", str(bad)).replace("price", "number")
    (tmp_path / "config.yaml").write_text(text)
    done = in_process(tmp_path, "audit", "config.yaml")
    assert done.code == 4
    assert f"{len(BAD)} of {len(BAD) + 2} rows cannot be used" in done.err
    assert f"4 rows: {OUTSIDE}: bad.csv:4: ../secret.png" in done.err


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run of a Parquet file with the bytes of images, some of them missing, and a class."""
    folder = tmp_path_factory.mktemp("alone")
    cells: list[bytes | None] = []
    for row in range(ROWS):
        packed = io.BytesIO()
        photo(20 if row % 2 else 180).save(packed, "JPEG")
        cells.append(None if row % 15 == 14 else packed.getvalue())
    table = pa.table(
        {"scan": pa.array(cells, pa.binary()), "kind": ["dark" if row % 2 else "light" for row in range(ROWS)]}
    )
    parquet.write_table(table, folder / "scans.parquet")
    (folder / "config.yaml").write_text(
        "data: {source: {type: parquet, path: scans.parquet}, target: kind,\n"
        "  features: {scan: {type: image, size: [4, 4], channels: grayscale, missing: blank}}}\n"
        "model: {type: cnn, filters: [4]}\ntraining: {epochs: 2}\nevaluation: {baselines: false}\n"
    )
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    return folder, done


def test_the_bytes_of_images_in_parquet_are_an_input_alone(alone):
    folder, done = alone
    assert "features.scan.size: 4 x 4 (56 images had another size and were stretched to 4 x 4 (bilinear))" in done.err
    assert "features.scan.channels: grayscale (56 images were in colour and were converted to gray)" in done.err
    assert json.loads((folder / "run" / "model.json").read_text())["input"] == [4, 4, 1]


def test_rows_without_an_image_count_as_missing(alone):
    folder, _ = alone
    done = in_process(folder, "predict", "run", "scans.parquet", "--out", "out.parquet", "--json", "--strict")
    assert done.code == 0, done.err
    assert json.loads(done.out)["missing"] == {"scan": {"n": 4, "in_training": True}}
    assert parquet.read_table(folder / "out.parquet").num_rows == ROWS
    assert in_process(folder, "evaluate", "run").code == 0


def test_a_run_of_one_image_column_predicts_image_files_too(alone, tmp_path):
    folder, _ = alone
    photo(20).save(tmp_path / "dark.png")
    photo(180).save(tmp_path / "light.jpg")
    done = in_process(folder, "predict", "run", str(tmp_path), "--out", str(tmp_path / "out.csv"))
    assert done.code == 0, done.err
    assert [row["file"].rpartition("/")[2] for row in read_csv(tmp_path / "out.csv")] == ["dark.png", "light.jpg"]


@pytest.mark.parametrize("command", ["train", "audit"])
def test_bytes_are_not_recognised_but_advised(alone, tmp_path, command):
    folder, _ = alone
    (tmp_path / "config.yaml").write_text(
        f"data: {{source: {{type: parquet, path: {folder / 'scans.parquet'}}}, target: kind}}\nmodel: cnn\n"
    )
    done = in_process(tmp_path, command, "config.yaml")
    assert (done.code, "if they are images, declare data.features.scan: image" in done.err) == (4, True)


@pytest.mark.long
def test_folds_are_trained_with_photos(trained, tmp_path):
    folder, _ = trained
    text = CONFIG.replace("{type: random, validation: 0.2, test: 0.2}", "{type: kfold, folds: 2}")
    (tmp_path / "config.yaml").write_text(
        text.replace("houses.csv", str(folder / "houses.csv")).replace("epochs: 2", "epochs: 1")
    )
    done = in_process(tmp_path, "cross-validate", "config.yaml", "--run-dir", "folds")
    assert done.code == 0, done.err
