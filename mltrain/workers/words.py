"""What the first worker says to the others, and what they answer: words as JSON, with arrays behind them."""

from __future__ import annotations

import json
import math
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mltrain.workers.connections import received

_LENGTH = struct.Struct(">Q")
_MOST_TEXT = 1 << 26
_KINDS = frozenset("biufV")


@dataclass(frozen=True)
class Words:
    """Something that is said.

    Attributes:
        what: the kind of it.
        values: what JSON can hold.
        arrays: by name.
    """

    what: str
    values: dict[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def bytes_of(array: np.ndarray) -> memoryview:
    """Return the bytes of a contiguous array, without a copy."""
    return array.reshape(-1).view(np.uint8).data


class Line:
    """A connection over which words go.

    Args:
        connection: that blocks.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def say(self, words: Words) -> None:
        """Send words; raises OSError where nobody listens any more."""
        arrays = {name: np.asarray(array, order="C") for name, array in words.arrays.items()}
        shapes = [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]
        text = json.dumps({"what": words.what, "values": words.values, "arrays": shapes}).encode()
        with self._sending:  # a heartbeat comes from another thread
            self._connection.sendall(_LENGTH.pack(len(text)) + text)
            for array in arrays.values():
                if array.nbytes:
                    self._connection.sendall(bytes_of(array))

    def listen(self) -> Words:
        """Return the next words.

        Raises:
            OSError: the other side has closed, or says what is none.
        """
        (length,) = _LENGTH.unpack(received(self._connection, _LENGTH.size))
        if length > _MOST_TEXT:
            raise ConnectionError(f"{length:,} bytes of words are too many")
        try:
            found = json.loads(received(self._connection, length))
            arrays = {name: self._array(dtype, tuple(shape)) for name, dtype, shape in found["arrays"]}
            return Words(found["what"], found["values"], arrays)
        except (ValueError, KeyError, TypeError) as error:
            raise ConnectionError(f"this cannot be understood: {error!r}") from error

    def _array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        dtype = np.dtype(name)
        if dtype.kind not in _KINDS:
            raise ConnectionError(f"an array of {name} is not expected")
        data = received(self._connection, math.prod(shape) * dtype.itemsize)
        return np.frombuffer(data, dtype).reshape(shape)
