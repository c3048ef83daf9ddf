"""SIGINT and SIGTERM: between the phases of a run they end it at once, inside the training loop at its next look-up.

Installed before TensorFlow is imported: its preemption notifier takes SIGTERM otherwise.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mltrain.errors import InterruptedRunError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# No signal has this number.
_END = b"\0"


class Interruption:
    """Turns the first signal into an InterruptedRunError at a good moment, and the second into leaving at once.

    Leaving at once is safe: every file of a run is replaced atomically.
    """

    def __init__(self) -> None:
        self._received: int | None = None
        self._deferred = False
        self._tell: Callable[[int], object] = lambda number: None

    @contextmanager
    def handled(self) -> Iterator[Interruption]:
        """While inside, both signals come here."""
        with _second_leaves():
            before = {number: signal.signal(number, self._receive) for number in SIGNALS}
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # see `held_back`
            try:
                yield self
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """While inside, the first signal waits for `raise_if_received`.

        For code that must not be left midway, and for code of others that may catch what it did not raise: TensorFlow
        imports its parts inside `try … except`.
        """
        before, self._deferred = self._deferred, True
        try:
            yield
        finally:
            self._deferred = before

    @contextmanager
    def told(self, tell: Callable[[int], object]) -> Iterator[None]:
        """While inside, `tell` is called with the number of the first signal, at once: the second may come 10 ms later.

        If it has come before, it is called with it now.
        """
        before, self._tell = self._tell, tell
        if self._received is not None:
            tell(self._received)
        try:
            yield
        finally:
            self._tell = before

    def raise_if_received(self) -> None:
        """Raise if a signal has come.

        Raises:
            InterruptedRunError: with the exit code of the signal.
        """
        if self._received is not None:
            raise InterruptedRunError(f"stopped by {signal.Signals(self._received).name}", self._received)

    @property
    def received(self) -> int | None:
        """The number of the signal that has come; None where none has."""
        return self._received

    def receive(self, number: int) -> None:
        """Take a signal that another process has got as one of this one, at its next look-up; from any thread."""
        if self._received is None:
            self._received = number

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._received is not None:
            return  # the second is not ours, see `_second_leaves`
        self._received = number
        self._tell(number)
        if not self._deferred:
            self.raise_if_received()


@contextmanager
def held_back() -> Iterator[None]:
    """Start processes of mltrain inside: they hold both signals back until they handle them.

    One that came before would end them by itself, which is a process that is lost, and not one that was stopped.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextmanager
def _second_leaves() -> Iterator[None]:
    """While inside, the second signal ends the process.

    Python's handlers run between two bytecodes only, and a call of C++ may last for minutes: the number of each signal
    is therefore also written into a pipe, by Python's handler in C, and a thread reads there.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_leave_at_the_second, args=(reading,), name="signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.write(writing, _END)  # closing is not enough: a process that was forked may hold the pipe, too
        watcher.join()
        os.close(writing)
        os.close(reading)


def _leave_at_the_second(reading: int) -> None:
    received = 0
    while True:
        for number in os.read(reading, 64):
            if number == _END[0]:
                return
            received += number in SIGNALS
            if received == 2:
                os._exit(128 + number)
