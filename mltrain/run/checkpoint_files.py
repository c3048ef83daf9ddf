"""A checkpoint: one directory with arrays, a state, and a manifest that proves both. Complete, or absent.

    checkpoints/best-000012/
      arrays.npz       the arrays, uncompressed; types that NumPy does not know as raw words
      state.json       what is no array, and the types of the raw words
      MANIFEST.json    size and sha256 of the two

A name is written once and never again: what is newer gets a new name, and older ones of its kind are pruned after it is
on the disk. The sums prove that nothing was damaged, not who wrote it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltrain.errors import RunError
from mltrain.run import durable
from mltrain.run.json_text import from_json, to_json
from mltrain.run.reading import MEBIBYTE, read_file

if TYPE_CHECKING:  # NumPy costs 80 ms, and `show` lists checkpoints without it
    import numpy as np

FORMAT = 1

# The weights of an epoch that a callback has chosen.
KEPT = "kept"

_ARRAYS = "arrays.npz"
_STATE = "state.json"
_MANIFEST = "MANIFEST.json"

_NAME = re.compile(r"([a-z][a-z0-9]{0,31})-(\d{6,18})")
_LIMITS = {_ARRAYS: 64 * 1024 * MEBIBYTE, _STATE: 256 * MEBIBYTE}


def write_checkpoint(directory: Path, name: str, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> Path:
    """Write a checkpoint, durably, and return its directory.

    Args:
        directory: of the run's checkpoints; made if it is not there.
        name: kind and number, as `best-000012`; the number (an epoch, a step) tells which is newer.
        arrays: by name; any type that Keras variables have.
        state: what JSON can hold, without NaN and infinity.

    Raises:
        FileExistsError: a checkpoint of that name is there.
        ValueError: `name` is not of that form, or the state holds NaN.
        WriteError: it cannot be written; nothing of that name is there.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name of a checkpoint; expected a kind and a number, such as 'best-000012'")
    from mltrain.run.arrays import to_npz

    packed, raw_types = to_npz(arrays)
    files = {_ARRAYS: packed, _STATE: to_json({"raw_types": raw_types, "state": state}, exact=True)}
    durable.make_directories(directory)
    durable.write_directory(directory / name, {**files, _MANIFEST: _manifest(files)})
    return directory / name


def read_checkpoint(
    path: Path, check_state: Callable[[Mapping[str, Any], Path], None] | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the state of a checkpoint, after proving that they are what was written.

    The arrays are read-only.

    Args:
        path: of its directory.
        check_state: raises a RunError where the state does not have its form; takes the state, and where it is from.

    Raises:
        RunError: anything is missing, extra, changed, no plain file, or of another version; says which file.
    """
    from mltrain.run.arrays import from_npz

    if not _NAME.fullmatch(path.name):
        raise RunError(f"{path}: not a name of a checkpoint; expected a kind and a number, such as 'best-000012'")
    place = path / _MANIFEST
    manifest = _read(path, _MANIFEST, MEBIBYTE)
    content = from_json(manifest, place)
    if content.get("format") != FORMAT:
        raise RunError(f"{place}: format {content.get('format')!r}; this version of mltrain reads format {FORMAT}")
    _check_names(path)
    sizes = _sizes(content, place)
    files = {name: _read(path, name, sizes[name]) for name in (_ARRAYS, _STATE)}
    for name, data in files.items():
        if len(data) != sizes[name]:
            raise RunError(f"{path / name}: {len(data):,} bytes, the manifest says {sizes[name]:,}; it is damaged")
        if hashlib.sha256(data).hexdigest() != content["files"][name]["sha256"]:
            raise RunError(f"{path / name}: its sha256 does not match the manifest; it is damaged")
    # Written again from what was proved, the manifest must be the same to the byte: nothing in it is left unproved.
    if _manifest(files) != manifest:
        raise RunError(f"{place}: is damaged")
    state = from_json(files[_STATE], path / _STATE)
    # Sums that fit can be made by a stranger: what follows is checked as well.
    if not isinstance(state.get("raw_types"), dict) or not isinstance(state.get("state"), dict):
        raise RunError(f"{path / _STATE}: expected the objects 'raw_types' and 'state'")
    if check_state is not None:
        check_state(state["state"], path / _STATE)
    try:
        return from_npz(files[_ARRAYS], state["raw_types"]), state["state"]
    except ValueError as error:
        raise RunError(f"{path / _ARRAYS}: not an array file that mltrain wrote: {error}") from error


def newest(directory: Path, kind: str) -> Path:
    """Return the checkpoint of `kind` with the highest number.

    Raises:
        RunError: there is none.
    """
    found = _of_kind(directory, kind)
    if not found:
        raise RunError(f"{directory}: there is no checkpoint '{kind}'; the run ended before it was written")
    return found[-1]


def numbers(directory: Path, kind: str) -> list[int]:
    """Return the numbers of the checkpoints of `kind` that are there, the lowest first."""
    return sorted(int(path.name.rpartition("-")[2]) for path in _of_kind(directory, kind))


def remove(directory: Path, kind: str, number: int) -> None:
    """Remove one checkpoint.

    Raises:
        WriteError: it cannot be removed.
    """
    durable.remove_tree(directory / f"{kind}-{number:06d}")


def prune(directory: Path, kind: str, keep: int) -> None:
    """Remove all checkpoints of `kind` but the `keep` newest; call it when the newest is written.

    Raises:
        WriteError: one cannot be removed.
    """
    found = _of_kind(directory, kind)
    for path in found[: max(len(found) - keep, 0)]:
        durable.remove_tree(path)


def _of_kind(directory: Path, kind: str) -> list[Path]:
    numbers = {}
    if directory.is_dir():
        for path in directory.iterdir():
            match = _NAME.fullmatch(path.name)
            if match and match[1] == kind:
                numbers[path] = int(match[2])
    return sorted(numbers, key=lambda path: (numbers[path], path.name))


def _manifest(files: Mapping[str, bytes]) -> bytes:
    sums = {name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    return to_json({"format": FORMAT, "files": sums})


def _sizes(content: Mapping[str, Any], place: Path) -> dict[str, int]:
    """Return what the manifest says of sizes, so that no more than that is ever read."""
    try:
        sizes = {name: content["files"][name]["size"] for name in (_ARRAYS, _STATE)}
        sums = {name: content["files"][name]["sha256"] for name in sizes}
    except (KeyError, TypeError) as error:
        raise RunError(f"{place}: is damaged: size or sha256 of a file is missing") from error
    for name, size in sizes.items():
        if type(size) is not int or not 0 <= size <= _LIMITS[name] or not isinstance(sums[name], str):
            raise RunError(f"{place}: is damaged: size or sha256 of {name} is missing")
    return sizes


def _read(path: Path, name: str, limit: int) -> bytes:
    # From the run directory down: `checkpoints` itself may be a planted link.
    below = Path(path.parent.name, path.name, name)
    return read_file(path.parent.parent, below.as_posix(), limit=limit)


def _check_names(path: Path) -> None:
    try:
        strange = {entry.name for entry in path.iterdir()} - {_ARRAYS, _STATE, _MANIFEST}
    except OSError as error:
        raise RunError(f"{path}: cannot be listed: {error.strerror}") from error
    if strange:
        raise RunError(f"{path / min(strange)}: does not belong to a checkpoint; remove it if you put it there")
