"""A worker among the others: it adds with them, hears what the first says, and knows when one is lost."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType

import numpy as np

from mltrain.errors import MltrainError, WorkerError, WorkersDifferError
from mltrain.workers.cluster import Cluster
from mltrain.workers.connections import Connections, connect
from mltrain.workers.sums import Sums
from mltrain.workers.words import Line, Words

# A worker says every second that it is there. One that has been silent for so long is lost: it was stopped, its machine
# is gone, or the network between.
_BEAT, SILENT = 1.0, 6.0
_ALIVE, _SIGNAL, _FAILED = "alive", "signal", "failed"
LEAVES = "leaves"


class Team:
    """The workers of a training, seen by one of them.

    Args:
        connections: to all others.
        on_signal: is called with the number of a signal that another worker has got, from another thread.
    """

    def __init__(self, connections: Connections, on_signal: Callable[[int], object] = lambda number: None) -> None:
        self.cluster: Cluster = connections.cluster
        self._connections = connections
        self._on_signal = on_signal
        self._lines = {rank: Line(each) for rank, each in connections.of_words.items()}
        self._heard: dict[int, queue.Queue[Words | None]] = {rank: queue.Queue() for rank in self._lines}
        self._sums = Sums(self.rank, connections.of_gradients, self._lost)
        self._failure: WorkerError | None = None
        self._left: set[int] = set()
        self._over = threading.Event()
        for rank, each in connections.of_words.items():
            each.settimeout(SILENT)
            threading.Thread(target=self._hear, args=(rank,), name=f"worker {rank}", daemon=True).start()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    @classmethod
    def of(
        cls,
        cluster: Cluster,
        listening: socket.socket | None = None,
        between: Callable[[], None] = lambda: None,
        on_signal: Callable[[int], object] = lambda number: None,
    ) -> Team:
        """Return the team of a cluster, once all workers are there; arguments and errors as for `connect`."""
        return cls(connect(cluster, listening, between), on_signal)

    @property
    def rank(self) -> int:
        """Of this worker, counted from 0."""
        return self.cluster.rank

    @property
    def count(self) -> int:
        """How many workers there are."""
        return self.cluster.count

    def sum(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the sum of each of some arrays `(numbers,)` over all workers, with equal bits for each worker.

        Raises:
            WorkerError: a worker is lost.
        """
        return self._sums.of(values)

    def say(self, words: Words) -> None:
        """Say words to all others, as the first worker, or to the first.

        Raises:
            WorkerError: a worker is lost.
        """
        for rank, line in self._lines.items():
            try:
                line.say(words)
            except OSError as error:
                raise self._lost(rank) from error

    def listen(self, rank: int = 0, between: Callable[[], None] = lambda: None) -> Words:
        """Return the next words of a worker.

        Args:
            rank: of the worker.
            between: called now and then; it may raise, to stop.

        Raises:
            WorkerError: it is lost.
        """
        while True:
            between()
            try:
                words = self._heard[rank].get(timeout=0.1)
            except queue.Empty:
                continue
            if words is None:
                raise self._lost(rank)
            return words

    def tell_signal(self, number: int) -> None:
        """Tell the first worker of a signal that this one has got: it decides where all stop."""
        self.say(Words(_SIGNAL, {"number": number}))

    def leave(self, error: BaseException | None = None) -> None:
        """Leave the others, with the reason where it is an error; a second time does nothing."""
        if self._over.is_set():
            return
        self._over.set()
        words = Words(LEAVES)
        if error is not None:
            reason = str(error) if isinstance(error, MltrainError) else f"{type(error).__name__}: {error}"
            first_line = reason.splitlines()[0] if reason else type(error).__name__
            kinds = {"of_another": isinstance(error, WorkerError), "differ": isinstance(error, WorkersDifferError)}
            words = Words(_FAILED, {"reason": first_line, **kinds})
        for line in self._lines.values():
            with suppress(OSError):
                line.say(words)
        self._connections.close()

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave(error)

    def _beat(self) -> None:
        while not self._over.wait(_BEAT):
            for rank, line in self._lines.items():
                try:
                    line.say(Words(_ALIVE))
                except OSError:
                    self._lose(rank, "its connection was closed")

    def _hear(self, rank: int) -> None:
        """Hear a worker, in a thread of its own: also while this one computes."""
        line = self._lines[rank]
        while True:
            try:
                words = line.listen()
            except TimeoutError:
                return self._lose(rank, f"it has been silent for {SILENT:.0f} s: it is stopped, or cut off")
            except OSError:
                # What the operating system says of a closed connection differs; that it ended is what counts.
                return self._lose(rank, "its process has ended")
            if words.what == LEAVES:
                self._left.add(rank)
                self._heard[rank].put(words)
                return None
            if words.what == _FAILED:
                # It may have ended because it has lost a third one: that is the reason for all.
                reason = str(words.values["reason"])
                if words.values["differ"]:
                    self._failure = self._failure or WorkersDifferError(reason)
                return self._lose(rank, reason, of_another=bool(words.values["of_another"]))
            if words.what == _SIGNAL:
                self._on_signal(int(words.values["number"]))
            elif words.what != _ALIVE:
                self._heard[rank].put(words)

    def _lose(self, rank: int, reason: str, *, of_another: bool = False) -> None:
        if self._over.is_set() or rank in self._left:
            return
        if self._failure is None:
            self._failure = WorkerError(reason if of_another else f"worker {rank} of {self.count} is lost: {reason}")
        # Whatever waits for it, in an exchange or for words, does not wait any longer. The others are told why.
        self._connections.shut_exchanges()
        for heard in self._heard.values():
            heard.put(None)

    def _lost(self, rank: int) -> WorkerError:
        """Return what is known of a worker whose connection has ended; the one that hears it first may not know it
        yet."""
        deadline = time.monotonic() + 1.0
        while self._failure is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return self._failure or WorkerError(f"worker {rank} of {self.count} is lost: its process has ended")
