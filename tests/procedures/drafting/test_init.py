"""`mltrain init --data FILE`: the config that is written is valid, trains, and says what is in the file."""

import json

import numpy
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from tests.procedures.drafting.tables import ROWS, drafted, kinds, shop, trains, write_csv


def write(folder, form, columns):
    if form.startswith("csv"):
        return write_csv(folder / "shop.csv", columns)
    if form == "parquet":
        parquet.write_table(pa.table(columns), folder / "shop.parquet")
        return folder / "shop.parquet"
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    path = folder / "shop.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_what_is_written_is_valid_and_trains(mltrain, tmp_path, form):
    data = write(tmp_path, form, shop())
    loaded, text = drafted(tmp_path, data.name)
    assert loaded.path == tmp_path / "shop.yaml"
    assert loaded.spec.data.target.column == "price"
    assert kinds(loaded) == {
        "id": "ignore",
        "size": "number",
        "town": "category",
        "sold": "datetime",
        "country": "ignore",
        "note": "ignore",
    }
    assert "# the target: numbers " in text and "the task is regression" in text
    assert "country: ignore  # every row has DE" in text
    assert "# split: {type: time, column: sold, validation: 0.2, test: 0.2}" in text
    assert mltrain("validate", "shop.yaml").code == 0
    assert mltrain("audit", "shop.yaml", "--strict").code == 0
    trains(tmp_path, loaded)


def test_the_config_and_the_data_may_be_in_other_folders(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "configs").mkdir()
    write_csv(tmp_path / "tables" / "~shop.csv", shop())
    loaded, text = drafted(tmp_path, "tables/~shop.csv", "configs/mine.yaml")
    assert 'path: "../tables/~shop.csv"' in text
    assert loaded.spec.name == "shop"
    assert (tmp_path / "configs" / "mltrain.listing.schema.json").exists()
    write_csv(tmp_path / "~shop.csv", shop())
    loaded, _ = drafted(tmp_path, "~shop.csv")
    assert loaded.spec.data.source.path.resolve() == tmp_path / "~shop.csv"


def test_an_existing_file_is_not_overwritten(mltrain, tmp_path):
    write_csv(tmp_path / "shop.csv", shop())
    (tmp_path / "shop.yaml").write_text("mine")
    done = mltrain("init", "--data", "shop.csv")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: shop.yaml: already exists; name another file, such as `mltrain init experiment.yaml --data shop.csv`\n"
    )
    assert (tmp_path / "shop.yaml").read_text() == "mine"
    assert not (tmp_path / "mltrain.listing.schema.json").exists()
    before = (tmp_path / "shop.csv").read_bytes()
    done = mltrain("init", "shop.csv")
    assert done.code == 2
    assert "`mltrain init --data shop.csv`" in done.err
    assert (tmp_path / "shop.csv").read_bytes() == before


def test_a_wrong_target_is_named_with_the_columns(mltrain, tmp_path):
    write_csv(tmp_path / "shop.csv", shop())
    done = mltrain("init", "--data", "shop.csv", "--target", "prize")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: --target: no column 'prize' (did you mean 'price'?) "
        "(columns: id, size, town, sold, country, note, price)\n"
    )
    assert not (tmp_path / "shop.yaml").exists()
    assert mltrain("init", "--target", "price").code == 2


@pytest.mark.parametrize(
    ("content", "code", "expected"),
    [
        ("", 4, "x.csv: the file is empty"),
        ("a,b,y\n", 4, "x.csv: the file has a header and no rows"),
        ("a\n" + "1.5\n2.5\n" * 20, 4, "x.csv: the file has one column, 'a'"),
        ("a,b,y\n" + "1,1,1\n" * 30, 2, "no column looks like a target; name the one to predict with --target"),
        ("PK\x03\x04", 4, "x.csv: this is a zip archive or an Excel workbook, not a text file"),
    ],
    ids=["empty", "header", "one column", "constant", "zip"],
)
def test_a_file_without_a_table_is_one_error(mltrain, tmp_path, content, code, expected):
    (tmp_path / "x.csv").write_text(content)
    done = mltrain("init", "--data", "x.csv")
    assert (done.code, done.out) == (code, "")
    assert expected in done.err
    assert len(done.err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv"]


def test_no_file_is_an_error_with_a_similar_name(mltrain, tmp_path):
    write_csv(tmp_path / "shop.csv", shop())
    done = mltrain("init", "--data", "shops.csv")
    assert (done.code, done.err) == (4, "error: shops.csv: no such file (did you mean 'shop.csv'?)\n")
    done = mltrain("init", "--data", "shop.xlsx")
    assert done.code == 4
    assert "unknown kind of file" in done.err


def test_a_guess_is_said_in_the_file_and_on_stderr(mltrain, tmp_path):
    write_csv(tmp_path / "shop.csv", shop())
    done = mltrain("init", "--data", "shop.csv")
    assert done.out == "shop.yaml\n"
    assert "the target was guessed" in done.err
    assert "delete shop.yaml and run: mltrain init --data shop.csv --target COLUMN" in done.err
    assert "# GUESSED: " in (tmp_path / "shop.yaml").read_text(encoding="utf-8")
    (tmp_path / "shop.yaml").unlink()
    done = mltrain("init", "--data", "shop.csv", "--target", "town")
    text = (tmp_path / "shop.yaml").read_text(encoding="utf-8")
    assert "guessed" not in done.err and "GUESSED" not in text
    assert "# Written by `mltrain init --data shop.csv --target town`" in text
    assert "3 classes, " in text and "the task is multiclass" in text


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["a", "target", "b"], "target"),
        (["target_b", "a", "b"], "target_b"),
        (["a", "class", "b"], "b"),
        (["class", "a", "b"], "class"),
        (["x", "y", "z"], "z"),
        (["x", "z", "y"], "y"),
        (["a", "price", "b"], "price"),
        (["a", "survived", "b"], "survived"),
        (["a", "b", "split"], "b"),
    ],
    ids=",".join,
)
def test_the_target_is_guessed_by_name_and_place(tmp_path, columns, expected):
    write_csv(
        tmp_path / "x.csv",
        {name: [(row * step) % 17 + 0.5 for row in range(60)] for step, name in enumerate(columns, 3)},
    )
    loaded, _ = drafted(tmp_path, "x.csv")
    assert loaded.spec.data.target.column == expected


def test_a_last_column_of_classes_wins_over_a_price(tmp_path):
    columns = {"price": [row * 7 % 17 + 0.5 for row in range(60)], "sold": ["yes", "no", "no"] * 20}
    write_csv(tmp_path / "x.csv", columns)
    assert drafted(tmp_path, "x.csv")[0].spec.data.target.column == "sold"


def test_rows_without_a_target_are_left_out(tmp_path):
    columns = shop()
    columns["price"][7] = columns["price"][50] = ""
    write_csv(tmp_path / "shop.csv", columns)
    loaded, text = drafted(tmp_path, "shop.csv")
    assert "# 2 rows of 120 without a target: `missing: skip` leaves them out" in text
    assert loaded.spec.data.target.missing == "skip"
    run = trains(tmp_path, loaded)
    splits = json.loads((run / "metrics.json").read_text())["splits"]
    assert sum(each["n"] for each in splits.values()) == ROWS - 2


def test_the_model_and_the_training_are_those_of_one_place(monkeypatch, tmp_path):
    from mltrain.procedures.drafting import draft, draft_text

    monkeypatch.setattr(draft, "MODEL_OF_A_TABLE", "linear")
    monkeypatch.setattr(draft_text, "TRAINING", "training: {epochs: 3}\n")
    write_csv(tmp_path / "shop.csv", shop())
    loaded, _ = drafted(tmp_path, "shop.csv")
    assert (loaded.spec.model.type, loaded.spec.training.epochs) == ("linear", 3)


def arrays(folder, **more):
    draw = numpy.random.default_rng(0)
    numpy.savez(folder / "x.npz", **{"y": draw.integers(0, 3, 60), **more})


@pytest.mark.parametrize(
    ("more", "model"),
    [
        ({"image": numpy.zeros((60, 8, 8), numpy.uint8)}, "cnn"),
        ({"values": numpy.ones((60, 5))}, "tabular"),
        ({"values": numpy.ones((60, 5)), "size": numpy.arange(60) % 7}, "fusion"),
        ({"size": numpy.arange(60) % 7}, "tabular"),
    ],
    ids=["image", "array", "both", "table"],
)
def test_the_model_is_one_that_takes_the_arrays_of_a_file(tmp_path, more, model):
    arrays(tmp_path, **more)
    loaded, text = drafted(tmp_path, "x.npz", "--target", "y")
    assert loaded.spec.model.type == model
    assert ("# task: regression" in text) == ("size" in more)


def test_the_test_rows_of_a_data_set_of_keras_are_used(tmp_path):
    images, labels = numpy.zeros((60, 8, 8), numpy.uint8), numpy.arange(60) % 3
    numpy.savez(tmp_path / "x.npz", x_train=images, y_train=labels, x_test=images[:21], y_test=labels[:21])
    loaded, _ = drafted(tmp_path, "x.npz")
    assert loaded.spec.data.source.arrays == {"x": "x_train", "y": "y_train"}
    assert loaded.spec.data.split.type == "files"
    run = trains(tmp_path, loaded)
    assert json.loads((run / "metrics.json").read_text())["splits"]["test"]["n"] == 21


def test_a_folder_of_images_has_its_classes_in_folders(mltrain, tmp_path):
    for number in range(40):
        folder = tmp_path / "photos" / ("cat" if number % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = numpy.random.default_rng(number).integers(0, 255, (9, 7, 3), dtype=numpy.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    loaded, _ = drafted(tmp_path, "photos")
    assert (loaded.spec.data.source.type, loaded.spec.model.type) == ("image_folder", "cnn")
    trains(tmp_path, loaded)
    assert mltrain("init", "other.yaml", "--data", "photos", "--target", "x").code == 2
