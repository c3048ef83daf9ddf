"""Image files become the pixels that they show, whatever their format and mode, and what had to be done is counted."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mltrain.data.files.image_form import Conversions, ImageForm
from mltrain.data.files.images import ImageFile, read_images
from mltrain.errors import DataError
from tests.data.pictures import pixels

RGB, GRAY = ImageForm(4, 6, gray=False), ImageForm(4, 6, gray=True)
COLORS, GRAYS = pixels(1, 4, 6, 3)[0], pixels(1, 4, 6)[0]


def read(tmp_path, image, form, ending=".png", **how):
    path = tmp_path / f"x{ending}"
    image.save(path, **how)
    images = read_images([ImageFile(path, "x")], form)
    return images.pixels[0], images.conversions


def luma(colors):
    """Gray as ITU-R BT.601 has it, rounded as Pillow does: with 16 bits behind the point."""
    weights = np.array([19595, 38470, 7471], np.int64)
    return ((colors.astype(np.int64) @ weights + 0x8000) >> 16).astype(np.uint8)


@pytest.mark.parametrize("ending", [".png", ".bmp"])
def test_images_of_the_form_keep_every_bit(tmp_path, ending):
    for array, form in ((COLORS, RGB), (GRAYS, GRAY)):
        found, conversions = read(tmp_path, Image.fromarray(array), form, ending)
        assert found.dtype == np.uint8
        assert np.array_equal(found, array)
        assert conversions == Conversions()


def test_colours_become_gray_and_gray_becomes_colour(tmp_path):
    found, conversions = read(tmp_path, Image.fromarray(COLORS), GRAY)
    assert np.array_equal(found, luma(COLORS))
    assert conversions == Conversions(recolored=1)
    found, conversions = read(tmp_path, Image.fromarray(GRAYS), RGB)
    assert np.array_equal(found, np.stack([GRAYS] * 3, axis=-1))
    assert conversions == Conversions(recolored=1)


def test_transparent_parts_are_white(tmp_path):
    alpha = np.full((4, 6, 1), 255, np.uint8)
    opaque = Image.fromarray(np.concatenate([COLORS, alpha], axis=-1))
    found, conversions = read(tmp_path, opaque, RGB)
    assert np.array_equal(found, COLORS)
    assert conversions == Conversions()
    alpha[0] = 0
    found, conversions = read(tmp_path, Image.fromarray(np.concatenate([COLORS, alpha], axis=-1)), RGB)
    assert (found[0] == 255).all()
    assert np.array_equal(found[1:], COLORS[1:])
    assert conversions == Conversions(flattened=1)


def test_palettes_and_the_first_frame_of_a_gif(tmp_path):
    flat = np.zeros((4, 6, 3), np.uint8)
    flat[:2], flat[2:] = (200, 10, 20), (0, 100, 250)
    first, second = Image.fromarray(flat), Image.fromarray(255 - flat)
    found, _ = read(tmp_path, first.convert("P", palette=Image.Palette.ADAPTIVE), RGB)
    assert np.array_equal(found, flat)
    found, _ = read(tmp_path, first, RGB, ".gif", save_all=True, append_images=[second])
    assert np.array_equal(found, flat)
    see_through = first.convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    index = see_through.getpixel((0, 0))
    found, conversions = read(tmp_path, see_through, RGB, transparency=index)
    assert (found[:2] == 255).all()
    assert np.array_equal(found[2:], flat[2:])
    assert conversions.flattened == 1


def test_one_bit_a_pixel(tmp_path):
    found, conversions = read(tmp_path, Image.fromarray(GRAYS > 99), GRAY)
    assert np.array_equal(found, np.where(GRAYS > 99, 255, 0))
    assert conversions == Conversions()


def test_photos_are_turned_as_their_camera_was(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side: to be shown turned by 90 degrees, clockwise
    found, conversions = read(tmp_path, Image.fromarray(np.rot90(COLORS)), RGB, exif=exif.tobytes())
    assert np.array_equal(found, COLORS)
    assert conversions == Conversions()


def test_smaller_ones_average_and_larger_ones_interpolate(tmp_path):
    """The triangle filter in the closed form: halving weighs 1/8, 3/8, 3/8, 1/8, and at the edges what is there."""
    line = np.array([0, 80, 160, 240], np.uint8)
    image = Image.fromarray(np.tile(line, (4, 1)))
    halved, conversions = read(tmp_path, image, ImageForm(4, 2, gray=True))
    edge = (3 * 0 + 3 * 80 + 1 * 160) / 7
    assert np.abs(halved - np.array([edge, 240 - edge])).max() <= 0.5
    assert conversions == Conversions(resized=1)
    doubled, _ = read(tmp_path, image, ImageForm(4, 8, gray=True))
    assert np.array_equal(doubled[0], [0, 20, 60, 100, 140, 180, 220, 240])


def test_a_jpeg_is_nearly_what_it_was(tmp_path):
    flat = np.full((4, 6, 3), (200, 10, 20), np.uint8)
    for mode in ("RGB", "CMYK"):
        found, _ = read(tmp_path, Image.fromarray(flat).convert(mode), RGB, ".jpg", quality=100)
        assert np.abs(found.astype(int) - flat).max() <= 4


# The channels of each colour type of a PNG that can have 16 bits.
DEEP = {"gray": (0, 1), "RGB": (2, 3), "gray with alpha": (4, 2), "RGBA": (6, 4)}


def deep_rows(channels):
    """Return values of 16 bits (4, 6, channels), whose lower 8 bits differ."""
    return (np.arange(4 * 6 * channels).reshape(4, 6, channels) * 683 + 77).astype(">u2")


def deep_png(color, channels, interlaced=False):
    """Return a PNG with 16 bits per channel, written here: Pillow can only write gray ones."""
    rows = deep_rows(channels)
    passes = [rows]
    if interlaced:  # Adam7: (first row, row step, first column, column step)
        steps = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]
        passes = [rows[top::down, left::right] for top, down, left, right in steps]
    lines = b"".join(b"\0" + line.tobytes() for part in passes if part.size for line in part)
    header = struct.pack(">IIBBBBB", 6, 4, 16, color, 0, 0, int(interlaced))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("interlaced", [False, True], ids=["in order", "interlaced"])
@pytest.mark.parametrize(("color", "channels"), DEEP.values(), ids=DEEP)
def test_of_16_bits_the_upper_8_are_kept(tmp_path, color, channels, interlaced):
    (tmp_path / "x.png").write_bytes(deep_png(color, channels, interlaced))
    images = read_images([ImageFile(tmp_path / "x.png", "x")], RGB)
    expected = deep_rows(channels) >> 8
    if channels in (2, 4):  # on white: transparent parts are white in the share of the transparency
        assert images.conversions.flattened == 1
        alpha = expected[..., -1:].astype(float) / 255
        assert np.abs(images.pixels[0] - (expected[..., :-1] * alpha + 255 * (1 - alpha))).max() <= 1
    else:
        assert np.array_equal(images.pixels[0], np.broadcast_to(expected, (4, 6, 3)))
    assert images.conversions.cut == 1


def test_gray_of_16_bits_is_not_clipped(tmp_path):
    """Pillow's `convert("L")` makes 255 of all that is above it."""
    values = np.array([[0, 255, 256, 4096, 32768, 65535]] * 4, np.uint16)
    expected = np.array([[0, 0, 1, 16, 128, 255]] * 4)
    for ending in (".png", ".tif"):
        for order in ("<u2", ">u2"):
            found, conversions = read(tmp_path, Image.fromarray(values.astype(order)), GRAY, ending)
            assert np.array_equal(found, expected), (ending, order)
            assert conversions == Conversions(cut=1)
    for tag, value, there in ((262, 0, 255 - expected), (274, 3, expected[::-1, ::-1])):  # white is 0; upside down
        found, _ = read(tmp_path, Image.fromarray(values), GRAY, ".tif", tiffinfo={tag: value})
        assert np.array_equal(found, there), tag


def test_what_has_no_black_and_white_is_refused(tmp_path):
    for values in (np.ones((4, 6), np.float32), np.ones((4, 6), np.int32)):
        with pytest.raises(DataError, match=r"^x: its values are not whole numbers from 0 to 65535 \(mode [IF]\)"):
            read(tmp_path, Image.fromarray(values), GRAY, ".tif")


def test_webp_and_tiff_are_read_like_others(tmp_path):
    for ending, how in ((".webp", {"lossless": True}), (".tif", {}), (".tiff", {"compression": "tiff_lzw"})):
        found, conversions = read(tmp_path, Image.fromarray(COLORS), RGB, ending, **how)
        assert np.array_equal(found, COLORS)
        assert conversions == Conversions()
    found, _ = read(tmp_path, Image.fromarray(GRAYS), GRAY, ".tif")
    assert np.array_equal(found, GRAYS)
    alpha = np.full((4, 6, 1), 255, np.uint8)
    alpha[0] = 0
    clear = Image.fromarray(np.concatenate([COLORS, alpha], axis=-1))
    found, conversions = read(tmp_path, clear, RGB, ".webp", lossless=True, exact=True)
    assert (found[0] == 255).all()
    assert (np.array_equal(found[1:], COLORS[1:]), conversions) == (True, Conversions(flattened=1))


def test_of_several_pages_the_first_is_taken_and_this_is_said(tmp_path):
    first, second = Image.fromarray(COLORS), Image.fromarray(255 - COLORS)
    for ending, how in ((".tif", {}), (".webp", {"lossless": True})):
        found, conversions = read(tmp_path, first, RGB, ending, save_all=True, append_images=[second], **how)
        assert np.array_equal(found, COLORS)
        assert conversions == Conversions(paged=1)
        (decision,) = conversions.decisions(RGB, 1)
        assert (decision.what, decision.value) == ("source.pages", "first")
        assert decision.reason == "1 image had several pages or frames, of which the first is taken"


def test_a_png_whose_header_is_not_first_is_damaged(tmp_path):
    """Pillow takes it; where its bits are could not be seen by its header."""
    whole = deep_png(2, 3)
    remark = struct.pack(">I", 3) + b"tEXta\0b" + struct.pack(">I", zlib.crc32(b"tEXta\0b"))
    (tmp_path / "x.png").write_bytes(whole[:8] + remark + whole[8:])
    with pytest.raises(DataError, match=r"^x: the image is damaged"):
        read_images([ImageFile(tmp_path / "x.png", "x")], RGB)


def test_a_jpeg_is_what_tensorflow_reads_by_its_exact_method(tmp_path):
    """TensorFlow's default method is faster, and differs by up to 25 levels."""
    import tensorflow as tf

    smooth = np.asarray(Image.fromarray(pixels(1, 5, 5, 3)[0]).resize((32, 32), Image.Resampling.BICUBIC))
    for quality in (60, 100):
        Image.fromarray(smooth).save(tmp_path / "x.jpg", quality=quality, subsampling=0)
        found = read_images([ImageFile(tmp_path / "x.jpg", "x")], ImageForm(32, 32, gray=False)).pixels[0]
        content = (tmp_path / "x.jpg").read_bytes()
        assert np.array_equal(found, tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE").numpy())


def test_a_bmp_with_a_palette_has_the_colours_of_the_palette(tmp_path):
    flat = np.zeros((4, 6, 3), np.uint8)
    flat[:2], flat[2:] = (200, 10, 20), (0, 100, 250)
    image = Image.fromarray(flat).convert("P", palette=Image.Palette.ADAPTIVE)
    found, _ = read(tmp_path, image, RGB, ".bmp")
    assert np.array_equal(found, flat)
    found, _ = read(tmp_path, image, GRAY, ".bmp")
    assert np.array_equal(found, luma(flat))


def test_the_content_decides_and_not_the_name(tmp_path):
    data = io.BytesIO()
    Image.fromarray(COLORS).save(data, "PNG")
    (tmp_path / "x.jpg").write_bytes(data.getvalue())
    found = read_images([ImageFile(tmp_path / "x.jpg", "x")], RGB).pixels[0]
    assert np.array_equal(found, COLORS)


def test_of_many_damaged_ones_all_are_named_up_to_20(tmp_path):
    files = []
    for number in range(40):
        files.append(ImageFile(tmp_path / f"{number}.png", f"{number}.png"))
        Image.fromarray(COLORS).save(files[-1].path)
    for number in (7, 8, 30):
        files[number].path.write_bytes(b"nothing")
    with pytest.raises(DataError) as caught:
        read_images(files, RGB)
    *named, count = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in named] == ["30.png", "7.png", "8.png"]
    assert count == "3 of 40 files cannot be used"
    for file in files[:25]:
        file.path.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        read_images(files, RGB)
    alike, other, count = str(caught.value).splitlines()
    names = sorted(f"{number}.png" for number in range(25))
    start = "25 files: the file is empty; copy it again, or remove it: "
    assert alike == f"{start}{', '.join(names[:20])} and 5 more"
    assert other.startswith("30.png: not a PNG")
    assert count == "26 of 40 files cannot be used"
