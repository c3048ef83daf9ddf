"""What the tests of hostile input share: a time limit, a folder that must not change, and a canary."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

LIMIT = 120  # seconds; nothing here should take more than a few, and the long form of a test not more than half an hour


@pytest.fixture(autouse=True)
def no_hang(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that waits for something that never comes, as for a writer of a FIFO."""
    limit = LIMIT * (15 if request.node.get_closest_marker("torture") else 1)

    def too_long(number: int, frame: object) -> None:
        raise TimeoutError(f"more than {limit} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(limit)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def snapshot(folder: Path, *without: Path) -> dict[str, tuple[object, ...]]:
    """Return what is below `folder`, so that two snapshots differ when anything was made, changed or removed.

    Args:
        folder: the folder.
        without: folders below it that are left out.
    """
    found: dict[str, tuple[object, ...]] = {}
    for root, directories, files in os.walk(folder):
        directories[:] = [name for name in directories if Path(root, name) not in without]
        for name in (*directories, *files):
            path = Path(root, name)
            status = path.lstat()
            content: object = None
            if stat.S_ISLNK(status.st_mode):
                content = path.readlink()
            elif stat.S_ISREG(status.st_mode):
                content = _digest(path) if status.st_size < 1 << 24 else status.st_mtime_ns
            found[str(path.relative_to(folder))] = (stat.S_IFMT(status.st_mode), status.st_size, content)
    return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Canary:
    """An object whose pickle makes a file when it is read: whoever reads it has run a stranger's code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (Path.touch, (self.path,))
