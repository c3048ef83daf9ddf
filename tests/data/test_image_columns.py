"""Which columns are images, how they are read, and what is refused: without a model."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mltrain.data import image_columns
from mltrain.data.preparation import prepare
from mltrain.data.preprocessing_fit import TextUse
from mltrain.data.spec import DataSpec
from mltrain.errors import DataError
from tests.data.pictures import pixels

PHOTOS = pixels(40, 6, 4, 3)
FUSION = TextUse("fusion", "tokens", lambda column: True)


@pytest.fixture
def rows(tmp_path):
    """A CSV of 40 photos with a number and a target; the same with the column of photos and the target alone."""
    (tmp_path / "photos").mkdir()
    lines = []
    for number, image in enumerate(PHOTOS):
        Image.fromarray(image).save(tmp_path / "photos" / f"{number}.png")
        lines.append(f"photos/{number}.png,{number % 7},{number * 1.5}")
    (tmp_path / "rows.csv").write_text("\n".join(["photo,a,y", *lines]))
    alone = [line.split(",") for line in lines]
    (tmp_path / "alone.csv").write_text("\n".join(["photo,y", *(f"{photo},{y}" for photo, _, y in alone)]))
    return tmp_path


def prepared(folder, name="rows.csv", texts=FUSION, **more):
    source = {"type": "csv", "path": str(folder / name)}
    return prepare(DataSpec.model_validate({"source": source, "target": "y", **more}), 1, texts=texts)


def decisions(found):
    return {each.what: (each.value, each.reason) for each in found.decisions}


def test_pixels_are_those_of_the_files_in_every_split(rows):
    found = prepared(rows)
    assert [each.name for each in found.info.inputs] == ["photo", "table"]
    for examples in found.examples.values():
        assert np.array_equal(examples.inputs["photo"], PHOTOS[examples.rows] / np.float32(255))
    assert found.origin.place(3) == "rows.csv:5"
    assert found.origin.file(3) == "photos/3.png"


def test_a_column_is_recognised_beside_others_where_the_model_takes_them_so(rows):
    assert decisions(prepared(rows))["features.photo"][0] == "image"
    one_input = prepared(rows, texts=TextUse("mlp", "tf_idf", lambda column: False))
    assert [each.name for each in one_input.info.inputs] == ["table"]
    not_named = prepared(rows, texts=TextUse("graph", "tokens", lambda column: column == "a"))
    assert [each.name for each in not_named.info.inputs] == ["table"]


def test_a_column_is_recognised_where_nothing_else_is_there(rows):
    mlp = TextUse("cnn", "tf_idf", lambda column: False)
    assert [each.name for each in prepared(rows, "alone.csv", mlp).info.inputs] == ["photo"]
    ignored = prepared(rows, texts=mlp, features={"a": {"type": "ignore"}})
    assert [each.name for each in ignored.info.inputs] == ["photo"]
    stated = prepared(rows, texts=FUSION, features={"photo": {"type": "ignore"}})
    assert [each.name for each in stated.info.inputs] == ["table"]


def test_names_of_files_that_are_not_there_are_no_images(rows):
    for path in (rows / "photos").iterdir():
        path.unlink()
    found = prepared(rows, texts=FUSION)
    assert [each.name for each in found.info.inputs] == ["table"]
    with pytest.raises(DataError, match=r"alone.csv: no column .* column 'photo' holds names of image files, and none"):
        prepared(rows, "alone.csv", TextUse("cnn", "tf_idf", lambda column: False))


def test_a_recognised_column_with_bad_images_can_be_left_out(rows):
    (rows / "photos" / "3.png").unlink()
    said = r"^rows.csv:5: photos/3.png: no such file.*; to learn from .*, set data.features.photo: ignore$"
    with pytest.raises(DataError, match=said):
        prepared(rows)


def test_a_sample_of_the_files_is_looked_at(rows, monkeypatch):
    seen = []
    real = image_columns.looked_at
    monkeypatch.setattr(image_columns, "looked_at", lambda files: seen.append(len(files)) or real(files))
    monkeypatch.setattr(image_columns, "LOOKED_AT", 5)
    prepared(rows)
    assert seen == [5, 5]


def test_size_and_channels_are_decided_and_said(rows):
    said = decisions(prepared(rows))
    assert said["features.photo.size"][0] == "6 x 4"
    assert said["features.photo.channels"] == ("rgb", "images that were looked at are in colour")
    for number in range(40):
        Image.fromarray(PHOTOS[number, ..., 0]).save(rows / "photos" / f"{number}.png")
    Image.fromarray(pixels(1, 9, 9)[0]).save(rows / "photos" / "39.png")
    found = prepared(rows)
    assert found.info.inputs[0].shape == (64, 64, 1)
    sizes, stretched = (each.reason for each in found.decisions if each.what == "features.photo.size")
    assert stretched == "40 images had another size and were stretched to 64 x 64 (bilinear)"
    said = decisions(found)
    assert sizes.startswith("the images have different sizes; to choose, set data.features.")
    assert said["features.photo.channels"] == ("grayscale", "all images that were looked at are gray")


def test_the_fingerprint_is_of_the_bytes_of_the_images(rows):
    before = prepared(rows).sha256
    assert prepared(rows).sha256 == before
    Image.fromarray(PHOTOS[1]).save(rows / "photos" / "0.png")
    assert prepared(rows).sha256 != before


def test_the_files_of_a_split_are_beside_its_own_file(rows):
    later = rows / "later"
    (later / "photos").mkdir(parents=True)
    Image.fromarray(PHOTOS[7]).save(later / "photos" / "0.png")
    (later / "test.csv").write_text("photo,a,y\nphotos/0.png,1,3\n")
    test = {"type": "csv", "path": str(later / "test.csv")}
    found = prepared(rows, split={"type": "files", "validation": 0.2, "test": test})
    assert np.array_equal(found.examples["test"].inputs["photo"][0], PHOTOS[7] / np.float32(255))


def inline(folder=None, photo="0.png"):
    table = [{"photo": photo, "a": number, "y": number * 2} for number in range(20)]
    source = {"type": "inline", "rows": table, **({} if folder is None else {"folder": str(folder)})}
    features = {"photo": {"type": "image", "size": [3, 3]}}
    return prepare(DataSpec.model_validate({"source": source, "target": "y", "features": features}), 1)


def test_rows_in_the_yaml_say_their_folder(rows):
    assert inline(rows / "photos").info.inputs[0].shape == (3, 3, 3)
    with pytest.raises(DataError, match=r"^rows: column 'photo' names image files: set data.source.folder"):
        inline()
    with pytest.raises(DataError, match=r"column 'photo': expected paths of image files, found values of type int64"):
        inline(rows / "photos", 3)


def test_what_is_of_files_only_is_refused_for_arrays(tmp_path):
    np.savez(tmp_path / "rows.npz", photo=PHOTOS, y=np.arange(40.0))
    source = {"type": "npz", "path": str(tmp_path / "rows.npz")}
    features = {"photo": {"type": "image", "size": [3, 3], "missing": "blank"}}
    with pytest.raises(DataError, match=r"column 'photo': missing and size can be set for image files only, but it"):
        prepare(DataSpec.model_validate({"source": source, "target": "y", "features": features}), 1)


def test_a_row_without_a_file_is_black_and_counted(rows):
    text = (rows / "rows.csv").read_text().replace("photos/3.png", "").replace("photos/4.png", "NA")
    (rows / "rows.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        prepared(rows, features={"photo": {"type": "image"}})
    assert "rows.csv:5: photo: no image is named; add one, or train with" in str(caught.value)
    assert "rows.csv:6: photo: no image is named" in str(caught.value)
    found = prepared(rows, features={"photo": {"type": "image", "missing": "blank"}}, split={"type": "none"})
    examples = found.examples["train"]
    assert examples.missing == {"photo": 2}
    assert [row for row, image in enumerate(examples.inputs["photo"]) if not image.any()] == [3, 4]
