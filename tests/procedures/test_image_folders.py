"""Folders of images through the commands: all that is wrong comes at once, a size is written once, and memory is
checked before it is full."""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.csv_files import read_csv
from tests.data.pictures import pixels, write_folder

LAYERS = "model: {type: sequential, layers: [Flatten]}\ntraining: {epochs: 1}\nevaluation: {baselines: false}\n"


@pytest.fixture
def photos(tmp_path):
    write_folder(tmp_path / "photos", pixels(40, 6, 6, 3), ["cat", "dog"] * 20)
    return tmp_path / "photos"


@pytest.fixture
def write(tmp_path):
    def write(source="path: photos, size: [6, 6]", more=""):
        text = f"data: {{source: {{type: image_folder, {source}}}{more}}}\n{LAYERS}"
        (tmp_path / "config.yaml").write_text(text)
        return "config.yaml"

    return write


def spoil(photos):
    """Spoil four files, each in another way; return the beginnings of the lines that name them."""
    (photos / "cat" / "notes.txt").write_text("a cat")
    (photos / "cat" / "000.png").write_bytes(b"")
    (photos / "dog" / "001.png").write_bytes(b"not an image at all")
    (photos / "dog" / "a.png").symlink_to(photos / "dog" / "003.png")
    return [
        "photos/cat/000.png: the file is empty",
        "photos/cat/notes.txt: not an image by its name",
        "photos/dog/001.png: not a PNG, JPEG, BMP, GIF, WebP or TIFF file",
        "photos/dog/a.png: a symbolic link, and links are not followed; put the image itself there",
    ]


@pytest.mark.parametrize("command", ["train", "audit"])
def test_all_bad_images_are_named_at_once(photos, write, mltrain, command):
    lines = spoil(photos)
    done = mltrain(command, write())
    assert done.code == 4
    *_, one, two, three, four, count = done.err.splitlines()
    for found, line in zip((one, two, three, four), lines, strict=True):
        assert found.startswith(line)
    assert count == "4 of 42 files cannot be used"


def test_a_linked_class_folder_is_called_one(photos, write, mltrain, tmp_path):
    (photos / "cat").rename(tmp_path / "elsewhere")
    (photos / "cat").symlink_to(tmp_path / "elsewhere")
    (photos / "fish").symlink_to(tmp_path / "nowhere")
    done = mltrain("audit", write())
    assert done.code == 4
    assert "photos/cat: a symbolic link to a folder, and links are not followed; move or copy the folder" in done.err
    assert "photos/fish: a symbolic link that leads nowhere; remove it" in done.err
    (photos / "fish").unlink()
    (photos / "cat").unlink()
    (tmp_path / "elsewhere").rename(photos / "cat")  # what it advises
    assert mltrain("audit", write()).code == 0


def test_predict_names_all_or_leaves_them_out_and_counts_them(photos, write, mltrain, tmp_path, monkeypatch):
    from mltrain.data.streams import images

    assert mltrain("train", write(), "--run-dir", "run", "--quiet").code == 0
    assert mltrain("predict", "run", "photos", "--out", "all.csv", "--proba").code == 0
    monkeypatch.setattr(images, "_MOST_IMAGES", 16)  # the bad ones are in the first and in a later block
    (photos / "cat" / "000.png").write_bytes(b"")
    (photos / "dog" / "039.png").write_bytes(b"nothing")
    (photos / "dog" / "notes.txt").write_text("a dog")
    done = mltrain("predict", "run", "photos", "--out", "out.csv")
    assert done.code == 4
    assert [line.split(":")[0] for line in done.err.splitlines()[:3]] == [
        "photos/cat/000.png",
        "photos/dog/039.png",
        "photos/dog/notes.txt",
    ]
    assert "3 of 41 files cannot be used; --skip-bad predicts the others" in done.err
    assert not (tmp_path / "out.csv").exists()

    done = mltrain("predict", "run", "photos", "--out", "out.csv", "--proba", "--skip-bad", "--summary", "s.json")
    assert done.code == 0, done.err
    assert "skipped 3 of 41 files, which cannot be used:\nphotos/cat/000.png: the file is empty" in done.err
    whole, left = (read_csv(tmp_path / name) for name in ("all.csv", "out.csv"))
    good = [line for line in whole if line["file"] not in ("photos/cat/000.png", "photos/dog/039.png")]
    for key in ("file", "prediction"):
        assert [line[key] for line in left] == [line[key] for line in good]
    shares = [[float(line["probability_dog"]) for line in lines] for lines in (left, good)]
    assert np.allclose(*shares, rtol=1e-6)  # another place in a block may change the last bit
    said = json.loads((tmp_path / "s.json").read_text())
    assert (said["rows"], said["images"]["skipped"]) == (38, 3)
    assert said["images"]["skipped_files"][0]["file"] == "photos/cat/000.png"

    done = mltrain("predict", "run", "photos/dog/039.png", "--skip-bad")
    assert done.code == 4
    assert "photos/dog/039.png: not a PNG" in done.err
    (tmp_path / "rows.csv").write_text("a\n1\n")
    done = mltrain("predict", "run", "rows.csv", "--skip-bad")
    assert (done.code, "--skip-bad leaves out images" in done.err) == (2, True)


def test_the_folders_of_a_files_split_take_the_size_of_the_source(photos, write, mltrain, tmp_path):
    write_folder(tmp_path / "later", pixels(8, 6, 6, seed=1), ["cat", "dog"] * 4)
    source = "path: photos, size: [3, 4], channels: grayscale"
    once, twice = "{type: image_folder, path: later}", f"{{type: image_folder, {source.replace('photos', 'later')}}}"
    runs = []
    for number, folder in enumerate((once, twice)):
        config = write(source, f", split: {{type: files, validation: {folder}, test: {folder}}}")
        done = mltrain("train", config, "--run-dir", f"run{number}", "--quiet")
        assert done.code == 0, done.err
        runs.append(tmp_path / f"run{number}" / "predictions" / "test.predictions.npy")
    assert np.array_equal(*map(np.load, runs))
    assert "size: [3, 4]" in re.sub(r" +#.*", "", (tmp_path / "run0" / "config.resolved.yaml").read_text())
    assert mltrain("evaluate", "run0").code == 0
    other = "{type: image_folder, path: later, size: [5, 5]}"  # one that is stated is not replaced
    done = mltrain("audit", write(source, f", split: {{type: files, test: {other}}}"))
    assert (done.code, "(5, 5)" in done.err) == (4, True)
    done = mltrain("validate", write("path: photos", ", split: {type: files, test: {type: image_folder, path: later}}"))
    assert done.code == 3
    assert "data.source.size" in done.err


@pytest.mark.parametrize("command", ["audit", "train"])
def test_images_that_cannot_fit_are_refused_before_they_are_read(photos, write, mltrain, monkeypatch, command):
    from mltrain.data.files import images

    monkeypatch.setattr(images, "available_memory", lambda: 200 * 2**20)
    (photos / "cat" / "000.png").write_bytes(b"not read")
    done = mltrain(command, write("path: photos, size: [1000, 1500]"))
    assert done.code == 9
    # 40 images x 1000 x 1500 pixels x 3 channels x (1 byte + 4 bytes)
    assert "not enough memory: 40 images of 1000 x 1500 need 0.8 GiB, and 0.2 GiB are available" in done.err
    (size,) = re.findall(r"such as size: (\[\d+, \d+\])", done.err)
    (photos / "cat" / "000.png").unlink()
    assert mltrain("audit", write(f"path: photos, size: {size}")).code == 0


def test_memory_that_runs_out_names_the_setting(photos, write, mltrain, monkeypatch):
    from mltrain.data import preparation
    from mltrain.data.files import image_decoding

    def full(*_, **__):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(image_decoding, "_fitted", full)
        done = mltrain("audit", write())
        assert done.code == 9
        assert "out of memory while 40 images of 6 x 6 were read; use a smaller size in data.source" in done.err
    monkeypatch.setattr(preparation, "encode_splits", full)  # later, when they are read
    for command in ("audit", "train"):
        done = mltrain(command, write())
        assert done.code == 9
        assert "a smaller data.source.size" in done.err


def test_the_limit_of_the_process_counts(photos, write, shell):
    done = shell("ulimit -v 4000000; mltrain audit config.yaml") if write("path: photos, size: [3000, 3000]") else None
    assert done.code == 9
    assert "not enough memory: 40 images of 3000 x 3000 need 5.0 GiB" in done.err


def test_hidden_folders_in_a_class_are_not_looked_into(photos, write, mltrain):
    shutil.copytree(photos / "dog", photos / "cat" / ".thumbnails")
    done = mltrain("audit", write(), "--json")
    assert done.code == 0
    assert sum(json.loads(done.out)["rows"].values()) == 40


def test_classes_called_train_and_test_are_classes(tmp_path, write, mltrain):
    write_folder(tmp_path / "photos", pixels(45, 6, 6, 3), ["test", "train", "cat"] * 15)
    done = mltrain("audit", write(), "--json")
    assert done.code == 0, done.err
    counts = json.loads(done.out)["classes"]
    assert {name: sum(each[name] for each in counts.values()) for name in ("cat", "test", "train")} == {
        "cat": 15,
        "test": 15,
        "train": 15,
    }


def test_a_test_folder_with_one_class_keeps_its_label(photos, write, mltrain, tmp_path):
    write_folder(tmp_path / "later", pixels(8, 6, 6, 3, seed=1), ["dog"] * 8)
    config = write(more=", split: {type: files, test: {type: image_folder, path: later}}")
    done = mltrain("train", config, "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err
    measured = json.loads((tmp_path / "run" / "metrics.json").read_text())["splits"]["test"]
    assert [sum(row) for row in measured["confusion_matrix"]] == [0, 8]


def test_a_share_of_less_than_one_image_is_not_all_of_them(photos, write, mltrain):
    split = "split: {type: random, validation: 0.01, test: 0, stratify: false}"
    done = mltrain("audit", write(more=f", {split}"), "--json")
    assert json.loads(done.out)["rows"] == {"train": 39, "validation": 1}


@pytest.mark.parametrize(("name", "names"), [("sp", ("train", "test")), ("my photos, 2", ("training", "val", "Test"))])
def test_folders_that_are_splits_get_the_files_split_as_advice(tmp_path, write, mltrain, name, names):
    for split in names:
        write_folder(tmp_path / name / split, pixels(40, 6, 6, 3), ["cat", "dog"] * 20)
    done = mltrain("audit", write(f"path: '{name}', size: [6, 6]"))
    assert done.code == 4
    assert done.err.count("\n") == 1
    path, split = re.search(r"set data\.source\.path: (.+) and data\.split: (.+)", done.err).groups()
    done = mltrain("audit", write(f"path: {path}, size: [6, 6]", f", split: {split}"), "--json")  # what it advises
    assert done.code == 0, done.err
    assert [*json.loads(done.out)["rows"].values()] == [40] * len(names)


def test_folders_are_not_called_files(photos, write, mltrain):
    for label in ("cat", "dog"):
        for name in ("a", "b", "c"):
            (photos / label / name).mkdir()
    done = mltrain("audit", write())
    assert done.code == 4
    assert "set the path" not in done.err
    one, count = done.err.splitlines()
    assert one.startswith("6 folders: a folder inside a class; expected only images; move its images up")
    assert one.endswith(": photos/cat/a, photos/cat/b, photos/cat/c, photos/dog/a, photos/dog/b, photos/dog/c")
    assert count == "6 folders cannot be used"


def test_the_folder_above_the_classes(photos, write, mltrain, tmp_path):
    (tmp_path / "up").mkdir()
    photos.rename(tmp_path / "up" / "photos")
    done = mltrain("audit", write("path: up, size: [6, 6]"))
    assert "seem to be in up/photos: add its name to data.source.path" in done.err
    assert mltrain("audit", write("path: up/photos, size: [6, 6]")).code == 0


def test_the_worst_large_images_are_shown_smaller_and_with_their_files(tmp_path, write, mltrain):
    write_folder(tmp_path / "photos", pixels(40, 160, 200, 3), ["cat", "dog"] * 20)
    done = mltrain("train", write("path: photos, size: [160, 200]"), "--run-dir", "run")
    assert done.code == 0, done.err
    for each in json.loads((tmp_path / "run" / "examples.json").read_text())["examples"]:
        with Image.open(BytesIO(b64decode(each["picture"]))) as picture:
            assert picture.size == (143, 114)  # as many pixels as 128 x 128 have
        assert re.fullmatch(r"photos/(cat|dog)/\d+\.png", each["file"])
        assert each["file"] in (tmp_path / "run" / "report.html").read_text()
