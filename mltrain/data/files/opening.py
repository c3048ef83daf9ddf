"""The bytes of data files: unchanged while they are read, from regular files only."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from mltrain.errors import DataError
from mltrain.problems import printable
from mltrain.spec import suggest

# A decompression bomb is told by what it unpacks to: real tables shrink 3 to 50 times, deflate can do 1032.
UNPACKED_FLOOR = 256 * 2**20
UNPACKED_RATIO = 200

# What compressed files of other kinds begin with, and what unpacks them.
_COMPRESSED = {
    b"\x28\xb5\x2f\xfd": ("Zstandard", "zstd -d"),
    b"\xfd7zXZ\x00": ("xz", "unxz"),
    b"BZh": ("bzip2", "bunzip2"),
}
COMPRESSED = tuple(_COMPRESSED)

_READING_FAILED = (errno.EIO, errno.ESTALE)

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class FileContent:
    """What was in a file when it was read.

    Attributes:
        name: the file's name without its folder, as messages say it: safe to print.
        data: the bytes, unpacked where the file is gzip-compressed.
        sha256: of the bytes as they are on disk.
    """

    name: str
    data: bytes
    sha256: str


def read_file_content(path: Path) -> FileContent:
    """Return the bytes of a regular file, unpacked when its name ends in .gz.

    The hash is of the very bytes that are used: what is trained on cannot be another file than what is recorded.

    Raises:
        DataError: the file is not there, not regular, not readable, changes while it is read, or is no whole gzip file.
    """
    with open_regular(path) as file:
        data = file.read()
        if len(data) != os.fstat(file.fileno()).st_size:
            raise _changed(path)
    digest = hashlib.sha256(data).hexdigest()
    name = printable(path.name)
    if path.name.lower().endswith(".gz"):
        data = _unpack(name, data)
    elif data.startswith(b"\x1f\x8b"):
        raise DataError(f"{name}: the file is gzip-compressed; give it a name that ends in .gz")
    _refuse_compressed(name, data)
    return FileContent(name, data, digest)


def _refuse_compressed(name: str, data: bytes) -> None:
    for magic, (kind, command) in _COMPRESSED.items():
        if data.startswith(magic):
            raise DataError(f"{name}: the file is compressed by {kind}; unpack it first ({command}), or use gzip")


def check_unpacked_size(name: str, packed: int, unpacked: int) -> None:
    """Refuse what unpacks to far more than data does."""
    if unpacked > max(UNPACKED_FLOOR, UNPACKED_RATIO * packed):
        raise DataError(
            f"{name}: its {packed} bytes unpack to more than {unpacked - 1} "
            f"(limit: {UNPACKED_RATIO} times the file); "
            "if you trust it, unpack it yourself"
        )


@contextmanager
def open_data_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file that is read in parts, unpacked when its name ends in .gz; it must stay as it is meanwhile.

    Raises:
        DataError: as `read_file_content`.
    """
    name = printable(path.name)
    with open_regular(path) as file:
        if not path.name.lower().endswith(".gz"):
            if file.peek(2).startswith(b"\x1f\x8b"):
                raise DataError(f"{name}: the file is gzip-compressed; give it a name that ends in .gz")
            _refuse_compressed(name, file.peek(6))
            yield file
            return
        with _unpacking(name), gzip.GzipFile(fileobj=file) as unpacked:
            yield cast(BinaryIO, unpacked)


@contextmanager
def open_regular(path: Path) -> Iterator[io.BufferedReader]:
    """Open a regular file, to read it in parts.

    Raises:
        DataError: the file is not there, not regular, not readable, or not the same at the end as it was before.
    """
    shown = printable(str(path))  # a config from a stranger may name the file
    try:
        _require_regular(path, path.stat())  # opening some devices does something already
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 (closed below; Path.open takes no opener)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(f"{shown}: no such file{_near(path)}") from error
    except PermissionError as error:
        raise DataError(f"{shown}: you have no permission to read this file") from error
    except OSError as error:
        raise DataError(f"{shown}: cannot be read: {error.strerror}") from error
    with file:
        _require_regular(path, os.fstat(file.fileno()))  # what was looked at may have been replaced
        before = _identity(file)
        try:
            yield file
        except OSError as error:
            if error.errno not in _READING_FAILED:  # of something else that is done while the file is open
                raise
            raise DataError(f"{shown}: cannot be read: {error.strerror}") from error
        if _identity(file) != before:
            raise _changed(path)


def _changed(path: Path) -> DataError:
    return DataError(f"{printable(str(path))}: the file changed while it was read; try again when it is complete")


def _require_regular(path: Path, status: os.stat_result) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFDIR:
        refuse_folder_of_parts(path)
    if kind != stat.S_IFREG:
        raise DataError(f"{printable(str(path))}: expected a regular file, found {_KINDS.get(kind, 'something else')}")


def refuse_folder_of_parts(path: Path) -> None:
    """Raise DataError for a folder of data files, with what makes one file of them; return where it is not one."""
    if path.is_dir() and (parts := _parts(path)):
        raise DataError(_one_file(path, parts))


def _parts(folder: Path) -> list[Path]:
    """Return the data files of a folder, such as those that Spark, Dask and DuckDB write for one table."""
    try:
        files = sorted(path for path in folder.rglob("*") if not path.name.startswith((".", "_")) and path.is_file())
    except OSError:
        return []
    return [path for path in files if path.name.removesuffix(".gz").endswith((".parquet", ".csv", ".jsonl", ".json"))]


def _one_file(folder: Path, parts: Sequence[Path]) -> str:
    """Return what to do about a folder of parts."""
    shown, name, count = printable(str(folder)), parts[0].name, len(parts)
    files = "1 file" if count == 1 else f"{count} files"
    if name.endswith(".parquet"):
        read = f"p.read_table({str(folder)!r})"
        how = f"python -c \"import pyarrow.parquet as p; p.write_table({read}, 'one.parquet')\""
    elif name.endswith(".csv"):
        how = "the header once, then the rows of all parts"
    else:
        how = f"cat {folder}/*{''.join(parts[0].suffixes[-1:])} > one.jsonl"
    return printable(
        f"{shown}: this is a folder of {files}, such as {name}, and one file is expected; write its parts into one "
        f"file ({how}) and name that"
    )


def _without_waiting(path: str, flags: int) -> int:
    # Opening a pipe waits for a writer that may never come.
    return os.open(path, flags | os.O_NONBLOCK)


def _identity(file: io.BufferedReader) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (there is no folder {printable(str(path.parent))})"
    return suggest(path.name, [entry.name for entry in path.parent.iterdir()])


def _unpack(name: str, packed: bytes) -> bytes:
    unpacked = io.BytesIO()
    with _unpacking(name), gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        while block := file.read(2**20):
            unpacked.write(block)
            check_unpacked_size(name, len(packed), unpacked.tell())
    return unpacked.getvalue()


@contextmanager
def _unpacking(name: str) -> Iterator[None]:
    try:
        yield
    except gzip.BadGzipFile as error:
        raise DataError(f"{name}: not a gzip file, although its name says so ({error})") from error
    except EOFError as error:
        raise DataError(f"{name}: the gzip file is cut off; copy or download it again") from error
    except zlib.error as error:
        raise DataError(f"{name}: the gzip file is damaged ({error})") from error
