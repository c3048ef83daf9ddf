"""The three standard streams, which may be closed, full, or left by their reader."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

from mltrain.errors import MltrainError, WriteError


class ReaderLeftError(MltrainError):
    """The reader of our output has left, as `mltrain list | head` does: end as a program that SIGPIPE ends."""

    exit_code = 141


def prepare_streams() -> None:
    """Make writing to the standard streams fail in our own way only; a stream that is closed becomes /dev/null.

    A descriptor that is closed would be given to the next file that is opened, and what a library prints would then
    end up in that file. `sys.stdin` stays None where it was closed.
    """
    for number in (0, 1, 2):
        if not _is_open(number):
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # open() takes the lowest number that is free
    # In a test they may be something else, and that stays.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Output(1, "w", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_Messages(2, "w", closefd=False), sys.stderr)


class _Output(io.FileIO):
    """Standard output: what is written there is the result, so it is an error when it cannot be."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            _silence(1)  # whatever is still in a buffer would fail again when the process ends
            if isinstance(error, BrokenPipeError):
                raise ReaderLeftError("the reader of standard output has left") from None
            raise WriteError(f"standard output: cannot write: {error.strerror}") from None


class _Messages(io.FileIO):
    """Standard error is for people: if nobody can read it, nothing else fails."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            _silence(2)
            return len(data)


def _text(raw: io.FileIO, before: TextIO | None) -> TextIO:
    encoding, errors = (before.encoding, before.errors) if before is not None else ("utf-8", "backslashreplace")
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=True)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _silence(number: int) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, number)
    os.close(nothing)
