"""How the processes of a command learn that it is gone, however it ended: the pipe that it holds then ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class PipeOfCommand:
    """The descriptors of the pipe.

    Attributes:
        watched: for the processes that are started.
        held: by the command alone; a process that has it, too, keeps the pipe open.
    """

    watched: int
    held: int


@contextmanager
def pipe_of_command() -> Iterator[PipeOfCommand]:
    """Make the pipe, in the command; at the end inside, or with the command, what watches it is called."""
    watched, held = os.pipe()
    try:
        yield PipeOfCommand(watched, held)
    finally:
        os.close(watched)
        os.close(held)


def when_the_command_is_gone(watched: int, then: Callable[[], object]) -> None:
    """Call `then` once it is, in a thread of its own."""

    def watch() -> None:
        os.read(watched, 1)
        then()

    threading.Thread(target=watch, name="command", daemon=True).start()
