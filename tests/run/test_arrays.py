from __future__ import annotations

import io
import random
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from mltrain.run.arrays import from_npy, from_npz, to_npy, to_npz

ARRAYS = {
    "sequential/dense/kernel": np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32),
    "file": np.arange(5, dtype=np.int64),
    "scalar": np.float32(0.1),
    "empty": np.zeros((0, 3)),
    "bool": np.array([True, False]),
    "seed": np.array([1, 2], dtype=np.uint32),
    "half": np.array([1.5, -2], dtype=np.float16),
    "brain": np.array([[1.5, -2, np.nan]], dtype=ml_dtypes.bfloat16),
    "tiny": np.array([1, 0.5], dtype=ml_dtypes.float8_e4m3fn),
    "one brain": np.array(3, dtype=ml_dtypes.bfloat16),
}


def test_every_array_comes_back_with_its_type_and_bits() -> None:
    data, foreign = to_npz(ARRAYS)
    assert foreign == {"brain": "bfloat16", "tiny": "float8_e4m3fn", "one brain": "bfloat16"}
    found = from_npz(data, foreign)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


def test_numpy_itself_reads_the_file(tmp_path: Path) -> None:
    data, _ = to_npz({"a/b": ARRAYS["sequential/dense/kernel"]})
    (tmp_path / "arrays.npz").write_bytes(data)
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as archive:
        assert np.array_equal(archive["a/b"], ARRAYS["sequential/dense/kernel"])


def test_equal_arrays_give_equal_bytes_in_any_memory_layout() -> None:
    matrix = np.arange(12.0).reshape(3, 4)
    expected = to_npz({"a": matrix})
    assert to_npz({"a": np.asfortranarray(matrix)}) == expected
    assert to_npz({"a": np.repeat(matrix, 2, axis=1)[:, ::2]}) == expected
    assert to_npy(np.asfortranarray(matrix)) == to_npy(matrix)


def test_the_time_is_not_in_the_bytes() -> None:
    data, _ = to_npz(ARRAYS)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_arrays_of_objects_are_neither_written_nor_read() -> None:
    objects = np.array([{}, []], dtype=object)
    with pytest.raises(ValueError, match="Object arrays"):
        to_npy(objects)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, objects, allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        from_npy(buffer.getvalue())


def test_a_header_that_promises_more_than_the_file_holds_allocates_nothing() -> None:
    data = to_npy(np.zeros(3)).replace(b"(3,), }         ", b"(3000000000,),} ")
    with pytest.raises(ValueError, match="the header says 24000000000 bytes, the file holds 24"):
        from_npy(data)


def test_compressed_and_shared_entries_are_refused() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.zeros(10**6))
    with pytest.raises(ValueError, match=r"larger than the file|not an uncompressed array"):
        from_npz(buffer.getvalue(), {})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../evil.txt", b"")
    with pytest.raises(ValueError, match=r"evil\.txt"):
        from_npz(buffer.getvalue(), {})


def test_entries_that_share_their_bytes_are_refused() -> None:
    data, _ = to_npz({"a": np.zeros(1000)})
    end = data.rindex(b"PK\5\6")
    entry = data[data.index(b"PK\1\2") : end]
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 50, 50, 50 * len(entry), data.index(b"PK\1\2"), 0)
    with pytest.raises(ValueError, match="larger than the file that holds it"):
        from_npz(data[: data.index(b"PK\1\2")] + 50 * entry + tail, {})


@pytest.mark.parametrize(
    "foreign", [{"nowhere": "bfloat16"}, {"half": "finfo"}, {"half": "os.system"}, {"half": "float8_e5m2"}]
)
def test_types_that_are_none_are_refused(foreign: dict[str, str]) -> None:
    data, _ = to_npz({"half": ARRAYS["half"]})
    with pytest.raises(ValueError, match=r"no array"):
        from_npz(data, foreign)


def test_types_that_no_variable_has_are_refused() -> None:
    with pytest.raises(ValueError, match="int4"):
        to_npz({"a": np.zeros(3, dtype=ml_dtypes.int4)})


def test_no_damage_is_anything_but_a_value_error() -> None:
    data, foreign = to_npz(ARRAYS)
    draw = random.Random(0)
    for _ in range(500):
        damaged = bytearray(data)
        for _ in range(draw.choice((1, 4, 40))):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        if draw.random() < 0.2:
            del damaged[draw.randrange(len(damaged)) :]
        with suppress(ValueError):
            from_npz(bytes(damaged), foreign)
