"""SIGINT and SIGTERM: between the phases of a run they end it at once, inside the training loop at its next look-up.

Installed before TensorFlow is imported: its preemption notifier takes SIGTERM otherwise.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from mltrain.errors import InterruptedRunError


class Interruption:
    """Turns the first signal into an InterruptedRunError at a good moment, and the second into leaving at once.

    Leaving at once is safe: every file of a run is replaced atomically.
    """

    def __init__(self) -> None:
        self._received: int | None = None
        self._deferred = False

    @contextmanager
    def handled(self) -> Iterator[Interruption]:
        """While inside, both signals come here."""
        before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """While inside, the first signal waits for `raise_if_received`."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    def raise_if_received(self) -> None:
        """Raise if a signal has come.

        Raises:
            InterruptedRunError: with the exit code of the signal.
        """
        if self._received is not None:
            raise InterruptedRunError(f"stopped by {signal.Signals(self._received).name}", self._received)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._received is not None:
            os._exit(128 + number)
        self._received = number
        if not self._deferred:
            self.raise_if_received()
