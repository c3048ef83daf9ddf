"""How many values the columns of a Parquet file say that they have, read from its footer.

pyarrow can be asked for that, too, but throws an exception in C++ that nothing catches where some parts of the footer
are damaged: the process is gone, without a word. So the footer is read here: a struct of Thrift's compact protocol
(https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), whose fields are numbered in
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

import struct
from typing import Any

_ROW_GROUPS, _COLUMNS, _META_DATA, _NUM_VALUES = 4, 1, 3, 5

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)


def stated_values(data: bytes) -> list[int]:
    """Return how many values each column has by the footer, those of all row groups together.

    Raises:
        ValueError: there is no such footer.
    """
    try:
        (length,) = struct.unpack("<I", data[-8:-4])
        footer = _Footer(data[len(data) - 8 - length : -8]).structure()
        groups = [
            [column[_META_DATA][_NUM_VALUES] for column in group[_COLUMNS]] for group in footer.get(_ROW_GROUPS, [])
        ]
        return [sum(max(values, 0) for values in column) for column in zip(*groups, strict=True)]
    except (struct.error, LookupError, TypeError, RecursionError) as error:
        raise ValueError(f"its footer cannot be read ({type(error).__name__})") from error


class _Footer:
    """Reads values one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def structure(self) -> dict[int, Any]:
        """Return the values of a struct by the numbers of its fields."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            fields[number] = self._value(head & 15) if head & 15 > _FALSE else head & 15 == _TRUE
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE, _BYTE):  # here truth values are items of a list: a byte each
            return self._byte()
        if kind in (_I16, _I32, _I64):
            return self._integer()
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind == _BINARY:
            return self._bytes(self._count())
        if kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._count()
            return [self._value(head & 15) for _ in range(count)]
        if kind == _MAP:
            count = self._count()
            kinds = self._byte() if count else 0
            return [(self._value(kinds >> 4), self._value(kinds & 15)) for _ in range(count)]
        if kind == _STRUCT:
            return self.structure()
        raise ValueError(f"its footer holds a value of the unknown type {kind}")

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        self._at += count
        if self._at > len(self._data):
            raise IndexError
        return self._data[self._at - count : self._at]

    def _count(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("its footer holds a number of more than 64 bits")

    def _integer(self) -> int:
        value = self._count()  # 0, -1, 1, -2, … are 0, 1, 2, 3, …
        return value >> 1 if value % 2 == 0 else -(value >> 1) - 1
