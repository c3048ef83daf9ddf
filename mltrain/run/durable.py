"""The only place that writes into a run: a file is the old one or the new one, never half of one.

Each function leaves, at any moment and after any fault, the state before it or the state after it: content goes to a
temporary name beside the final one, is flushed to the disk, is renamed, and the directory that holds it is flushed.
What a kill can leave behind is a `.tmp-…` entry, which nobody reads.

Every operation of the system passes through `perform`, so that a test can count them and fail, shorten or kill at each.
The directory that holds the entry is opened once and must be no symbolic link: a link planted inside a run cannot lead
the write out of it. A caller that takes a path from the user resolves the user's links first (`without_links`).
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from mltrain.run.refused_writes import refuse, refusing

TEMPORARY = ".tmp-"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_GROWING_FILE = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def perform(operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call one operation of the system: the seam through which tests count, fail and kill."""
    return operation(*arguments, **options)


def write_file(path: Path, data: bytes) -> None:
    """Make `path` a file that holds `data`; until it is durable, the file that was there stays as it was.

    Raises:
        WriteError: it cannot be written; what was there is intact.
    """
    write_files(path.parent, {path.name: data})


def write_soon(path: Path, data: bytes) -> None:
    """Make `path` a file that holds `data`, which survives the end of the process, not that of the machine.

    For what is old after a second: it may fail, and is not an operation that a test counts, as the number of such
    writes depends on the time.
    """
    with suppress(OSError), ExitStack() as stack:
        directory = os.open(path.parent, _DIRECTORY)
        stack.callback(os.close, directory)
        name = stack.enter_context(_temporary(directory))
        file = os.open(name, _NEW_FILE, 0o666, dir_fd=directory)
        try:
            os.write(file, data)
        finally:
            os.close(file)
        os.replace(name, path.name, src_dir_fd=directory, dst_dir_fd=directory)


def unnamed_array(directory: Path, shape: tuple[int, ...], dtype: str) -> Any:
    """Return an array without values in a file of a directory. The file has no name: whatever happens to the process,
    the system removes it.

    Raises:
        WriteError: it cannot be made.
    """
    import numpy as np

    with refusing(directory), tempfile.TemporaryFile(dir=directory) as file:
        return np.memmap(file, dtype=dtype, mode="w+", shape=shape)


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Make each of `files`, by plain name, a file in `directory`, as `write_file` does; with one flush of the directory
    instead of one for each.

    Raises:
        WriteError: one cannot be written; each file is the old one or the new one.
    """
    with _holding(directory / next(iter(files), ""), sum(map(len, files.values()))) as held, ExitStack() as temporaries:
        names = {name: temporaries.enter_context(_temporary(held)) for name in files}
        for name, data in files.items():
            _fill(names[name], data, held)
        for name in files:
            perform(os.replace, names[name], name, src_dir_fd=held, dst_dir_fd=held)
        _flush_directory(held)


class NewFile(io.RawIOBase):
    """What `writing` gives: bytes can be added, and nothing else."""

    def __init__(self, path: Path, file: int) -> None:
        self._path, self._file, self._size = path, file, 0

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._size

    def write(self, data: Any) -> int:
        """Add all of `data`; raises WriteError."""
        view = memoryview(data).cast("B")
        with refusing(self._path):
            _write_all(self._file, view)
        self._size += len(view)
        return len(view)

    def end(self) -> None:
        """Take no more bytes: the system may give the number of the file to another one."""
        self._file = -1


@contextmanager
def writing(path: Path) -> Iterator[NewFile]:
    """Give a file that becomes `path` when the block ends well, and of which nothing stays when it does not.

    Raises:
        WriteError: it cannot be written; what was there is intact.
    """
    with ExitStack() as held:
        with refusing(path):
            directory = held.enter_context(_opened(path.parent, _DIRECTORY))
        name = held.enter_context(_temporary(directory))
        with ExitStack() as opened:
            with refusing(path):
                file = opened.enter_context(_opened(name, _NEW_FILE, directory))
            new = NewFile(path, file)
            opened.callback(new.end)
            yield new
            with refusing(path):
                perform(os.fsync, file)
        with refusing(path):
            perform(os.replace, name, path.name, src_dir_fd=directory, dst_dir_fd=directory)
            _flush_directory(directory)


def append(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Add `data` at the end of the file `path`, all of it or nothing.

    Without `durable` the data survives the end of the process, not that of the machine: two orders of magnitude faster,
    for a history of which a checkpoint holds the truth.

    Raises:
        WriteError: it cannot be written; the file is as long as before.
    """
    with _holding(path, len(data)) as directory, _opened(path.name, _GROWING_FILE, directory) as file:
        before = os.fstat(file)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EISDIR, "")
        try:
            _write_all(file, data)
        except OSError:
            with suppress(OSError):
                perform(os.ftruncate, file, before.st_size)
            raise
        if durable:
            perform(os.fsync, file)
            _flush_directory(directory)


def growing_file(path: Path) -> int:
    """Open the file `path` for another process, which adds what it says at the end; whoever asks closes it.

    Raises:
        WriteError: it cannot be made.
    """
    with _holding(path) as directory:
        file: int = perform(os.open, path.name, _GROWING_FILE, 0o666, dir_fd=directory)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(errno.EISDIR, "")
        return file


def make_directory(path: Path) -> None:
    """Make the directory `path` in one that is there.

    Raises:
        FileExistsError: something of that name is there already.
        WriteError: it cannot be made.
    """
    with _holding(path) as directory:
        perform(os.mkdir, path.name, dir_fd=directory)
        _flush_directory(directory)


def make_directories(path: Path) -> None:
    """Make the directory `path` and those above it, as far as they are not there.

    Raises:
        WriteError: one of them cannot be made.
    """
    missing = [directory for directory in (path, *path.parents) if not directory.is_dir()]
    for directory in reversed(missing):
        try:
            make_directory(directory)
        except FileExistsError:
            if not directory.is_dir():  # else another process was faster
                refuse(directory, OSError(errno.ENOTDIR, ""))


def write_directory(path: Path, files: Mapping[str, bytes]) -> None:
    """Make the directory `path` with all of `files` in it, or nothing.

    Args:
        path: the directory, which must not be there.
        files: content by plain file name.

    Raises:
        FileExistsError: something of that name is there already.
        WriteError: it cannot be written, and nothing of that name is there.
    """
    with _holding(path, sum(map(len, files.values()))) as directory, _temporary(directory) as name:
        # rename() silently takes the place of an empty directory.
        if path.name in os.listdir(directory):  # noqa: PTH208 (Path knows no directory handles)
            raise FileExistsError(errno.EEXIST, "already exists", str(path))
        perform(os.mkdir, name, dir_fd=directory)
        with _opened(name, _DIRECTORY, directory) as inside:
            for file_name, data in files.items():
                _fill(file_name, data, inside)
            _flush_directory(inside)
        perform(os.rename, name, path.name, src_dir_fd=directory, dst_dir_fd=directory)
        _flush_directory(directory)


def remove_tree(path: Path) -> None:
    """Remove the directory `path`; a kill midway leaves it complete or under a temporary name, never half of it.

    Raises:
        WriteError: it cannot be removed.
    """
    with _holding(path) as directory, _temporary(directory) as name:
        perform(os.rename, path.name, name, src_dir_fd=directory, dst_dir_fd=directory)
        _flush_directory(directory)
        perform(shutil.rmtree, name, dir_fd=directory)


def remove_leftovers(directory: Path) -> None:
    """Remove what kills have left behind under temporary names; call it only while holding the run's lock.

    Raises:
        WriteError: something cannot be removed.
    """
    if not directory.is_dir():
        return
    with _holding(directory / TEMPORARY) as held:
        for name in sorted(os.listdir(held)):  # noqa: PTH208 (Path knows no directory handles)
            if not name.startswith(TEMPORARY):
                continue
            try:
                perform(os.unlink, name, dir_fd=held)
            except IsADirectoryError:
                perform(shutil.rmtree, name, dir_fd=held)


def point(path: Path, target: str) -> None:
    """Make `path` a symbolic link to `target`; where links are refused, a text file that holds `target`.

    Raises:
        WriteError: neither can be written.
    """
    with _holding(path, len(target)) as directory, _temporary(directory) as name:
        try:
            perform(os.symlink, target, name, dir_fd=directory)
        except OSError as error:
            # FAT, exFAT and many network shares know no links.
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            _fill(name, f"{target}\n".encode(), directory)
        perform(os.replace, name, path.name, src_dir_fd=directory, dst_dir_fd=directory)
        _flush_directory(directory)


def without_links(path: Path) -> Path:
    """Return `path` as it is written, or where it leads if there are links in it: the writes here follow none."""
    real = path.resolve()
    return path if real == path.absolute() else real


@contextmanager
def _holding(path: Path, needed: int = 0) -> Iterator[int]:
    """Open the directory that holds `path`, and turn what the system refuses into a WriteError."""
    with refusing(path, needed), _opened(path.parent, _DIRECTORY) as directory:
        yield directory


@contextmanager
def _opened(path: str | Path, flags: int, directory: int | None = None) -> Iterator[int]:
    """Open what is at a path, or under a name in a directory."""
    file = perform(os.open, path, flags, 0o666, dir_fd=directory)
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _temporary(directory: int) -> Iterator[str]:
    """Give a name that nobody can guess, and remove what bears it when the block does not succeed."""
    name = TEMPORARY + os.urandom(8).hex()
    try:
        yield name
    except BaseException:  # a signal's exception too
        with suppress(OSError):
            try:
                os.unlink(name, dir_fd=directory)
            except IsADirectoryError:
                shutil.rmtree(name, dir_fd=directory)
        raise


def _fill(name: str, data: bytes, directory: int) -> None:
    with _opened(name, _NEW_FILE, directory) as file:
        _write_all(file, data)
        perform(os.fsync, file)


def _write_all(file: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[perform(os.write, file, rest) :]


def _flush_directory(directory: int) -> None:
    try:
        perform(os.fsync, directory)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot flush a directory
            raise
