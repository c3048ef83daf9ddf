from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from mltrain.errors import RunError, WriteError
from mltrain.run import durable
from mltrain.run.checkpoint_files import newest, prune, read_checkpoint, write_checkpoint
from mltrain.run.json_text import to_json

ARRAYS = {
    "dense/kernel": np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
    "scale": np.array([1.5, 2.5], dtype=ml_dtypes.bfloat16),
}
STATE = {"epoch": 12, "step": 1234, "best": 0.1, "monitor": "validation.loss", "wait": None}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "checkpoints", "best-000012", ARRAYS, STATE)


def contents(path: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


def test_arrays_and_state_come_back_as_they_were(checkpoint: Path) -> None:
    arrays, state = read_checkpoint(checkpoint)
    assert state == STATE
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].tobytes() == array.tobytes()


def test_equal_checkpoints_are_equal_to_the_byte(checkpoint: Path, tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other", "best-000012", ARRAYS, STATE)
    assert contents(other) == contents(checkpoint)


def test_a_name_is_never_written_twice(checkpoint: Path) -> None:
    before = contents(checkpoint)
    with pytest.raises(FileExistsError):
        write_checkpoint(checkpoint.parent, checkpoint.name, {}, {})
    assert contents(checkpoint) == before


@pytest.mark.parametrize("name", ["best", "best-1", "../best-000001", "best-000001/x", "Best-000001", ".-000001", ""])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name of a checkpoint"):
        write_checkpoint(tmp_path / "checkpoints", name, {}, {})
    with pytest.raises(RunError):
        read_checkpoint(tmp_path / "checkpoints" / name)


def test_a_state_with_nan_is_refused_not_changed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_checkpoint(tmp_path, "last-000001", {}, {"best": float("nan")})


def test_64_flipped_bits_and_cut_ends_are_all_detected(checkpoint: Path) -> None:
    draw = random.Random(20)
    for name, data in contents(checkpoint).items():
        for turn in range(64):
            damaged = bytearray(data)
            if turn % 4:
                damaged[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            else:
                del damaged[draw.randrange(len(data)) :]
            (checkpoint / name).write_bytes(damaged)
            with pytest.raises(RunError) as caught:
                read_checkpoint(checkpoint)
            assert str(checkpoint if name == "MANIFEST.json" else checkpoint / name) in str(caught.value)
            assert caught.value.exit_code == 5
        (checkpoint / name).write_bytes(data)
    read_checkpoint(checkpoint)


def test_every_bit_of_the_manifest_counts(checkpoint: Path) -> None:
    data = (checkpoint / "MANIFEST.json").read_bytes()
    for place in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[place] ^= 1 << bit
            (checkpoint / "MANIFEST.json").write_bytes(damaged)
            with pytest.raises(RunError):
                read_checkpoint(checkpoint)


@pytest.mark.parametrize("name", ["arrays.npz", "state.json", "MANIFEST.json"])
def test_missing_appended_and_swapped_files_are_detected(checkpoint: Path, tmp_path: Path, name: str) -> None:
    other = write_checkpoint(tmp_path / "other", "best-000012", {"dense/kernel": np.ones((3, 4))}, {"epoch": 13})
    data = (checkpoint / name).read_bytes()
    for wrong in (data + b"\n", b"", (other / name).read_bytes()):
        (checkpoint / name).write_bytes(wrong)
        with pytest.raises(RunError):
            read_checkpoint(checkpoint)
    (checkpoint / name).unlink()
    with pytest.raises(RunError, match=f"{name}: not there"):
        read_checkpoint(checkpoint)


def test_an_extra_file_is_detected(checkpoint: Path) -> None:
    (checkpoint / "model.pkl").write_bytes(b"")
    with pytest.raises(RunError, match=r"model\.pkl: does not belong"):
        read_checkpoint(checkpoint)


def test_another_version_is_said(checkpoint: Path) -> None:
    manifest = json.loads((checkpoint / "MANIFEST.json").read_text())
    (checkpoint / "MANIFEST.json").write_bytes(to_json({**manifest, "format": 2}))
    with pytest.raises(RunError, match="format 2; this version of mltrain reads format 1"):
        read_checkpoint(checkpoint)


@pytest.mark.parametrize("name", ["arrays.npz", "MANIFEST.json"])
def test_links_and_fifos_are_refused(checkpoint: Path, tmp_path: Path, name: str) -> None:
    (checkpoint / name).rename(tmp_path / name)
    (checkpoint / name).symlink_to(tmp_path / name)
    with pytest.raises(RunError, match="a symbolic link"):
        read_checkpoint(checkpoint)
    (checkpoint / name).unlink()
    os.mkfifo(checkpoint / name)
    with pytest.raises(RunError, match="not a regular file"):
        read_checkpoint(checkpoint)


def test_linked_directories_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "best-000012").symlink_to(checkpoint)
    with pytest.raises(RunError, match="a symbolic link"):
        read_checkpoint(run / "checkpoints" / "best-000012")
    shutil.rmtree(run / "checkpoints")
    (run / "checkpoints").symlink_to(checkpoint.parent)
    with pytest.raises(RunError, match="a symbolic link"):
        read_checkpoint(run / "checkpoints" / "best-000012")


@pytest.mark.parametrize(
    "manifest",
    [
        {"format": 1},
        {"format": 1, "files": {"arrays.npz": {"size": 10**15, "sha256": ""}, "state.json": {"size": 1, "sha256": ""}}},
        {"format": 1, "files": {"arrays.npz": {"size": True, "sha256": ""}, "state.json": {"size": 1, "sha256": ""}}},
        {"format": 1, "files": [1, 2]},
        {},
    ],
)
def test_a_manifest_of_another_shape_is_an_error_not_a_crash(checkpoint: Path, manifest: object) -> None:
    (checkpoint / "MANIFEST.json").write_bytes(to_json(manifest))
    with pytest.raises(RunError, match=r"MANIFEST\.json"):
        read_checkpoint(checkpoint)


def test_sums_that_a_stranger_made_fit_do_not_help(tmp_path: Path) -> None:
    from mltrain.run import checkpoint_files

    for number, (arrays, state) in enumerate(
        [(b"no zip", b'{"raw_types": {}, "state": {}}\n'), (b"", b"[]"), (b"", b'{"raw_types": 3, "state": {}}')]
    ):
        files = {"arrays.npz": arrays, "state.json": state}
        path = tmp_path / f"best-{number:06d}"
        durable.write_directory(path, {**files, "MANIFEST.json": checkpoint_files._manifest(files)})
        with pytest.raises(RunError):
            read_checkpoint(path)


def test_the_newest_is_found_by_number_and_surplus_ones_are_removed(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no checkpoint 'best'"):
        newest(tmp_path, "best")
    for name in ("epoch-000002", "epoch-999999", "epoch-1000000", "best-000003", "last-000011"):
        write_checkpoint(tmp_path, name, {}, {})
    (tmp_path / ".tmp-0123456789abcdef").mkdir()
    assert newest(tmp_path, "epoch").name == "epoch-1000000"
    prune(tmp_path, "epoch", keep=2)
    prune(tmp_path, "best", keep=2)
    assert sorted(path.name for path in tmp_path.glob("[a-z]*")) == [
        "best-000003",
        "epoch-1000000",
        "epoch-999999",
        "last-000011",
    ]


def test_a_failed_write_leaves_the_older_checkpoint_readable(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(WriteError, match="the disk is full"):
        write_checkpoint(checkpoint.parent, "best-000013", ARRAYS, STATE)
    assert [path.name for path in checkpoint.parent.iterdir()] == ["best-000012"]
    read_checkpoint(newest(checkpoint.parent, "best"))
