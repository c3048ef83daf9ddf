"""What a run is doing, or how it ended: `status.json`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Literal

from mltrain.spec import Spec

State = Literal["running", "finished", "interrupted", "failed"]


class Status(Spec):
    """What a run is doing, or how it ended."""

    format: Literal[1] = 1
    """The version of this file's form."""
    state: State
    """What the run is doing, or how it ended."""
    reason: str
    """Why, in words: the phase while it runs, then what ended it."""
    epoch: int = 0
    """The number of epochs that were completed."""
    step: int = 0
    """The number of updates of the weights that were made."""
    exit_code: int | None = None
    """The exit code of the process; null while it runs."""
    pid: int
    """The process that trains or trained."""
    updated: str
    """When this was written, in UTC."""


def status(state: State, reason: str, *, epoch: int = 0, step: int = 0, exit_code: int | None = None) -> Status:
    """Return the status of this process, now."""
    return Status(
        state=state,
        reason=reason,
        epoch=epoch,
        step=step,
        exit_code=exit_code,
        pid=os.getpid(),
        updated=now(),
    )


def now() -> str:
    """Return the time in UTC, as `2026-11-20T20:15:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
