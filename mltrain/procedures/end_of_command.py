"""How the processes of a command learn that it is gone, however it ended: the pipe that it holds then ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mltrain.training.signals import Interruption

# Seconds after which a process ends whatever it does: every file of a run is replaced atomically.
_MOST_ALONE = 30


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
    """Make the pipe, in the command; those that watch it learn of the end of this block, or of the command."""
    watched, held = os.pipe()
    try:
        yield PipeOfCommand(watched, held)
    finally:
        os.close(watched)
        os.close(held)


def stop_when_the_command_is_gone(watched: int, interruption: Interruption, *, at_the_second: bool) -> threading.Event:
    """Stop as at SIGTERM once it is: nobody would see this process any more. It is looked at in a thread of its own.

    Args:
        watched: descriptor of the pipe.
        interruption: of this process.
        at_the_second: whether the process ends at once where a signal has come before: the command has left at the
            second one.

    Returns:
        What is set once the command is gone.
    """
    gone = threading.Event()

    def watch() -> None:
        os.read(watched, 1)
        gone.set()
        if interruption.received is None or not at_the_second:
            interruption.receive(signal.SIGTERM)
            time.sleep(_MOST_ALONE)
        os._exit(128 + (interruption.received or signal.SIGTERM))  # as at the second signal

    threading.Thread(target=watch, name="command", daemon=True).start()
    return gone
