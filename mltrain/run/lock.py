"""One process per run directory: a lock of the operating system, which dies with the process that holds it."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

from mltrain.errors import RunError, RunExistsError, WriteError
from mltrain.run.reading import read_file

# Not a directory handle: NFS grants an exclusive flock only on a file that is open for writing.
_LOCK_FILE = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Lock:
    """An exclusive `flock` on the file `path`, taken when made, until `release` or the end of the process.

    The file's content (process and machine) only serves the message to others: it proves nothing and is never cleared.

    Raises:
        RunExistsError: another process holds it. At once: nothing waits.
        WriteError: the place cannot be written, or its file system has no locks.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before: bytes | None = None  # its content; None where there was no such file
        try:
            self._file, made = _opened(path)
        except OSError as error:
            raise WriteError(f"{path}: cannot lock the run directory: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(self._file)
            os.close(self._file)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise RunExistsError(f"{path.parent}: in use by {holder}; wait for it, or choose another run") from None
            raise WriteError(
                f"{path}: the file system cannot lock files ({error.strerror}); choose another place with --runs-dir"
            ) from error
        with suppress(OSError):
            self._before = None if made else os.pread(self._file, 1024, 0)
            self._say(f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def restore(self) -> None:
        """Make the file what it was before it was locked: this process has changed nothing in the run."""
        with suppress(OSError):
            if self._before is None:
                self._path.unlink()
            else:
                self._say(self._before)

    def _say(self, content: bytes) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, content, 0)

    def release(self) -> None:
        """Give the lock back; a second time does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def was_killed(path: Path) -> bool:
    """Return whether the process that last wrote the lock file `path` was one of this machine and is gone.

    Nothing is locked, so that whoever looks is never in the way; what cannot be known is False.
    """
    with suppress(OSError, ValueError, RunError):
        _, process, _, machine = read_file(path.parent, path.name, limit=1024).decode("ascii").split()
        if machine != socket.gethostname() or not 0 < int(process) < 1 << 31:
            return False
        try:
            os.kill(int(process), 0)  # signal 0 only asks
        except ProcessLookupError:
            return True
    return False


def _opened(path: Path) -> tuple[int, bool]:
    """Open the file, and say whether it had to be made."""
    try:
        return os.open(path, _LOCK_FILE), False
    except FileNotFoundError:
        return os.open(path, _LOCK_FILE | os.O_CREAT, 0o666), True


def _holder(file: int) -> str:
    with suppress(OSError):
        text = os.pread(file, 200, 0).decode("utf-8", "replace").strip()
        if text.startswith("process ") and text.isprintable():
            return text
    return "another process"
