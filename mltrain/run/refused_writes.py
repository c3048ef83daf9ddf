"""What the system says when it refuses a write, in words, with what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from mltrain.errors import WriteError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space, or choose another disk with --runs-dir",
    errno.EDQUOT: "the quota is used up; free some space, or choose another disk with --runs-dir",
    errno.EROFS: "the file system is read-only; choose another place with --runs-dir",
    errno.EACCES: "no permission; choose another place with --runs-dir, or correct the permissions of the directory",
    errno.EPERM: "not permitted; choose another place with --runs-dir",
    errno.EIO: "the disk reports an input/output error; check the disk",
    errno.EFBIG: "the file would be larger than allowed; raise the limit (`ulimit -f`)",
    errno.ENOENT: "the directory is gone; was it removed or renamed while the run was using it?",
    errno.ENOTDIR: "a file or a symbolic link is where a directory is expected; remove it",
    errno.ELOOP: "a symbolic link is where a file or a directory is expected; remove it",
    errno.EISDIR: "something other than a plain file is where a file is expected; remove it",
    errno.ENAMETOOLONG: "the name is too long for the file system; choose a shorter one",
    errno.EMFILE: "too many open files; raise the limit (`ulimit -n`)",
    errno.ESTALE: "the network file system lost the directory; check the mount",
}


@contextmanager
def refusing(path: Path, needed: int = 0) -> Iterator[None]:
    """Turn what the system refuses into a WriteError; what is there already stays a FileExistsError.

    Args:
        path: what is written.
        needed: bytes, to be named beside those that are free; 0 where that says nothing.
    """
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        refuse(path, error, needed)


def refuse(path: Path, error: OSError, needed: int = 0) -> NoReturn:
    """Raise the WriteError that says why `path` cannot be written."""
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
    space = f" ({needed:,} bytes needed{_free(path)})" if needed else ""
    raise WriteError(f"{path}: cannot write{space}: {reason}") from error


def _free(path: Path) -> str:
    for directory in path.absolute().parents:
        with suppress(OSError):
            disk = os.statvfs(directory)
            return f", {disk.f_bavail * disk.f_frsize:,} free"
    return ""
