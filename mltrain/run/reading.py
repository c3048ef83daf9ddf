"""Reading the files of a run that may come from a stranger: regular files only, no links, no more than a cap.

A run directory that was received can hold a link to a file of the reader's, a FIFO that never answers, or a sparse file
of a terabyte. None of them is followed, waited for, or read.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from mltrain.errors import RunError
from mltrain.run.json_text import from_json

ModelT = TypeVar("ModelT", bound=BaseModel)

MEBIBYTE = 1 << 20

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a FIFO waits for a writer for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_file(root: Path, name: str, *, limit: int) -> bytes:
    """Return the content of the file `name` below the directory `root`.

    Args:
        root: a directory; links on the way to it are followed.
        name: relative, with `/`; no part of it may be a link.
        limit: the most bytes that are read.

    Raises:
        RunError: the file is missing, not a regular file, reached through a link, larger than `limit`, or unreadable.
    """
    place = root / name
    parts = PurePosixPath(name).parts
    handles: list[int] = []
    try:
        handles.append(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for part in parts[:-1]:
            handles.append(os.open(part, _DIRECTORY, dir_fd=handles[-1]))
        handles.append(os.open(parts[-1], _FILE, dir_fd=handles[-1]))
        status = os.fstat(handles[-1])
        if not stat.S_ISREG(status.st_mode):
            raise RunError(f"{place}: not a regular file; a run holds plain files and directories only")
        if status.st_size > limit:
            raise RunError(f"{place}: {status.st_size:,} bytes, more than the {limit:,} that are expected")
        with os.fdopen(os.dup(handles[-1]), "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise RunError(f"{place}: {_reason(error)}") from error
    finally:
        for handle in handles:
            os.close(handle)
    if len(data) != status.st_size:
        raise RunError(f"{place}: changed while it was read; try again")
    return data


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "not there; the run ended before it was written, or the run directory is incomplete"
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "a symbolic link, or not in a directory; a run has only plain files and directories"
    if error.errno == errno.ENXIO:
        return "not a regular file; a run holds plain files and directories only"
    return f"cannot be read: {error.strerror}"


def read_spec(root: Path, name: str, spec: type[ModelT]) -> ModelT:
    """Return what is in a JSON file below the directory `root`; `spec` has a `format`, the one that is read.

    Raises:
        RunError: the file is not there, or says what is wrong with it.
    """
    place = root / name
    data = read_file(root, name, limit=64 * MEBIBYTE)
    values = from_json(data, place)
    known = spec.model_fields["format"].default
    if values.get("format") != known:
        raise RunError(f"{place}: format {values.get('format')!r}; this version of mltrain reads format {known}")
    try:
        return spec.model_validate_json(data)
    except ValidationError as error:
        raise wrong_form(place, error) from error


def wrong_form(place: object, error: ValidationError) -> RunError:
    """Return the error that says where in `place` the first value stands that a spec refuses, and why."""
    first = error.errors(include_url=False)[0]
    why = first["msg"].removeprefix("Value error, ")
    return RunError(": ".join(filter(None, (str(place), ".".join(map(str, first["loc"])), why))))
