"""The sum of what all workers have, for each of them the same to the last bit."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import accumulate

import numpy as np

from mltrain.aligned import aligned_empty
from mltrain.errors import WorkerError
from mltrain.workers.words import bytes_of

# Up to here everybody sends all to everybody: it takes one exchange, and the share of each a second one.
SMALL = 1 << 16
# The kernel takes 1024 pieces in one call.
_AT_ONCE = 512


class Sums:
    """Adds arrays over the workers, in the order of their ranks.

    For large arrays each worker adds a part of its own, and hands it out: every worker sends and receives twice the
    bytes of the array, however many there are (the reduce-scatter and all-gather of a ring, Patarasuk and Yuan, 2009,
    in two exchanges instead of 2 (n - 1)). Each number is added by one worker alone, so that all have equal bits.

    Over sockets instead of TensorFlow's collectives: 100,000 numbers of 2 processes on one machine took 1.4 ms instead
    of 3.1, and 10 numbers 0.15 ms instead of 1.1 (TensorFlow 2.21); and a worker that is lost is known at once.

    Args:
        rank: of this worker.
        sockets: to the others, by rank; they do not block.
        lost: says what is known of a worker whose connection has ended.
    """

    def __init__(self, rank: int, sockets: Mapping[int, socket.socket], lost: Callable[[int], WorkerError]) -> None:
        self._rank = rank
        self._sockets = sockets
        self._lost = lost
        self._count = len(sockets) + 1

    def of(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the sum of each of some arrays over all workers, which all have arrays of the same sizes.

        Args:
            values: one-dimensional; they are not copied to one another, as for many megabytes that takes as long as
                sending them.

        Raises:
            WorkerError: a worker is gone.
        """
        given = [np.ascontiguousarray(each) for each in values]
        if sum(each.nbytes for each in given) <= SMALL:
            found = {rank: [np.empty_like(each) for each in given] for rank in self._sockets}
            self._exchange(dict.fromkeys(self._sockets, given), found)
            sums = [aligned_empty(each.shape, each.dtype) for each in given]
            self._add({**found, self._rank: given}, sums)
            return sums
        parts = _parts(tuple(map(len, given)), self._count)
        own = _pieces(given, parts[self._rank])
        found = {rank: [np.empty_like(each) for each in own] for rank in self._sockets}
        self._exchange({rank: _pieces(given, parts[rank]) for rank in self._sockets}, found)
        whole = [aligned_empty(each.shape, each.dtype) for each in given]
        summed = _pieces(whole, parts[self._rank])
        self._add({**found, self._rank: own}, summed)
        self._exchange(
            dict.fromkeys(self._sockets, summed), {rank: _pieces(whole, parts[rank]) for rank in self._sockets}
        )
        return whole

    def _add(self, found: Mapping[int, Sequence[np.ndarray]], sums: Sequence[np.ndarray]) -> None:
        for place, total in enumerate(sums):
            np.add(found[0][place], found[1][place], out=total)
            for rank in range(2, self._count):
                np.add(total, found[rank][place], out=total)

    def _exchange(self, out: Mapping[int, Sequence[np.ndarray]], into: Mapping[int, Sequence[np.ndarray]]) -> None:
        """Send and receive at the same time: two workers that only send would wait for each other for ever."""
        sending = {rank: [bytes_of(each) for each in arrays if each.size] for rank, arrays in out.items()}
        receiving = {rank: [bytes_of(each) for each in arrays if each.size] for rank, arrays in into.items()}
        while True:
            waiting = select.poll()
            for rank, connection in self._sockets.items():
                try:
                    sending[rank] = _sent(connection, sending[rank])
                    receiving[rank] = _received(connection, receiving[rank])
                    events = select.POLLOUT * bool(sending[rank]) | select.POLLIN * bool(receiving[rank])
                    if events:
                        waiting.register(connection, events)
                except OSError as error:  # also of a socket that the watch has closed
                    raise self._lost(rank) from error
            if not any(sending.values()) and not any(receiving.values()):
                return
            try:
                waiting.poll()
            except (OSError, ValueError) as error:
                raise self._lost(min(self._sockets)) from error


@cache
def _parts(sizes: tuple[int, ...], count: int) -> list[list[tuple[int, slice]]]:
    """Return the part of each worker of all numbers: of which arrays it has which. It is the same in each step."""
    total, parts = sum(sizes), []
    starts = [0, *accumulate(sizes[:-1])]
    for rank in range(count):
        first, end = total * rank // count, total * (rank + 1) // count
        within = [
            (place, slice(max(first - start, 0), min(end - start, size)))
            for place, (start, size) in enumerate(zip(starts, sizes, strict=True))
        ]
        parts.append([(place, piece) for place, piece in within if piece.start < piece.stop])
    return parts


def _pieces(arrays: Sequence[np.ndarray], part: Sequence[tuple[int, slice]]) -> list[np.ndarray]:
    return [arrays[place][piece] for place, piece in part]


def _sent(connection: socket.socket, rest: list[memoryview]) -> list[memoryview]:
    """Send what can be sent now, and return what is left."""
    if not rest:
        return rest
    try:
        return _after(rest, connection.sendmsg(rest[:_AT_ONCE]))
    except BlockingIOError:
        return rest


def _received(connection: socket.socket, rest: list[memoryview]) -> list[memoryview]:
    """Receive what has come, and return what is still to come."""
    if not rest:
        return rest
    try:
        count = connection.recvmsg_into(rest[:_AT_ONCE])[0]
    except BlockingIOError:
        return rest
    if not count:
        raise ConnectionError("the connection was closed")
    return _after(rest, count)


def _after(pieces: list[memoryview], count: int) -> list[memoryview]:
    """Return pieces without their first bytes."""
    place = 0
    while place < len(pieces) and count >= len(pieces[place]):
        count -= len(pieces[place])
        place += 1
    if not count:
        return pieces[place:]
    return [pieces[place][count:], *pieces[place + 1 :]]
