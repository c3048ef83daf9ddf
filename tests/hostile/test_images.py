"""Image files from a stranger: decoded by four readers only, refused with their name where they are damaged or would
unfold to gigabytes, and links among them lead nowhere."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mltrain.data.files.image_form import ImageForm
from mltrain.data.files.images import ImageFile, read_images
from mltrain.errors import DataError
from tests.data.pictures import pixels, write_folder

pytestmark = pytest.mark.long

FORM = ImageForm(6, 6, gray=False)


@pytest.fixture
def photos(tmp_path):
    write_folder(tmp_path / "photos", pixels(24, 6, 6, 3), ["cat", "dog"] * 12)
    return tmp_path / "photos"


@pytest.fixture
def refused(photos, mltrain, tmp_path):
    """Train on the folder, which must be refused with exit code 4 in one line; return that line."""

    def check(*said, source="path: photos, size: [6, 6]"):
        (tmp_path / "config.yaml").write_text(
            f"data: {{source: {{type: image_folder, {source}}}}}\n"
            "model: {type: sequential, layers: [Flatten]}\ntraining: {epochs: 1}\n"
        )
        done = mltrain("train", "config.yaml")
        assert done.code == 4, done.err
        *_, line = done.err.splitlines()
        assert "Traceback" not in done.err
        assert line.isprintable()
        for each in said:
            assert each in line
        return line

    return check


def encoded(form, image=None):
    file = io.BytesIO()
    (image or Image.fromarray(pixels(1, 40, 40, 3)[0])).save(file, form)
    return file.getvalue()


def png_of(width, height):
    """Return a PNG of some hundred bytes that unpacks to so many black pixels, or to the beginning of them."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def text_bomb():
    """A remark in a PNG that unpacks to 200 MB."""
    data = png_of(6, 6)
    remark = b"zTXtremark\0\0" + zlib.compress(bytes(200_000_000), 9)
    chunk = struct.pack(">I", len(remark) - 4) + remark + struct.pack(">I", zlib.crc32(remark))
    return data[:33] + chunk + data[33:]


CONTENT = {
    "nothing": (b"", "the file is empty"),
    "a text": (b"not an image at all", "not a PNG, JPEG, BMP, GIF, WebP or TIFF file, whatever its name says"),
    "a PNG cut off": (encoded("PNG")[:2000], "the image is damaged"),
    "a JPEG cut off": (encoded("JPEG")[:900], "the image is damaged"),
    "a GIF cut off": (encoded("GIF")[:900], "the image is damaged"),
    "a BMP cut off": (encoded("BMP")[:900], "the image is damaged"),
    "a PNG of 10 gigapixels": (png_of(100_000, 100_000), "too many pixels to unpack; make the image smaller"),
    "a PNG of 100 megapixels": (png_of(10_000, 10_000), "too many pixels to unpack; make the image smaller"),
    "a PNG with a remark of 200 MB": (text_bomb(), "damaged"),
    "a TIFF cut off": (encoded("TIFF")[:2000], "the image is damaged"),
    "a WebP cut off": (encoded("WEBP")[:600], "the image is damaged"),
    "a PPM": (encoded("PPM"), "not a PNG, JPEG, BMP, GIF, WebP or TIFF file"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 6\n(x) run\n", "not a PNG, JPEG"),
    "a WebP of zeros": (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(24), "the image is damaged"),
}


@pytest.mark.parametrize(("content", "said"), CONTENT.values(), ids=CONTENT)
def test_content_that_is_no_image(photos, refused, content, said):
    (photos / "cat" / "002.png").write_bytes(content)
    refused("photos/cat/002.png: ", said)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_damage_anywhere_is_a_data_error_or_other_pixels(tmp_path, form):
    """A JPEG and a BMP hold no sums, so that not all damage can be seen; but none ends in something else."""
    whole, draw = encoded(form), np.random.default_rng(0)
    files = []
    for number in range(150):
        data = bytearray(whole)
        if number % 3 == 0:
            del data[int(draw.integers(len(data))) :]
        for _ in range(number % 3):
            data[int(draw.integers(len(data) if number % 2 else 64))] = int(draw.integers(256))
        files.append(ImageFile(tmp_path / f"{number}.png", f"{number}.png"))
        files[-1].path.write_bytes(data)
    refused = 0
    for file in files:
        try:
            read_images([file], FORM)
        except DataError as error:
            assert str(error).startswith(f"{file.name}: ")
            refused += 1
    assert refused > 50


def test_links_lead_nowhere(photos, refused, tmp_path):
    Image.fromarray(pixels(1, 6, 6, 3)[0]).save(tmp_path / "private.png")
    (photos / "cat" / "a.png").symlink_to(tmp_path / "private.png")
    refused("photos/cat/a.png: a symbolic link")
    (photos / "cat" / "a.png").unlink()
    (photos / "fish").symlink_to(photos)
    refused("photos/fish: a symbolic link")


def test_what_is_no_regular_file(photos, refused):
    os.mkfifo(photos / "cat" / "pipe.png")
    refused("photos/cat/pipe.png: expected a regular file, found a named pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_and_folders_without_permission(photos, refused):
    (photos / "cat" / "000.png").chmod(0)
    refused("photos/cat/000.png: you have no permission to read this file")
    (photos / "cat").chmod(0)
    refused("photos/cat: the folder cannot be read: Permission denied")
    (photos / "cat").chmod(0o755)


def test_names_that_no_text_can_hold(photos, refused):
    (photos / "cat" / "000.png").rename(os.fsdecode(os.fsencode(photos / "cat") + b"/\xff\x1b[2J.png"))
    refused("photos/cat/\\udcff\\x1b[2J.png: the name is not UTF-8; rename it")


def test_one_class_is_none(photos, refused):
    for path in (photos / "dog").iterdir():
        path.unlink()
    (photos / "dog").rmdir()
    refused("column 'class': every row has the class 'cat'; expected two or more classes")


def test_an_empty_folder(photos, refused, tmp_path):
    (tmp_path / "empty").mkdir()
    refused("empty: there is no folder in it", source="path: empty, size: [6, 6]")
    refused("no such folder", source="path: nowhere, size: [6, 6]")
    refused("expected a folder, found something else", source="path: config.yaml, size: [6, 6]")


def test_a_harmless_link_to_the_folder_itself_is_the_users_own(photos, tmp_path):
    from mltrain.data.sources.image_folder import ImageFolderSource

    (tmp_path / "link").symlink_to(photos)
    assert len(ImageFolderSource(path=Path(tmp_path, "link"), size=(6, 6)).read(0)) == 24
