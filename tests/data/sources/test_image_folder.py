"""A folder of images is the table of its files: sorted, with the folder as the class, and nothing passed over."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mltrain.data.joined_tables import join
from mltrain.data.sources import read_file
from mltrain.data.sources.image_folder import ImageFolderSource
from mltrain.errors import DataError
from tests.data.pictures import pixels, write_folder

LABELS = ["cat", "dog", "cat", "bird", "dog", "cat"]
IMAGES = pixels(6, 5, 4, 3)


@pytest.fixture
def photos(tmp_path):
    write_folder(tmp_path / "photos", IMAGES, LABELS)
    return tmp_path / "photos"


def read(folder, size=(5, 4), channels="rgb"):
    return ImageFolderSource(path=folder, size=size, channels=channels).read(0)


def test_rows_are_the_files_in_the_order_of_their_names(photos):
    table = read(photos)
    assert table.target == "class"
    assert table.columns["class"].to_pylist() == sorted(LABELS)
    order = np.argsort(LABELS, kind="stable")
    assert np.array_equal(table.columns["image"], IMAGES[order])
    assert [table.origin.place(row) for row in (0, 1, 5)] == [
        "photos/bird/003.png",
        "photos/cat/000.png",
        "photos/dog/004.png",
    ]
    assert table.decisions == ()
    assert table.take(np.array([5, 0])).origin.file(1) == "photos/bird/003.png"


def test_gray_images_have_no_axis_of_channels(photos):
    assert read(photos, channels="grayscale").columns["image"].shape == (6, 5, 4)


def test_the_fingerprint_is_of_names_and_content_and_not_of_dates_or_places(photos, tmp_path):
    found = read(photos).sha256
    shutil.copytree(photos, tmp_path / "copy", copy_function=shutil.copyfile)
    os.utime(tmp_path / "copy" / "cat" / "000.png", (0, 0))
    assert read(tmp_path / "copy").sha256 == found
    (photos / "cat" / "000.png").rename(photos / "dog" / "000.png")
    moved = read(photos).sha256
    assert moved != found
    Image.fromarray(IMAGES[1]).save(photos / "dog" / "000.png")
    assert read(photos).sha256 not in (found, moved)


def test_what_had_to_be_done_is_said_and_hidden_files_too(photos):
    (photos / ".git").mkdir()
    (photos / "cat" / "Thumbs.db").write_bytes(b"")
    Image.fromarray(pixels(1, 9, 9)[0]).save(photos / "dog" / "other.png")
    assert [(each.what, each.value, each.reason) for each in read(photos).decisions] == [
        ("source.hidden", "2", "left out because hidden: photos/.git, photos/cat/Thumbs.db"),
        ("source.size", "5 x 4", "1 of 7 images had another size and was stretched to 5 x 4 (bilinear)"),
        ("source.channels", "rgb", "1 of 7 images was gray and was converted to colour"),
    ]


def test_folders_of_splits_are_joined_with_their_files(photos, tmp_path):
    write_folder(tmp_path / "later", IMAGES[:1], ["cat"])
    table = join({"train": read(photos), "test": read(tmp_path / "later", (5, 4))})
    assert table.origin.file(6) == "later/cat/000.png"
    assert table.given == (("train", 6), ("test", 1))


def test_another_folder_is_read_like_that_of_the_training(photos, tmp_path):
    write_folder(tmp_path / "later", IMAGES[:2], ["cat", "dog"])
    like = ImageFolderSource(path=photos, size=(2, 2), channels="grayscale")
    assert read_file(tmp_path / "later", like=like).columns["image"].shape == (2, 2, 2)


def out_of_class(photos):
    shutil.copy(photos / "cat" / "000.png", photos / "loose.png")


def one_folder_too_high(photos):
    shutil.copytree(photos / "cat", photos / "dog" / "more")


def empty_class(photos):
    (photos / "fish").mkdir()


def other_file(photos):
    (photos / "cat" / "notes.txt").write_text("a cat")


def flat(photos):
    for label in set(LABELS):
        shutil.rmtree(photos / label)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (out_of_class, "photos/loose.png: the image has no class; expected one folder of images per class"),
        (one_folder_too_high, "photos/dog/more: a folder inside a class; expected only images; move its images up"),
        (empty_class, "photos/fish: the class has no images; add some, or remove the folder"),
        (
            other_file,
            "photos/cat/notes.txt: not an image by its name (.png, .jpg, .jpeg, .bmp, .gif, .webp, .tif, .tiff); ",
        ),
        (flat, "photos: there is no folder in it; expected one folder of images per class"),
        (shutil.rmtree, "photos: no such folder"),
    ],
)
def test_a_folder_of_another_form_is_refused(photos, spoil, said):
    spoil(photos)
    with pytest.raises(DataError) as caught:
        read(photos)
    assert said in str(caught.value)


def test_a_file_is_no_folder(tmp_path):
    Path(tmp_path, "x.png").write_bytes(b"")
    with pytest.raises(DataError, match="expected a folder, found something else"):
        read(tmp_path / "x.png")


def test_nested_folders_belong_to_their_class_when_that_is_asked_for(photos):
    before = read(photos)
    (photos / "cat" / "2026" / "may").mkdir(parents=True)
    shutil.copy(photos / "cat" / "000.png", photos / "cat" / "2026" / "may" / "000.png")
    (photos / "cat" / "2026" / ".hidden").write_text("")
    with pytest.raises(DataError, match=r"photos/cat/2026: a folder inside a class; .* set data.source.nested: true"):
        read(photos)
    table = ImageFolderSource(path=photos, size=(5, 4), nested=True).read(0)
    assert table.columns["class"].to_pylist() == ["bird", "cat", "cat", "cat", "cat", "dog", "dog"]
    assert table.origin.place(4) == "photos/cat/2026/may/000.png"
    assert np.array_equal(table.columns["image"][4], table.columns["image"][1])
    assert [each.reason for each in table.decisions] == ["left out because hidden: photos/cat/2026/.hidden"]
    moved = table.sha256
    (photos / "cat" / "2026" / "may").rename(photos / "cat" / "2026" / "june")
    assert ImageFolderSource(path=photos, size=(5, 4), nested=True).read(0).sha256 != moved
    shutil.rmtree(photos / "cat" / "2026")
    assert ImageFolderSource(path=photos, size=(5, 4), nested=True).read(0).sha256 == before.sha256
