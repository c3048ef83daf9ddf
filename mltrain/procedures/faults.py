"""Failures of the machine that come in other people's exception classes. No TensorFlow here."""

from __future__ import annotations

import errno

from mltrain.errors import MltrainError, OutOfMemoryError, WriteError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}
# TensorFlow reports a full disk in the class that it has for memory: "disk quota exceeded [Op:SaveV2]".
_DISK_WORDS = ("no space left", "disk quota", "disk full", "savev2")


def machine_failure(error: Exception) -> MltrainError | None:
    """Return what `error` means for the user where the machine is the cause: no memory, no disk; else None."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno in _DISK:
        return WriteError(f"{error.filename or 'a file'}: cannot write: {error.strerror}")
    if type(error).__name__ == "ResourceExhaustedError" and any(word in text.lower() for word in _DISK_WORDS):
        return WriteError(f"cannot write: {text[:200]}")
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        advice = (
            "use fewer rows, a smaller training.batch_size, a smaller model, or, for image files, a smaller "
            "data.source.size"
        )
        return OutOfMemoryError(f"out of memory: {text[:200] or 'the machine has no memory left'}; {advice}")
    return None
