"""`predict` for image files: as the model of a run saw them, block by block, each with its name."""

import csv
import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from tests.conftest import in_process
from tests.csv_files import read_csv
from tests.data.pictures import pixels, write_folder

ROWS = 60
GRAY = pixels(ROWS, 6, 5)
LABELS = [["cat", "dog", "fish"][row * 3 // ROWS] for row in range(ROWS)]  # in the order of the file names
LAYERS = "[{type: Conv2D, filters: 2, kernel_size: 3}, Flatten]"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Runs of the same images as files and as arrays, and one of a table; each test works on a copy."""
    folder = tmp_path_factory.mktemp("images")
    write_folder(folder / "photos", GRAY, LABELS)
    np.savez(folder / "photos.npz", image=GRAY, label=np.array(LABELS))
    np.savez(folder / "shares.npz", image=(GRAY / 255).astype(np.float32), label=np.array(LABELS))
    (folder / "table.csv").write_text("a,y\n" + "".join(f"{row}.5,{row % 2}\n" for row in range(40)))
    for name, data in {
        "files": "source: {type: image_folder, path: photos, size: [6, 5], channels: grayscale}",
        "arrays": "source: {type: npz, path: photos.npz}, target: label",
        "shares": "source: {type: npz, path: shares.npz}, target: label, features: {image: image}",
        "table": "source: {type: csv, path: table.csv}, target: y",
    }.items():
        model = f"{{type: sequential, layers: {LAYERS}}}" if name != "table" else "{type: linear}"
        (folder / "config.yaml").write_text(
            f"data: {{{data}}}\nmodel: {model}\ntraining: {{epochs: 1}}\nevaluation: {{baselines: false}}\n"
        )
        done = in_process(folder, "train", "config.yaml", "--run-dir", name, "--quiet")
        assert done.code == 0, done.err
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.long
def test_files_train_as_the_arrays_that_they_show(folder):
    one, other = (np.load(folder / run / "predictions" / "test.predictions.npy") for run in ("files", "arrays"))
    assert np.array_equal(one, other)
    assert np.array_equal(*(np.load(folder / run / "splits" / "test.npy") for run in ("files", "arrays")))
    examples = json.loads((folder / "files" / "examples.json").read_text())["examples"]
    assert {example["file"] for example in examples} <= {
        f"photos/{label}/{row:03d}.png" for row, label in enumerate(LABELS)
    }
    page = (folder / "files" / "report.html").read_text()
    assert f"row {examples[0]['row']}: {examples[0]['file']}<" in page


@pytest.mark.parametrize("run", ["files", "arrays"])
def test_a_folder_gives_what_an_evaluation_sees_bit_by_bit(predict, folder, run):
    done = predict(run, "photos", "--out", "out.csv", "--proba", "--json")
    lines = read_csv(folder / "out.csv")
    assert [line["file"] for line in lines] == [f"photos/{label}/{row:03d}.png" for row, label in enumerate(LABELS)]
    rows = np.load(folder / run / "splits" / "test.npy")
    stored = np.load(folder / run / "predictions" / "test.predictions.npy")
    found = [[np.float32(lines[row][f"probability_{name}"]) for name in ("cat", "dog", "fish")] for row in rows]
    assert np.array_equal(np.array(found), stored)
    said = json.loads(done.out)
    assert said["images"] == {
        "size": [6, 5],
        "channels": "grayscale",
        "resized": 0,
        "recolored": 0,
        "flattened": 0,
        "cut": 0,
        "paged": 0,
        "left_out": [],
    }
    assert list(said["drift"]) == ["mean of image"]


def test_evaluate_takes_another_folder(folder, mltrain):
    for name in ("more", "photos"):
        if name == "more":
            write_folder(folder / name, GRAY[::7], LABELS[::7])
        done = mltrain("evaluate", "files", "--data", name, "--json")
        assert done.code == 0, done.err
        (measured,) = json.loads(done.out)["splits"].values()
        assert measured["n"] == len(GRAY[::7] if name == "more" else GRAY)


def test_every_form_of_output_holds_the_same(predict, folder):
    for form in ("csv", "tsv", "jsonl", "parquet"):
        predict("files", "photos", "--out", f"out.{form}")
    lines = [(line["file"], line["prediction"]) for line in read_csv(folder / "out.csv")]
    rows = parquet.read_table(folder / "out.parquet")
    assert rows.schema.types == [pa.string(), pa.string()]
    objects = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert lines == [tuple(row.values()) for row in rows.to_pylist()] == [tuple(row.values()) for row in objects]
    assert (folder / "out.tsv").read_text() == (folder / "out.csv").read_text().replace(",", "\t")
    assert predict("files", "photos", "--quiet").out == (folder / "out.csv").read_text()
    assert "images are not written to the output" in predict("files", "photos", "--out", "out.npz", code=2)


def test_blocks_of_any_size_give_the_same_bits(predict, folder, monkeypatch):
    from mltrain.data.streams import images
    from mltrain.training import acceleration

    monkeypatch.setattr(acceleration, "_LARGEST_BLOCK", 32)
    predict("files", "photos", "--out", "whole.csv", "--proba")
    monkeypatch.setattr(images, "_MOST_IMAGES", 7)
    monkeypatch.setattr(images, "_FEWEST_IMAGES", 1)
    predict("files", "photos", "--out", "parts.csv", "--proba")
    assert (folder / "parts.csv").read_bytes() == (folder / "whole.csv").read_bytes()


def test_single_files_and_folders_at_any_depth(predict, folder):
    first, last = "photos/cat/000.png", "photos/fish/059.png"
    done = predict("files", last, first)
    assert [line.split(",")[0] for line in done.out.splitlines()] == ["file", last, first]
    (folder / "inbox" / "2024" / "may").mkdir(parents=True)
    for name in ("2024/may/b, c.png", "a.PNG", "z.png"):
        shutil.copy(folder / first, folder / "inbox" / name)
    (folder / "inbox" / "2024" / ".DS_Store").write_bytes(b"")
    done = predict("arrays", "inbox")
    assert [row[0] for row in csv.reader(done.out.splitlines())][1:] == [
        "inbox/2024/may/b, c.png",
        "inbox/a.PNG",
        "inbox/z.png",
    ]
    assert "left out because hidden: inbox/2024/.DS_Store" in done.err


def test_images_of_another_kind_are_made_to_fit_and_counted(predict, folder):
    (folder / "new").mkdir()
    Image.fromarray(GRAY[0]).save(folder / "new" / "0.png")
    wide = Image.fromarray(GRAY[0]).resize((50, 60), Image.Resampling.NEAREST)
    wide.save(folder / "new" / "1.png")
    Image.fromarray(np.stack([GRAY[0]] * 3, axis=-1)).save(folder / "new" / "2.png")
    done = predict("arrays", "new", "--out", "out.csv", "--proba")
    assert "1 of 3 images had another size and was stretched to 6 x 5 (bilinear)\n" in done.err
    assert "1 of 3 images was in colour and was converted to gray\n" in done.err
    alone, stretched, colored = (dict(line, file="") for line in read_csv(folder / "out.csv"))
    assert colored == alone != stretched
    said = predict("arrays", "new", "--out", "strict.csv", "--strict", code=4)
    assert "new: --strict: 1 of 3 images had another size" in said
    assert not (folder / "strict.csv").exists()
    predict("files", "new", "--out", "strict.csv", "--strict")  # as it was at training, where any size may come


def test_a_damaged_image_leaves_nothing(predict, folder, monkeypatch):
    from mltrain.data.streams import images

    monkeypatch.setattr(images, "_MOST_IMAGES", 16)
    path = folder / "photos" / "fish" / "050.png"
    path.write_bytes(path.read_bytes()[:-30])
    before = sorted(folder.iterdir())
    said = predict("files", "photos", "--out", "out.csv", "--summary", "s.json", code=4)
    assert said.startswith("error: photos/fish/050.png: the image is damaged (")
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["table", "photos"], 4, "photos: these are images, but the model of the run takes the columns of a table"),
        (["shares", "photos"], 4, "the run was trained on arrays that may have other values"),
        (["files", "nothing"], 4, "nothing: no such file or folder"),
        (["files", "nothing.png"], 4, "nothing.png: no such file or folder"),
        (["files", "photos/dog", "table.csv"], 4, "table.csv: not an image by its name"),
        (["files", "photos/cat/link.png", "photos"], 4, "photos/cat/link.png: a symbolic link"),
        (["files", "empty"], 4, "empty: there are no images in it"),
        (["table", "table.csv", "table.csv"], 2, "only one file of rows at a time; only images can be several files"),
        (["files", "photos", "--strict"], 2, "--strict needs --out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused(predict, folder, arguments, code, said):
    (folder / "empty").mkdir()
    (folder / "photos" / "cat" / "link.png").symlink_to("000.png")
    assert said in predict(*arguments, code=code)


def test_exit_code_4_when_no_image_is_left(folder, mltrain, tmp_path):
    (tmp_path / "only-bad.png").write_bytes(b"")
    done = mltrain("predict", str(folder / "files"), str(tmp_path / "only-bad.png"), "--skip-bad")
    assert (done.code, done.out) == (4, ""), done.err
    assert "only-bad.png: the file is empty" in done.err
