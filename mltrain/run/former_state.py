"""A run as it was before it was resumed: kept beside the new files, as links, until the resumption has ended.

    .former/          while the first files of a resumption are written: a kill there leaves it, and the next process
                      that locks the run brings it back
    .tmp-former-…/    afterwards: a kill leaves it, and it is removed with the other leftovers

Files of a run are replaced and never changed in place, so a link keeps the old content and costs nothing. Those that
grow are copied.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from mltrain.run import durable
from mltrain.run.layout import FORMER, HISTORY, LOCK, LOG, LOOKS
from mltrain.run.refused_writes import refusing

_GROWING = {LOG, HISTORY, LOOKS}
_NAMES = ".names"
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


class FormerState:
    """What brings a run back to what it was.

    Args:
        path: the run directory, which this process has locked.

    Raises:
        WriteError: the copy cannot be made; the run is as it was.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = path / FORMER
        names = sorted(entry.name for entry in path.iterdir() if entry.name != LOCK)
        new = path / f"{durable.TEMPORARY}former-{os.urandom(8).hex()}"
        self._later = new
        try:
            with refusing(new):
                durable.perform(os.mkdir, new)
                for name in names:
                    _keep(path / name, new / name)
            durable.write_file(new / _NAMES, "\n".join(names).encode("utf-8", "surrogateescape"))
            with refusing(self._kept):
                durable.perform(os.rename, new, self._kept)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def first_files_are_written(self) -> None:
        """From now on a process that dies leaves a run that can be resumed as it is."""
        with refusing(self._kept):
            durable.perform(os.rename, self._kept, self._later)
        self._kept = self._later

    def bring_back(self) -> None:
        """Make the run what it was, byte for byte.

        Raises:
            WriteError: it cannot be done now; the next process that locks the run does it.
        """
        with refusing(self._path):
            if self._kept.name != FORMER:
                self._kept.rename(self._path / FORMER)
        bring_back(self._path)

    def forget(self) -> None:
        """Remove the copy: the run is what it is now."""
        with suppress(OSError):  # what stays is removed with the leftovers of the next process
            shutil.rmtree(self._kept)


def bring_back(path: Path) -> None:
    """Bring a run back to what it was, where a resumption did not get as far as its first files.

    Not through `durable.perform`: only names are changed and removed, which a full disk allows.

    Raises:
        WriteError: it cannot be done.
    """
    kept = path / FORMER
    if kept.is_symlink() or not kept.is_dir():
        return
    with refusing(path):
        names = (kept / _NAMES).read_bytes().decode("utf-8", "surrogateescape").split("\n")
        for entry in path.iterdir():
            # A name that is no longer in the copy was brought back by a process that was killed.
            if entry.name in (LOCK, FORMER) or (entry.name in names and not os.path.lexists(kept / entry.name)):
                continue
            _remove(entry)
            if entry.name in names:
                (kept / entry.name).rename(entry)
        for name in names:
            if name and os.path.lexists(kept / name):
                (kept / name).rename(path / name)
        shutil.rmtree(kept)


def _keep(path: Path, copy: Path) -> None:
    """Make `copy` what `path` is; no symbolic link is followed."""
    if path.is_symlink() or not path.is_dir():
        _keep_file(path, copy)
        return
    durable.perform(os.mkdir, copy)
    for entry in path.iterdir():
        _keep(entry, copy / entry.name)


def _keep_file(path: Path, copy: Path) -> None:
    if path.name not in _GROWING:
        try:
            durable.perform(os.link, path, copy, follow_symlinks=False)
        except OSError as error:
            # FAT, exFAT and many network shares know no links.
            if error.errno not in _NO_LINKS:
                raise
        else:
            return
    durable.perform(shutil.copy2, path, copy, follow_symlinks=False)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
