"""A file that a command writes where the user says, beside its run."""

from __future__ import annotations

from pathlib import Path

from mltrain.errors import WriteError
from mltrain.run import durable


def write_output(path: Path, data: bytes, option: str) -> None:
    """Write a file as a whole; one that is there already is replaced.

    Args:
        path: where.
        data: its content.
        option: that named it, for the message.

    Raises:
        WriteError: it cannot be written.
    """
    try:
        durable.write_file(durable.without_links(path.absolute()), data)
    except WriteError as error:
        # Its own words advise another --runs-dir, which means nothing here.
        reason = getattr(error.__cause__, "strerror", None) or error
        raise WriteError(f"{option} {path}: cannot write: {reason}") from error


def append_output(path: Path, data: bytes) -> None:
    """Add to a file of the system that runs this process.

    Raises:
        WriteError: it cannot be written.
    """
    durable.append(durable.without_links(path.absolute()), data)
