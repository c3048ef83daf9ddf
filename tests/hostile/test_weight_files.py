"""HDF5 files of weights from a stranger: refused in one line, and nothing else is opened, read or waited for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from mltrain.errors import DataError
from mltrain.first_weights.hdf5 import open_hdf5
from mltrain.first_weights.hdf5_bytes import longest_text
from mltrain.first_weights.layouts import stored_weights
from tests.hostile.conftest import snapshot

ONES = np.ones((3, 4), "float32")


def read(path: Path) -> list[tuple[str, ...]]:
    """Read all that is in a file, and return the layers."""
    with open_hdf5(path) as file:
        found = stored_weights(file)[0]
        for weight in found.weights:
            weight.kept.read()
        return found.layers


def whole(path: Path) -> h5py.File:
    """Return a new file of one dense layer, still open."""
    file = h5py.File(path, "w")
    file.attrs["layer_names"] = ["dense"]
    group = file.create_group("dense")
    group.attrs["weight_names"] = ["dense/kernel:0"]
    group.create_dataset("dense/kernel:0", data=ONES)
    return file


def test_the_file_is_read_as_long_as_it_is_whole(tmp_path):
    whole(tmp_path / "w.h5").close()
    assert read(tmp_path / "w.h5") == [("dense",)]


def an_external_link(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = ONES
    file["dense/other"] = h5py.ExternalLink(str(folder / "other.h5"), "/secret")


def a_soft_link_upwards(file, folder):
    file["dense/other"] = h5py.SoftLink("../../dense")


def numbers_in_another_file(file, folder):
    (folder / "secret").write_bytes(bytes(48))
    file.create_dataset("dense/other", (3, 4), "float32", external=[(str(folder / "secret"), 0, 48)])


def numbers_put_together(file, folder):
    layout = h5py.VirtualLayout((3, 4), "float32")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "secret", (3, 4))
    file.create_virtual_dataset("dense/other", layout)


def a_circle(file, folder):
    file["dense/again"] = file["/"]


def two_names(file, folder):
    file["dense/again"] = file["dense/dense/kernel:0"]


def a_name_of_dots(file, folder):
    dense = file["dense"].id
    dense.links.create_soft(b"..", b"dense")


def a_listed_name_of_dots(file, folder):
    file.attrs["layer_names"] = ["dense", "../dense"]


def a_listed_layer_that_is_not_there(file, folder):
    file.attrs["layer_names"] = ["dense", "dense_1"]


def a_listed_weight_that_is_not_there(file, folder):
    file["dense"].attrs["weight_names"] = ["dense/kernel:0", "/etc/passwd"]


def names_that_are_numbers(file, folder):
    file.attrs["layer_names"] = np.arange(3)


def many_groups(file, folder):
    many = file.create_group("many").id
    for number in range(100_001):
        many.links.create_soft(str(number).encode(), b"/dense")


def deep_groups(file, folder):
    file.create_group("/".join("a" * 40))


def another_filter(file, folder):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((3, 4))
    creation.set_filter(307, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((3, 4))
    h5py.h5d.create(file["dense"].id, b"other", h5py.h5t.NATIVE_FLOAT, space, creation)


def large_parts(file, folder):
    file.create_dataset("dense/other", (3, 4), "float32", chunks=(10_000, 10_000), maxshape=(None, None))


HOSTILE = {
    an_external_link: "w.h5: dense/other is a link to another file: not read",
    a_soft_link_upwards: "w.h5: dense/other is a link to another place: not read",
    numbers_in_another_file: "w.h5: the numbers of dense/other are in another file: not read",
    numbers_put_together: "w.h5: dense/other is put together from other arrays or files: not read",
    a_circle: "w.h5: dense/again is another name of something else in the file: not read",
    two_names: "is another name of something else in the file: not read",
    a_name_of_dots: "w.h5: it has a name that no layer has: dense/..",
    a_listed_name_of_dots: "w.h5: it lists a name that no layer has: ../dense",
    a_listed_layer_that_is_not_there: "w.h5: it lists a layer dense_1, and has no group for it",
    a_listed_weight_that_is_not_there: "w.h5: it lists a name that no layer has: /etc/passwd",
    names_that_are_numbers: "w.h5: expected a list of names in layer_names",
    many_groups: "w.h5: more than 100,000 groups and arrays",
    deep_groups: "w.h5: more than 32 groups in each other: a/a/",
    another_filter: "w.h5: dense/other is packed by the filter 307; expected none, or gzip, shuffle, fletcher32, lzf",
    large_parts: "w.h5: dense/other is packed in parts of 400,000,000 bytes, and has 48",
}


@pytest.mark.parametrize("damage", HOSTILE, ids=lambda damage: damage.__name__)
def test_what_keras_never_writes(tmp_path, damage):
    with whole(tmp_path / "w.h5") as file:
        damage(file, tmp_path)
    before = snapshot(tmp_path)
    with pytest.raises(DataError) as error:
        read(tmp_path / "w.h5")
    assert HOSTILE[damage] in str(error.value)
    assert str(error.value).isprintable()
    assert snapshot(tmp_path) == before


def test_names_that_may_be_one_long_text(tmp_path, monkeypatch):
    """In a file it can be there once, and in memory it would be there as often as it is named."""
    monkeypatch.setattr("mltrain.first_weights.hdf5._MOST_TEXT", 1_000_000)
    text = h5py.string_dtype()
    with whole(tmp_path / "w.h5") as file:
        file["dense"].attrs.create("weight_names", ["x" * 20_000] + ["x"] * 99, dtype=text)
    with pytest.raises(DataError, match="weight_names has more text than names of layers need"):
        read(tmp_path / "w.h5")


@pytest.mark.parametrize("packing", [None, "gzip"])
def test_ten_gigabytes_that_are_only_said(tmp_path, packing):
    """Whoever compares shapes first does not ask for them; whoever asks does not get zeros."""
    with whole(tmp_path / "w.h5") as file:
        file["dense"].create_dataset("large", (50_000, 50_000), "float32", compression=packing)
        file["dense"].attrs["weight_names"] = ["large"]
    assert (tmp_path / "w.h5").stat().st_size < 100_000
    with pytest.raises(DataError, match=r"dense/large says that it has 10,000,000,000 bytes, and none are in the file"):
        read(tmp_path / "w.h5")


def test_numbers_that_unpack_to_far_more(tmp_path):
    with whole(tmp_path / "w.h5") as file:
        file["dense"].create_dataset("large", data=np.zeros((5_000, 5_000), "float32"), compression="gzip")
        file["dense"].attrs["weight_names"] = ["large"]
    with pytest.raises(DataError, match=r"dense/large says that it has 100,000,000 bytes, and [\d,]+ are in the file"):
        read(tmp_path / "w.h5")


def test_only_regular_files(tmp_path):
    os.mkfifo(tmp_path / "w.h5")
    with pytest.raises(DataError, match="expected a regular file, found a named pipe"):
        read(tmp_path / "w.h5")
    with pytest.raises(DataError, match="expected a regular file, found a directory"):
        read(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "nothing.h5")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not an HDF5 file; expected a .weights.h5 or .h5 file of Keras"),
        (b"name,age\n", "not an HDF5 file"),
        (b"\x89HDF\r\n\x1a\n", "this HDF5 file is cut off or damaged"),
        (b"PK\x03\x04 a model.keras", "this is an archive, such as a .keras file; save the weights"),
        (b"\x80\x04\x95 a pickle", "not an HDF5 file"),
    ],
)
def test_no_hdf5_file(tmp_path, data, said):
    (tmp_path / "w.h5").write_bytes(data)
    with pytest.raises(DataError) as error:
        read(tmp_path / "w.h5")
    assert said in str(error.value)


def test_an_hdf5_file_of_something_else(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["pictures"] = ONES
    with pytest.raises(DataError, match=r"no weights of Keras in this HDF5 file; expected the layout of model\.save"):
        read(tmp_path / "w.h5")


def test_a_file_that_is_cut_off(tmp_path):
    whole(tmp_path / "w.h5").close()
    data = (tmp_path / "w.h5").read_bytes()
    for length in range(8, len(data) - 1, 97):
        (tmp_path / "cut.h5").write_bytes(data[:length])
        with pytest.raises(DataError, match="cut off or damaged"):
            read(tmp_path / "cut.h5")


def test_a_damaged_heap_is_refused_before_hdf5_reads_it(tmp_path):
    """A text that would be longer than the file, of which HDF5 itself says that it cannot be read."""
    whole(tmp_path / "w.h5").close()
    data = bytearray((tmp_path / "w.h5").read_bytes())
    at = data.find(b"GCOL") + 16
    data[at + 8 : at + 16] = (1 << 40).to_bytes(8, "little")
    with pytest.raises(DataError, match="cut off or damaged"):
        longest_text(bytes(data), "w.h5")


DAMAGED = """
import random, signal, sys
from pathlib import Path
from mltrain.errors import DataError
from tests.hostile.test_weight_files import read
data, path, seed = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
refused = 0
for _ in range(int(sys.argv[4])):
    damaged = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        damaged[random.randrange(len(data))] = random.choice((0, 255, random.randrange(256)))
    path.write_bytes(damaged)
    signal.alarm(20)  # reading ends, whatever the bytes are
    try:
        read(path)
    except DataError as error:
        assert str(error).isprintable()
        refused += 1
print(refused)
"""


@pytest.mark.parametrize("kind", ["listed", "numbered"])
def test_bytes_that_are_damaged_anywhere(tmp_path, kind):
    """In another process: HDF5 is written in C."""
    whole(tmp_path / "listed.h5").close()
    with h5py.File(tmp_path / "numbered.h5", "w") as file:
        for name in ("dense", "dense_1"):
            group = file.create_group(f"layers/{name}/vars")
            group.attrs["name"] = name
            group.create_dataset("0", data=np.arange(300, dtype="float32"), compression="gzip")
    path = tmp_path / f"{kind}.h5"
    command = [sys.executable, "-c", DAMAGED, path, tmp_path / "damaged.h5", 7, 500]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
